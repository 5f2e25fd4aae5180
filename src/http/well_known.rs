//! OAuth discovery: where clients learn what this resource is and who signs users in.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{DOCUMENTATION, Edge};
use crate::auth::{Authenticator, metadata_urls};

/// RFC 9728 section 2, the members we have something to say about.
#[derive(Serialize)]
struct ResourceMetadata<'a> {
    resource: &'a str,
    authorization_servers: Vec<&'a str>,
    scopes_supported: &'a [String],
    bearer_methods_supported: [&'static str; 1],
    resource_name: &'static str,
    resource_documentation: &'static str,
}

/// The document of the bare origin, which monitors and older clients read.
pub(super) async fn origin_resource(State(edge): State<Arc<Edge>>) -> Response {
    document(&edge.authenticator, edge.public.origin())
}

/// The document of the endpoint: challenges point here, and `resource` is the URL users configure.
pub(super) async fn endpoint_resource(State(edge): State<Arc<Edge>>) -> Response {
    document(&edge.authenticator, &edge.public.endpoint())
}

fn document(authenticator: &Authenticator, resource: &str) -> Response {
    let metadata = ResourceMetadata {
        resource,
        authorization_servers: authenticator.issuers().collect(),
        scopes_supported: &authenticator.offered_scopes(),
        bearer_methods_supported: ["header"],
        resource_name: "Sequentum",
        resource_documentation: DOCUMENTATION,
    };
    cacheable(Json(metadata).into_response())
}

/// Not a copy: the issuer in a document must equal the origin it is fetched from (RFC 8414 section 3.3), so clients
/// are sent to the issuer's own. Temporary, because the target depends on the configuration.
pub(super) async fn authorization_server(State(edge): State<Arc<Edge>>) -> Response {
    let own = metadata_urls(&edge.public.issuer).ok().and_then(|urls| urls.into_iter().next());
    let location = own.and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    let Some(location) = location else { return StatusCode::NOT_FOUND.into_response() };
    cacheable((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

fn cacheable(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
