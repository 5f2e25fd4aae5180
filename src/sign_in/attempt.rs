//! One sign-in, from the authorization server's metadata to the tokens; and giving them back.

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenUrl, basic::BasicClient,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{
    PATIENCE, SignIn, SignInError, lending::is_bearer, printable, redirect::Redirect, token_failure,
};
use crate::{
    auth::{
        ScopeSet,
        client::{self, OAuthHttp, TIMEOUT, discover, secure},
    },
    clock::Clock,
    outbound,
};

/// What is asked for, and of whom.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The platform, as resource.
    pub platform: &'a Url,
    /// Its authorization server.
    pub issuer: &'a str,
    /// A client that is known there; `None` registers one.
    pub client_id: Option<&'a str>,
    /// What the user is asked to grant.
    pub scopes: ScopeSet,
    /// Port for the redirect; 0 takes any free one.
    pub redirect_port: u16,
}

/// The parts of the metadata (RFC 8414) that matter here.
#[derive(Deserialize)]
struct Metadata {
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// A sign-in that waits for the user.
pub struct Attempt {
    /// What will be kept, but for the tokens.
    outline: SignIn,
    page: Url,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
    redirect: Redirect,
    http: OAuthHttp,
    /// Whether the server promised to say who it is (RFC 9207).
    names_itself: bool,
}

impl Attempt {
    /// Asks the authorization server what it needs and opens the port for the redirect.
    ///
    /// # Errors
    ///
    /// See [`SignInError`].
    pub async fn begin(wanted: &Wanted<'_>) -> Result<Self, SignInError> {
        let issuer = wanted.issuer.to_owned();
        let metadata_error = |cause: String| SignInError::Metadata { issuer: issuer.clone(), cause };
        let unsuitable = |lacks| SignInError::Unsuitable { issuer: issuer.clone(), lacks };
        let base = Url::parse(wanted.issuer).map_err(|error| metadata_error(error.to_string()))?;
        let http = outbound::client(&base)?;
        let metadata: Metadata = discover(&http, wanted.issuer)
            .await
            .map_err(|error| metadata_error(error.to_string()))?
            .ok_or_else(|| metadata_error("there is no such document".to_owned()))?;
        let endpoint = |address: Option<&str>, lacks| {
            let address = address.ok_or_else(|| unsuitable(lacks))?;
            secure(address).map_err(|error| metadata_error(error.to_string()))
        };
        let authorization = endpoint(
            metadata.authorization_endpoint.as_deref(),
            "has no authorization endpoint: use an API key (SEQUENTUM_API_KEY) instead",
        )?;
        let token = endpoint(
            metadata.token_endpoint.as_deref(),
            "has no token endpoint: use an API key (SEQUENTUM_API_KEY) instead",
        )?;
        if !metadata.code_challenge_methods_supported.iter().any(|method| method == "S256") {
            return Err(unsuitable("does not offer PKCE with S256, without which signing in is not safe"));
        }
        let port = wanted.redirect_port;
        let redirect = Redirect::bind(port).await.map_err(|cause| SignInError::Listen { port, cause })?;
        let client_id = match (wanted.client_id, metadata.registration_endpoint.as_deref()) {
            (Some(known), _) => known.to_owned(),
            (None, Some(endpoint)) => {
                let endpoint = secure(endpoint).map_err(|error| metadata_error(error.to_string()))?;
                register(&http, &endpoint, &redirect.uri()).await?
            }
            (None, None) => {
                return Err(unsuitable(
                    "registers no clients by itself: have one registered there, and name it in LOGIN_CLIENT_ID",
                ));
            }
        };
        let redirect_uri = RedirectUrl::new(redirect.uri())
            .map_err(|error| metadata_error(format!("the redirect URI is no URL: {error}")))?;
        let client = BasicClient::new(ClientId::new(client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(authorization))
            .set_redirect_uri(redirect_uri);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let resource = wanted.platform.as_str().trim_end_matches('/').to_owned();
        // A refresh token has to be asked for where that is a scope.
        let offline = metadata.scopes_supported.iter().any(|scope| scope == "offline_access");
        let scopes =
            wanted.scopes.iter().map(crate::auth::Scope::as_str).chain(offline.then_some("offline_access"));
        let (page, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("resource", &resource)
            .url();
        let outline = SignIn {
            platform: resource,
            issuer: wanted.issuer.to_owned(),
            client_id,
            token_endpoint: token.into(),
            revocation_endpoint: metadata.revocation_endpoint,
            scope: wanted.scopes.to_string(),
            access_token: SecretString::default(),
            refresh_token: None,
            expires_at: None,
        };
        let names_itself = metadata.authorization_response_iss_parameter_supported;
        Ok(Self { outline, page, state, verifier, redirect, http: OAuthHttp(http), names_itself })
    }

    /// The page to open in the browser.
    #[must_use]
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// Waits for the user and redeems the code.
    ///
    /// # Errors
    ///
    /// See [`SignInError`].
    pub async fn finish(self, clock: &Clock) -> Result<SignIn, SignInError> {
        let redirect_uri = self.redirect.uri();
        let answer = tokio::time::timeout(PATIENCE, self.redirect.answer(self.state.secret())).await;
        let Ok(Some(answer)) = answer else { return Err(SignInError::Nobody) };
        // RFC 9207 section 2.4: before anything else is believed.
        let named = answer.iss.as_deref();
        if named.is_some_and(|iss| iss != self.outline.issuer) || (named.is_none() && self.names_itself) {
            return Err(SignInError::Issuer);
        }
        let code = match (answer.code, answer.error) {
            (Some(code), None) => code,
            (_, Some(error)) if error == "access_denied" => {
                return Err(SignInError::Refused("access was not granted".to_owned()));
            }
            (_, error) => {
                let error = error.unwrap_or_else(|| "no code".to_owned());
                return Err(SignInError::Refused(format!("it answered `{}`", printable(&error))));
            }
        };
        let tokens_error = |cause: String| SignInError::Tokens(cause);
        let endpoint =
            secure(&self.outline.token_endpoint).map_err(|error| tokens_error(error.to_string()))?;
        let redirect_uri = RedirectUrl::new(redirect_uri).map_err(|error| tokens_error(error.to_string()))?;
        let tokens = BasicClient::new(ClientId::new(self.outline.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(endpoint))
            .set_redirect_uri(redirect_uri)
            .set_auth_type(AuthType::RequestBody)
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(self.verifier)
            .add_extra_param("resource", self.outline.platform.clone())
            .request_async(&self.http)
            .await
            .map_err(|error| tokens_error(token_failure(&error)))?;
        if !is_bearer(&tokens) {
            return Err(tokens_error("the token is no bearer token".to_owned()));
        }
        Ok(self.outline.renewed(&tokens, clock.unix_seconds()))
    }
}

/// Registers this installation as a public client (RFC 7591) for this redirect URI; returns its id.
async fn register(http: &reqwest::Client, endpoint: &Url, redirect: &str) -> Result<String, SignInError> {
    #[derive(Deserialize)]
    struct Registered {
        client_id: String,
    }
    let metadata = json!({
        "client_name": "sequentum-mcp",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    let failed = |cause: &dyn std::fmt::Display| SignInError::Registration(cause.to_string());
    let response = http.post(endpoint.clone()).json(&metadata).timeout(TIMEOUT).send().await;
    let response = response.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = client::read(response).await.map_err(|error| failed(&error))?;
    if !status.is_success() {
        return Err(failed(&format!("it answers with status {}", status.as_u16())));
    }
    let registered = serde_json::from_slice::<Registered>(&body);
    registered.map(|registered| registered.client_id).map_err(|_| failed(&"its answer has no client_id"))
}

/// Gives the tokens back (RFC 7009), so that they end now; the refresh token, and with it what came of it, or the access
/// token if there is no other. `false` if the server has no place for that.
///
/// # Errors
///
/// Why it could not be done.
pub async fn revoke(sign_in: &SignIn) -> Result<bool, String> {
    let Some(endpoint) = &sign_in.revocation_endpoint else { return Ok(false) };
    let endpoint = secure(endpoint).map_err(|error| error.to_string())?;
    let http = outbound::client(&endpoint).map_err(|error| error.to_string())?;
    let (token, hint) = match &sign_in.refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (&sign_in.access_token, "access_token"),
    };
    let form = [
        ("token", token.expose_secret()),
        ("token_type_hint", hint),
        ("client_id", sign_in.client_id.as_str()),
    ];
    let response = http.post(endpoint).form(&form).timeout(TIMEOUT).send().await;
    let status = response.map_err(|error| error.to_string())?.status();
    if status.is_success() { Ok(true) } else { Err(format!("it answers with status {}", status.as_u16())) }
}
