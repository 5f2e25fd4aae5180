//! Where more is to be had: links to resources that stand beside a result.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::untrusted;
use crate::{
    api::{
        ids::{AgentId, RunId},
        model::is_finished,
    },
    resources::ResourceUri,
};

/// Most links beside one result; a model reads each of them.
const MAX: usize = 10;

/// A link to a resource of this server (2025-06-18, `ResourceLink`), as it is written on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "resource_link", rename_all = "camelCase")]
pub struct Link {
    /// The resource.
    #[serde(serialize_with = "as_text")]
    pub uri: ResourceUri,
    /// The name of the file, or what kind of resource it is.
    pub name: String,
    /// Media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Size in bytes, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was last changed, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Modified>,
}

/// The one annotation that links carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Modified {
    /// A time stamp, as the platform says it.
    pub last_modified: String,
}

fn as_text<S: serde::Serializer>(uri: &ResourceUri, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(uri)
}

/// The links of one call, collected while it runs. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Links(Arc<Mutex<Vec<Link>>>);

impl Links {
    /// Links to a resource under the name of its kind.
    pub fn add(&self, uri: ResourceUri) {
        let kind = uri.kind();
        self.push(Link {
            uri,
            name: kind.name.to_owned(),
            mime_type: kind.media_type.map(str::to_owned),
            size: None,
            annotations: None,
        });
    }

    /// Links to what is wanted next of a run: its files when it has ended well, the diagnosis when it has failed, and
    /// its state, which can be subscribed to, while it goes on.
    pub fn add_next_of(&self, agent: AgentId, run: RunId, status: Option<i64>) {
        self.add(match status {
            Some(6 | 7) => ResourceUri::RunDiagnostics { agent, run },
            Some(status) if is_finished(status) => ResourceUri::RunFiles { agent, run },
            _ => ResourceUri::Run { agent, run },
        });
    }

    /// Links to a file of a run.
    pub fn add_file(&self, uri: ResourceUri, name: &str, size: Option<i64>, created: Option<&str>) {
        let name = untrusted::clean(name);
        self.push(Link {
            uri,
            mime_type: mime_guess::from_path(&name).first().map(|guess| guess.essence_str().to_owned()),
            name,
            size: size.and_then(|size| u64::try_from(size).ok()),
            annotations: created.map(|created| Modified { last_modified: created.to_owned() }),
        });
    }

    pub(super) fn take(&self) -> Vec<Link> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, link: Link) {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() < MAX {
            links.push(link);
        }
    }
}
