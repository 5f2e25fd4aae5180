//! Saved versions of an agent.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::Agent;

/// Versions kept per agent; the oldest make room.
const MOST_VERSIONS: usize = 40;

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: i32,
    pub(crate) user_name: &'static str,
    pub(crate) created: Timestamp,
    pub(crate) comments: Option<String>,
    pub(crate) file_size: i64,
}

/// Versions 1 to `newest`, spread over the time from `created` to `updated`, oldest first.
pub(crate) fn history(
    newest: i32,
    user_name: &'static str,
    created: Timestamp,
    updated: Timestamp,
) -> VecDeque<Version> {
    let age = updated.duration_since(created);
    let version = |number: i32| Version {
        number,
        user_name,
        // Exactly then, because an agent's last change is its newest version.
        created: if number == newest {
            updated
        } else {
            created.checked_add(age * (number - 1) / newest.max(1)).unwrap_or(created)
        },
        comments: match number % 3 {
            _ if number == 1 => Some("First version".to_owned()),
            0 => Some(format!("Follow layout change {}", number / 3)),
            _ => None,
        },
        file_size: 18_432 + i64::from(number) * 311,
    };
    (1..=newest).map(version).collect()
}

impl Agent {
    /// Puts a copy of an old version on top. False when there is no such version.
    pub(crate) fn restore(
        &mut self,
        number: i32,
        comments: String,
        user_name: &'static str,
        now: Timestamp,
    ) -> bool {
        let Some(old) = self.versions.iter().find(|version| version.number == number) else { return false };
        let file_size = old.file_size;
        self.version += 1;
        self.updated = now;
        if self.versions.len() >= MOST_VERSIONS {
            self.versions.pop_front();
        }
        let comments = Some(comments);
        self.versions.push_back(Version {
            number: self.version,
            user_name,
            created: now,
            comments,
            file_size,
        });
        true
    }
}
