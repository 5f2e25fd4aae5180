//! The middleware stack, outermost first.

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use super::{Edge, access_log, cors, hosts, problem};

/// Puts the stack around the routes. What a layer refuses never reaches the ones below it.
pub(super) fn wrap(routes: Router, edge: Arc<Edge>) -> Router {
    routes.layer(
        ServiceBuilder::new()
            // 1. A request id, and one log line when the answer is ready.
            .layer(from_fn_with_state(Arc::clone(&edge), access_log::record))
            // 2. Answers differ by origin, and no browser may guess at content types.
            .layer(SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("Origin")))
            .layer(SetResponseHeaderLayer::if_not_present(
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ))
            // 3. A panic below becomes a 500 with the request id. (Tool calls have their own guard.)
            .layer(CatchPanicLayer::custom(problem::panicked))
            // 4. The Host header names this server (DNS rebinding).
            .layer(from_fn_with_state(Arc::clone(&edge), hosts::check))
            // 5. Preflights are answered, foreign origins refused; before anybody is asked for a token.
            .layer(from_fn_with_state(edge, cors::apply)),
    )
}
