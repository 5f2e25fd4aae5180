//! What the client behind a request can do.

use rmcp::{RoleServer, model::ProtocolVersion, service::RequestContext};

/// Whether the request belongs to the revision without handshake, which has tasks and interim results.
pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Whether it shows forms to its user: without a mode named, it does (2025-11-25, "Elicitation", capabilities).
pub(crate) fn shows_forms(context: &RequestContext<RoleServer>) -> bool {
    let modes = context.client_capabilities().and_then(|able| able.elicitation);
    modes.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}
