//! The pages a person sees. Everything a client says about itself is escaped, and no page runs a script.

use std::sync::Arc;

use axum::{
    extract::State as Extract,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use url::Url;

use super::{client, sign_in::Visit};
use crate::demo::{Login, seed::LOGINS, state::State};

const STYLE: &str = include_str!("pages.css");

/// Nothing but our own style sheet. There is no `form-action` on purpose: Chromium applies it to the redirects after a
/// form is posted as well, so it would block the way back to the client, whose own redirects nobody can foresee.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, STYLE).into_response()
}

fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href="/oauth/pages.css";
            }
            body {
                p.banner { strong { "Simulated platform" } " — demo accounts, made-up data, nothing real behind it" }
                main { (content) }
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, page.into_string()).into_response()
}

/// Whoever opens the platform itself learns what it is.
pub(super) async fn welcome(Extract(state): Extract<Arc<State>>) -> Response {
    page(
        StatusCode::OK,
        "Simulated Sequentum platform",
        &html! {
            h1 { "Simulated Sequentum platform" }
            p {
                "This is a stand-in for the Sequentum platform that runs inside " code { "sequentum-mcp" }
                ": its REST API, its sign-in and two made-up organisations whose agents and runs move with the clock."
            }
            dl {
                dt { "REST API" } dd { code { (state.issuer) "/api/v1" } }
                dt { "OAuth" }
                dd {
                    a href="/.well-known/oauth-authorization-server" { "authorization server metadata" } ", "
                    a href="/api/oauth/certs" { "signing keys" }
                }
            }
            (accounts())
        },
    )
}

/// The way back for browsers whose request is gone.
pub(super) fn expired() -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "Nothing to sign in for",
        &html! {
            h1 { "Nothing to sign in for" }
            p {
                "This request has expired, was already answered, or began in another browser. Go back to the \
                 application and connect again."
            }
        },
    )
}

pub(super) fn sign_in(
    status: StatusCode,
    visit: &Visit,
    request: &str,
    error: Option<&str>,
    username: &str,
) -> Response {
    page(
        status,
        "Sign in",
        &html! {
            h1 { "Sign in" }
            p { "to connect " strong { (client_name(visit)) } }
            @if let Some(error) = error { p.error role="alert" { (error) } }
            form method="post" action="/oauth/sign-in" {
                input type="hidden" name="request" value=(request);
                input type="hidden" name="csrf" value=(visit.csrf);
                label for="username" { "Username" }
                input #username name="username" type="text" autocomplete="username" autocapitalize="none"
                    spellcheck="false" required autofocus[error.is_none()] value=(username);
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" required
                    autofocus[error.is_some()];
                div.buttons { button.primary type="submit" { "Sign in" } }
            }
            (accounts())
        },
    )
}

pub(super) fn consent(visit: &Visit, request: &str, login: &Login) -> Response {
    let pending = &visit.pending;
    let destination = client::destination(&pending.redirect_uri);
    page(
        StatusCode::OK,
        "Allow access?",
        &html! {
            h1 { "Allow " (client_name(visit)) " access?" }
            p { "Signed in as " strong { (login.name) } " of " strong { (login.organization) } ". "
                a href={ "/oauth/sign-in?request=" (request) } { "Use another account" } }
            p { "It wants to:" }
            ul.scopes {
                @for scope in &pending.scopes {
                    li { (scope.in_words()) " " code { (scope.name()) } }
                }
            }
            dl {
                @if let Some(host) = id_host(&pending.client.id) {
                    dt { "Application published at" } dd { code { (host) } }
                } @else {
                    dt { "Application" } dd { "registered itself; its name is not verified" }
                }
                dt { "You will be sent to" }
                dd { strong { (destination) } br; code { (pending.redirect_uri) } }
                @if let Some(resource) = &pending.resource {
                    dt { "For use with" } dd { code { (resource) } }
                }
            }
            p.hint { "Allow this only if you have just tried to connect this application yourself." }
            form method="post" action="/oauth/consent" {
                input type="hidden" name="request" value=(request);
                input type="hidden" name="csrf" value=(visit.csrf);
                div.buttons {
                    button type="submit" name="decision" value="deny" { "Deny" }
                    button.primary type="submit" name="decision" value="allow" { "Allow" }
                }
            }
        },
    )
}

fn accounts() -> Markup {
    html! {
        section.accounts {
            h2 { "Demo accounts" }
            table {
                thead { tr { th { "Organisation" } th { "Username" } th { "Password" } } }
                tbody {
                    @for login in LOGINS {
                        tr {
                            td { (login.organization) }
                            td { code { (login.username) } }
                            td { code { (login.password) } }
                        }
                    }
                }
            }
        }
    }
}

/// What to call the client: its own name, else the host it is published at.
fn client_name(visit: &Visit) -> String {
    let client = &visit.pending.client;
    let host = || id_host(&client.id).unwrap_or_else(|| "an unnamed application".to_owned());
    client.name.clone().unwrap_or_else(host)
}

/// The host of a client id that is a URL: the one thing about it that cannot be made up.
fn id_host(id: &str) -> Option<String> {
    let url = Url::parse(id).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.host_str().map(str::to_owned)).flatten()
}
