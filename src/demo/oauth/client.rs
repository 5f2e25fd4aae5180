//! Clients, and which redirect URIs they may have.

use serde::Deserialize;
use url::{Host, Url};

use super::cimd;
use crate::{demo::state::State, outbound};

const REDIRECT_URIS: usize = 20;
const NAME_CHARACTERS: usize = 80;

/// A public client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// As the client calls itself: anything, by anybody.
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
}

/// The members of a registration or metadata document that matter here (RFC 7591 section 2).
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) client_id: Option<String>,
    pub(crate) client_name: Option<String>,
    #[serde(default)]
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) grant_types: Option<Vec<String>>,
    pub(crate) response_types: Option<Vec<String>>,
    pub(crate) token_endpoint_auth_method: Option<String>,
    pub(crate) application_type: Option<String>,
}

/// What is wrong with a client's metadata (RFC 7591 section 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unacceptable {
    RedirectUri(&'static str),
    Metadata(&'static str),
}

impl Metadata {
    /// Checks everything but the identity.
    pub(crate) fn check(&self) -> Result<(), Unacceptable> {
        if self.redirect_uris.is_empty() {
            return Err(Unacceptable::RedirectUri("redirect_uris must not be empty"));
        }
        if self.redirect_uris.len() > REDIRECT_URIS {
            return Err(Unacceptable::RedirectUri("there are too many redirect_uris"));
        }
        for uri in &self.redirect_uris {
            redirect_uri(uri).map_err(Unacceptable::RedirectUri)?;
        }
        let offered = ["authorization_code", "refresh_token"];
        let known = |grant: &String| offered.contains(&grant.as_str());
        if self.grant_types.as_ref().is_some_and(|grants| !grants.iter().all(known)) {
            return Err(Unacceptable::Metadata(
                "grant_types may be authorization_code and refresh_token only",
            ));
        }
        if self.response_types.as_ref().is_some_and(|types| types.iter().any(|kind| kind != "code")) {
            return Err(Unacceptable::Metadata("response_types may be code only"));
        }
        Ok(())
    }

    /// The name without control characters and of bearable length, for a page.
    pub(crate) fn display_name(&self) -> Option<String> {
        let name = self.client_name.as_deref()?;
        let clean: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARACTERS).collect();
        Some(clean.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

/// Whether a code may be sent there: https, http to this machine (RFC 8252 section 7.3), or a scheme that an
/// installed application has claimed (section 7.1). Schemes that a browser itself acts on are not among them.
fn redirect_uri(text: &str) -> Result<(), &'static str> {
    const BROWSERS_OWN: [&str; 14] = [
        "about",
        "blob",
        "chrome",
        "data",
        "file",
        "filesystem",
        "ftp",
        "intent",
        "javascript",
        "mailto",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    ];
    if text.len() > 2048 {
        return Err("a redirect URI is too long");
    }
    let url = Url::parse(text).map_err(|_| "a redirect URI is not an absolute URI")?;
    if url.fragment().is_some() {
        return Err("a redirect URI must not have a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a redirect URI must not contain user information");
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if outbound::is_loopback(&url) => Ok(()),
        "http" | "https" => Err("a redirect URI must be https, or http on a loopback address"),
        scheme if BROWSERS_OWN.contains(&scheme) => Err("a redirect URI has a scheme that is not allowed"),
        _ => Ok(()),
    }
}

/// The client an authorization request names: a registered one, or one whose id is the address of its metadata.
pub(crate) async fn resolve(state: &State, id: &str) -> Result<Client, String> {
    let registered = state.oauth().client(state.now(), id);
    if let Some(client) = registered {
        return Ok(client);
    }
    if !id.starts_with("https://") && !id.starts_with("http://") {
        return Err("The client is not known".to_owned());
    }
    cimd::fetch(id).await.map_err(|error| format!("The client metadata document is not usable: {error}"))
}

/// Where the code will go, for a person to recognise.
pub(crate) fn destination(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.scheme() == "http" || url.scheme() == "https" => match url.host() {
            Some(Host::Domain(name)) if !outbound::is_loopback(&url) => name.to_owned(),
            Some(_) if outbound::is_loopback(&url) => "an application on this computer".to_owned(),
            Some(host) => host.to_string(),
            None => url.to_string(),
        },
        Ok(url) => format!("an application on this computer ({}:)", url.scheme()),
        Err(_) => redirect_uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris() {
        for good in [
            "https://claude.ai/api/mcp/auth_callback",
            "http://127.0.0.1:43117/callback",
            "http://localhost/callback",
            "http://[::1]:9/",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/cb",
        ] {
            assert_eq!(redirect_uri(good), Ok(()), "{good}");
        }
        for bad in [
            "http://example.com/cb",
            "http://localhost.example.com/cb",
            "http://10.0.0.1/cb",
            "https://example.com/cb#fragment",
            "https://user:pass@example.com/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "/relative",
            "",
        ] {
            assert!(redirect_uri(bad).is_err(), "{bad}");
        }
    }
}
