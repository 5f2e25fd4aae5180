//! `WWW-Authenticate`: how a client learns where to sign in and what to ask for.
//!
//! RFC 6750 section 3 and RFC 9728 section 5.1. A request without a token gets no `error` (RFC 6750 section 3.1); a
//! request with a bad one gets `invalid_token`; a request whose token lacks a scope gets `insufficient_scope` with
//! everything held plus everything missing, because a client that is told only what is missing would trade its grant
//! for a narrower one.

use http::{HeaderValue, StatusCode};

use super::{refusal::Refusal, scopes::ScopeSet};

/// Builds challenges for one published resource.
#[derive(Debug, Clone)]
pub struct Challenger {
    resource_metadata: String,
}

impl Challenger {
    /// `resource_metadata` is the URL of our RFC 9728 document.
    #[must_use]
    pub fn new(resource_metadata: String) -> Self {
        Self { resource_metadata }
    }

    /// The URL of our RFC 9728 document.
    #[must_use]
    pub fn resource_metadata(&self) -> &str {
        &self.resource_metadata
    }

    /// Status and challenge for a refused credential. A 503 has no challenge: the token may be fine.
    #[must_use]
    pub fn refuse(&self, refusal: Refusal) -> (StatusCode, Option<HeaderValue>) {
        let error = match refusal {
            _ if refusal.retry_after().is_some() => return (StatusCode::SERVICE_UNAVAILABLE, None),
            Refusal::BadRequest => {
                let header =
                    self.header(&[("error", "invalid_request"), ("error_description", &refusal.to_string())]);
                return (StatusCode::BAD_REQUEST, header);
            }
            Refusal::Missing => None,
            _ => Some(refusal.to_string()),
        };
        let scope = ScopeSet::COMMON.to_string();
        let header = match &error {
            None => self.header(&[("scope", &scope)]),
            Some(description) => self.header(&[
                ("error", "invalid_token"),
                ("error_description", description),
                ("scope", &scope),
            ]),
        };
        (StatusCode::UNAUTHORIZED, header)
    }

    /// The challenge of a 403: the token is fine, but lacks a scope.
    #[must_use]
    pub fn step_up(&self, held: ScopeSet, needed: ScopeSet) -> Option<HeaderValue> {
        let scope = held.union(needed).to_string();
        let description = step_up_message(held, needed);
        self.header(&[
            ("error", "insufficient_scope"),
            ("error_description", &description),
            ("scope", &scope),
        ])
    }

    fn header(&self, parameters: &[(&str, &str)]) -> Option<HeaderValue> {
        let mut value = String::from("Bearer ");
        for (name, text) in
            parameters.iter().copied().chain([("resource_metadata", self.resource_metadata.as_str())])
        {
            if !value.ends_with(' ') {
                value.push_str(", ");
            }
            value.push_str(name);
            value.push_str("=\"");
            // quoted-string (RFC 9110 section 5.6.4), printable ASCII only
            for character in text.chars() {
                match character {
                    '"' | '\\' => value.extend(['\\', character]),
                    ' '..='~' => value.push(character),
                    _ => value.push('?'),
                }
            }
            value.push('"');
        }
        HeaderValue::from_str(&value).ok()
    }
}

/// The sentence that goes with [`Challenger::step_up`]. The platform decides by itself: it may want what the token holds
/// already, or not say what it wants, and only a new sign-in can settle that.
#[must_use]
pub fn step_up_message(held: ScopeSet, needed: ScopeSet) -> String {
    let missing = needed.missing_from(held);
    if missing != ScopeSet::EMPTY {
        format!("the access token lacks the scope {missing}")
    } else if needed != ScopeSet::EMPTY {
        format!("the platform asks for the scope {needed} although the access token holds it; sign in again")
    } else {
        "the platform asks for a scope that it does not name; sign in again".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scopes::Scope;

    #[test]
    fn challenges_read_as_the_rfcs_want() {
        let challenger = Challenger::new("https://h/.well-known/oauth-protected-resource/mcp".to_owned());
        let (status, header) = challenger.refuse(Refusal::Missing);
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        insta::assert_snapshot!(header.unwrap().to_str().unwrap(), @r#"Bearer scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="https://h/.well-known/oauth-protected-resource/mcp""#);
        let header = challenger.refuse(Refusal::Expired).1.unwrap();
        insta::assert_snapshot!(header.to_str().unwrap(), @r#"Bearer error="invalid_token", error_description="the access token has expired", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="https://h/.well-known/oauth-protected-resource/mcp""#);
        let header = challenger
            .step_up(ScopeSet::of(&[Scope::RunsRead]), ScopeSet::of(&[Scope::SpacesWrite]))
            .unwrap();
        insta::assert_snapshot!(header.to_str().unwrap(), @r#"Bearer error="insufficient_scope", error_description="the access token lacks the scope spaces:write", scope="runs:read spaces:write", resource_metadata="https://h/.well-known/oauth-protected-resource/mcp""#);
    }

    #[test]
    fn a_refusal_over_a_scope_that_is_held_says_so() {
        let held = ScopeSet::of(&[Scope::RunsRead, Scope::AgentsRead]);
        insta::assert_snapshot!(step_up_message(held, ScopeSet::of(&[Scope::RunsRead])), @"the platform asks for the scope runs:read although the access token holds it; sign in again");
        insta::assert_snapshot!(step_up_message(held, ScopeSet::EMPTY), @"the platform asks for a scope that it does not name; sign in again");
        insta::assert_snapshot!(step_up_message(held, ScopeSet::of(&[Scope::RunsRead, Scope::BillingRead])), @"the access token lacks the scope billing:read");
    }
}
