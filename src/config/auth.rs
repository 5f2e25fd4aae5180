//! Whose tokens are accepted, and what goes to the platform for them.

use secrecy::SecretString;
use url::Url;

use super::{
    lookup::Reader,
    settings,
    values::{boolean, list, service_url, trimmed},
};

/// Whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The issuers, byte for byte as in the tokens: some end with a slash. There is at least one; clients are sent to the
    /// first.
    pub issuers: Vec<String>,
    /// Audiences besides our own URL and origin.
    pub audiences: Vec<String>,
    /// Whether a request without a token is refused.
    pub required: bool,
    /// Where opaque tokens of the first issuer are looked up, and as whom.
    pub introspection: Option<Introspection>,
    /// Whether the platform's API keys are accepted.
    pub api_keys: bool,
    /// What goes to the platform.
    pub upstream: Upstream,
}

/// Where opaque tokens are looked up, and as whom.
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The endpoint (RFC 7662).
    pub url: Url,
    /// Us.
    pub client: OAuthClient,
}

/// What goes to the platform.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// The caller's own token.
    Forward,
    /// A token exchanged for it (RFC 8693), by us as this client.
    Exchange(OAuthClient),
}

/// This server as a confidential client of the issuer.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// Reads and checks them.
pub(super) fn read(r: &mut Reader<'_>, api_url: &Url, required: bool) -> Auth {
    let issuers = r
        .optional(&settings::SEQUENTUM_OAUTH_ISSUER, |text| {
            let issuers = list(text, |item| service_url(item).map(|_| item.to_owned()))?;
            let repeated = issuers.iter().enumerate().any(|(at, issuer)| {
                issuers.iter().skip(at + 1).any(|other| trimmed(other) == trimmed(issuer))
            });
            (!issuers.is_empty() && !repeated).then_some(issuers)
        })
        .unwrap_or_else(|| vec![trimmed(api_url.as_str())]);

    let id = r.optional(&settings::OAUTH_CLIENT_ID, |text| Some(text.to_owned()));
    let secret = r.optional(&settings::OAUTH_CLIENT_SECRET, |text| Some(SecretString::from(text)));
    let client = match (id, secret) {
        (Some(id), Some(secret)) => Some(OAuthClient { id, secret }),
        (Some(_), None) => {
            r.refuse(&settings::OAUTH_CLIENT_ID, "needs OAUTH_CLIENT_SECRET beside it");
            None
        }
        (None, Some(_)) => {
            r.refuse(&settings::OAUTH_CLIENT_SECRET, "needs OAUTH_CLIENT_ID beside it");
            None
        }
        (None, None) => None,
    };
    let needs_client = "needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: it is asked as a confidential client";
    let endpoint = r.optional(&settings::OAUTH_INTROSPECTION_URL, |text| {
        service_url(text).and_then(|_| Url::parse(text).ok())
    });
    let introspection = match (endpoint, &client) {
        (Some(url), Some(client)) => Some(Introspection { url, client: client.clone() }),
        (Some(_), None) => {
            r.refuse(&settings::OAUTH_INTROSPECTION_URL, needs_client);
            None
        }
        (None, _) => None,
    };
    let exchange = r.required(&settings::UPSTREAM_CREDENTIAL, false, |text| match text {
        "forward" => Some(false),
        "exchange" => Some(true),
        _ => None,
    });
    let upstream = match client {
        Some(client) if exchange => Upstream::Exchange(client),
        None if exchange => {
            r.refuse(&settings::UPSTREAM_CREDENTIAL, needs_client);
            Upstream::Forward
        }
        _ => Upstream::Forward,
    };
    if exchange && issuers.len() > 1 {
        r.refuse(
            &settings::UPSTREAM_CREDENTIAL,
            "is allowed with one issuer only, because OAUTH_CLIENT_ID is registered with one: name one in SEQUENTUM_OAUTH_ISSUER",
        );
    }
    Auth {
        issuers,
        audiences: r.required(&settings::OAUTH_AUDIENCES, Vec::new(), |text| {
            list(text, |item| Some(item.to_owned()))
        }),
        required,
        introspection,
        api_keys: r.required(&settings::ALLOW_API_KEYS, false, boolean),
        upstream,
    }
}
