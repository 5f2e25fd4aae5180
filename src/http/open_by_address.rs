//! How much of something is open at a time, by the address that it came from.

use std::{
    collections::{HashMap, hash_map},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::client_addr::ClientAddress;

/// Counts by address. Knows addresses with something open only, so it needs no other bound. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenByAddress(Arc<Mutex<HashMap<ClientAddress, usize>>>);

/// Something open, until this is dropped.
#[derive(Debug)]
pub(super) struct Opened {
    table: OpenByAddress,
    address: ClientAddress,
    /// How many of the address were open before it.
    pub others: usize,
}

impl OpenByAddress {
    /// One more of this address.
    pub(super) fn begin(&self, address: ClientAddress) -> Opened {
        let mut open = self.lock();
        let count = open.entry(address).or_default();
        let others = *count;
        *count += 1;
        drop(open);
        Opened { table: self.clone(), address, others }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientAddress, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let hash_map::Entry::Occupied(mut entry) = self.table.lock().entry(self.address) {
            *entry.get_mut() = entry.get().saturating_sub(1);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn each_address_is_counted_for_itself_and_forgotten_with_its_last() {
        let table = OpenByAddress::default();
        let address = |text: &str| ClientAddress::keyed(text.parse::<IpAddr>().unwrap());
        let first = table.begin(address("2001:db8::1"));
        let second = table.begin(address("2001:db8::2"));
        let other = table.begin(address("192.0.2.1"));
        assert_eq!([first.others, second.others, other.others], [0, 1, 0]);
        drop(first);
        assert_eq!(table.begin(address("2001:db8::3")).others, 1);
        drop((second, other));
        assert!(table.lock().is_empty());
    }
}
