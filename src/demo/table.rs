//! A map that cannot grow without end: entries expire by the clock, and a full table lets go of the one that would
//! expire first.

use std::collections::HashMap;

use jiff::Timestamp;

/// Opaque string to `V`, with an expiry per entry.
#[derive(Debug)]
pub(crate) struct Table<V> {
    entries: HashMap<String, (Timestamp, V)>,
    capacity: usize,
}

impl<V> Table<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity }
    }

    /// Adds or replaces an entry that is there until `expires`.
    pub(crate) fn insert(&mut self, now: Timestamp, key: String, expires: Timestamp, value: V) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.entries.retain(|_, (expires, _)| *expires > now);
        }
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            let first = self.entries.iter().min_by_key(|(_, (expires, _))| *expires);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                self.entries.remove(&first);
            }
        }
        self.entries.insert(key, (expires, value));
    }

    pub(crate) fn get(&self, now: Timestamp, key: &str) -> Option<&V> {
        self.entries.get(key).filter(|(expires, _)| *expires > now).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, now: Timestamp, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|(expires, _)| *expires > now).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, now: Timestamp, key: &str) -> Option<V> {
        self.entries.remove(key).filter(|(expires, _)| *expires > now).map(|(_, value)| value)
    }

    /// All entries, those included that have expired and were not dropped yet.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.entries.retain(|_, (_, value)| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_entry_is_gone_at_its_expiry() {
        let mut table = Table::new(4);
        table.insert(at(0), "a".into(), at(10), 1);
        assert_eq!(table.get(at(9), "a"), Some(&1));
        assert_eq!(table.get(at(10), "a"), None);
        assert_eq!(table.remove(at(10), "a"), None);
    }

    #[test]
    fn a_full_table_drops_what_would_expire_first() {
        let mut table = Table::new(2);
        table.insert(at(0), "long".into(), at(100), 1);
        table.insert(at(0), "short".into(), at(10), 2);
        table.insert(at(0), "new".into(), at(50), 3);
        assert_eq!(table.get(at(1), "short"), None);
        assert_eq!(table.get(at(1), "long"), Some(&1));
        assert_eq!(table.get(at(1), "new"), Some(&3));
    }
}
