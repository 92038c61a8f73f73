//! How many connections each address has.

use crate::access::Client;
use crate::network::{Network, among};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections that are open, by address; of IPv6, by networks of 64 bits.
pub(super) struct Crowd {
    most: usize,
    /// Who speaks for many, and has no limit.
    proxies: Vec<Network>,
    present: Mutex<HashMap<Client, usize>>,
}

/// A connection among those of its address; given back when it is dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    client: Option<Client>,
}

impl Crowd {
    pub(super) fn new(most: usize, proxies: Vec<Network>) -> Arc<Self> {
        Arc::new(Self { most, proxies, present: Mutex::default() })
    }

    /// `None` if the address has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        if among(&self.proxies, address) {
            return Some(Place { crowd: Arc::clone(self), client: None });
        }
        let client = Client::address(address);
        let mut present = self.present();
        let count = present.entry(client.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), client: Some(client) })
    }

    fn present(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(client) = &self.client else { return };
        let mut present = self.crowd.present();
        match present.get_mut(client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(present.remove(client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_a_proxy_any_number() {
        let crowd = Crowd::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let (one, two) = (enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap());
        assert!(enter("192.0.2.1").is_none());
        let other = enter("192.0.2.2").unwrap();
        let proxied: Vec<_> = (0..9).map(|_| enter("10.1.2.3").unwrap()).collect();
        drop(one);
        let three = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        drop((two, three, other, proxied));
        assert!(crowd.present().is_empty());
    }
}
