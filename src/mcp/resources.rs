//! Resources to the protocol and back.

use data_encoding::BASE64;
use rmcp::{
    ErrorData,
    model::{
        Annotations, CacheScope, MetaObject, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate, Role,
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    CallScope, Shared,
    lists::Needs,
    tools::{self, Work},
};
use crate::{
    auth::step_up_message,
    resources::{JSON, KINDS, Kind, ResourceUri},
    tools::{Catalog, FileBody, FileContents, Progress, Reach, Row, Selection, file_contents},
};

/// The fixed resources, with what reading them needs.
pub(super) fn describe_fixed(catalog: &Catalog) -> Vec<(Needs, Resource)> {
    let fixed = KINDS.iter().filter(|kind| !kind.is_template());
    let describe = |kind: &Kind| {
        let mut resource = Resource::new(kind.template, kind.name)
            .with_title(kind.name)
            .with_description(kind.description)
            .with_annotations(for_both());
        resource.mime_type = kind.media_type.map(str::to_owned);
        (Needs::of(catalog.find(kind.tool)), resource)
    };
    fixed.map(describe).collect()
}

/// The templates, likewise.
pub(super) fn describe_templates(catalog: &Catalog) -> Vec<(Needs, ResourceTemplate)> {
    let templates = KINDS.iter().filter(|kind| kind.is_template());
    let describe = |kind: &Kind| {
        let mut template = ResourceTemplate::new(kind.template, kind.name)
            .with_title(kind.name)
            .with_description(kind.description)
            .with_annotations(for_both());
        template.mime_type = kind.media_type.map(str::to_owned);
        (Needs::of(catalog.find(kind.tool)), template)
    };
    templates.map(describe).collect()
}

fn for_both() -> Annotations {
    Annotations::default().with_audience(vec![Role::User, Role::Assistant])
}

/// The tool whose result a resource of this kind shows, if it is offered.
pub(super) fn offered<'a>(shared: &'a Shared, kind: &Kind, selection: Selection) -> Option<&'a Row> {
    shared.catalog.find(kind.tool).filter(|row| selection.admits(Reach::of(row)))
}

/// `resources/read`.
pub(super) async fn read(
    shared: &Shared,
    text: &str,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<ReadResourceResult, ErrorData> {
    let Some((uri, row)) = text
        .parse::<ResourceUri>()
        .ok()
        .and_then(|uri| Some((uri, offered(shared, uri.kind(), scope.selection)?)))
    else {
        scope.report("unknown_resource", None);
        return Err(not_found(text));
    };
    // The edge has checked this before dispatch; here it holds for whoever else may call.
    if !scope.caller.scopes().contains(row.scopes) {
        scope.report("insufficient_scope", None);
        return Err(ErrorData::invalid_request(step_up_message(scope.caller.scopes(), row.scopes), None));
    }
    let read = if let ResourceUri::RunFile { agent, run, file } = uri {
        let patience = shared.call_timeout;
        let cx = tools::context(shared, scope, Progress::default(), cancelled, patience);
        let read = async move { file_contents(&cx, agent, run, file).await };
        tools::guarded(Work::of(row, patience), read, cancelled, scope)
            .await
            .map(|file| file_in_words(text, file))
    } else {
        let reply = tools::attempt(shared, row, uri.arguments(), Progress::default(), cancelled, scope).await;
        reply.map(|reply| ResourceContents::text(reply.into_json(), text).with_mime_type(JSON))
    };
    match read {
        Ok(contents) => {
            scope.report("ok", None);
            // It is the caller's, and may have changed by the next time.
            Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
        }
        Err(error) if error.code() == "not_found" => {
            scope.report("not_found", None);
            Err(not_found(text))
        }
        Err(error) => Err(tools::protocol_error(scope, &error, json!({"uri": text}))),
    }
}

/// Nothing there, or nothing that this caller may see. The library gives it the code of the caller's era.
pub(super) fn not_found(uri: &str) -> ErrorData {
    // What cannot be one of ours is not repeated at length.
    let uri: String = uri.chars().take(200).collect();
    ErrorData::resource_not_found("There is no such resource.", Some(json!({"uri": uri})))
}

fn file_in_words(uri: &str, file: FileContents) -> ResourceContents {
    let contents = match file.body {
        FileBody::Text(text) => ResourceContents::text(text, uri),
        FileBody::Blob(bytes) => ResourceContents::blob(BASE64.encode(&bytes), uri),
    };
    let mut meta = MetaObject::new();
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            meta.0.insert(format!("com.sequentum/{name}"), value);
        }
    };
    tell("name", file.name.map(Value::String));
    tell("lastModified", file.created.map(Value::String));
    tell("truncated", file.truncated.then_some(Value::Bool(true)));
    contents.with_mime_type(file.media_type).with_meta(meta)
}
