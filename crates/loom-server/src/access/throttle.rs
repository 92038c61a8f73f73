//! How often somebody may call: a bucket of permits for each client, refilled as time goes.

use loom_core::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many clients are remembered, in two generations. Who is forgotten has a full bucket.
const CLIENTS_MAX: usize = 65_536;

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// Whoever is known by this name.
    Known(String),
    /// Whoever calls from this address; of IPv6, from its network of 64 bits.
    Address(IpAddr),
}

impl Client {
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(std::net::Ipv6Addr::from_bits(network))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// A limit on calls.
pub(crate) struct Throttle {
    /// The time after which a permit comes back; zero for no limit.
    interval: Duration,
    /// How many permits a bucket holds.
    burst: u32,
    buckets: Mutex<Buckets>,
}

/// The buckets that were used lately, and those before them.
#[derive(Default)]
struct Buckets {
    young: HashMap<Client, Timestamp>,
    old: HashMap<Client, Timestamp>,
}

impl Throttle {
    /// So many calls in this time, all at once if they come so; 0 for any number.
    pub(crate) fn new(calls: u32, time: Duration) -> Self {
        let interval = if calls == 0 { Duration::ZERO } else { time / calls };
        Self { interval, burst: calls, buckets: Mutex::default() }
    }

    /// Whether a full bucket holds so many permits.
    pub(crate) const fn holds(&self, calls: u32) -> bool {
        self.interval.is_zero() || calls <= self.burst
    }

    /// Takes a permit, or says how long until there is one.
    pub(crate) fn take(&self, client: &Client, now: Timestamp) -> Result<(), Duration> {
        self.take_all(client, 1, now)
    }

    /// Takes so many permits, or none and says how long until there are that many. A bucket is kept
    /// as the time at which it is full again: the generic cell rate algorithm.
    pub(crate) fn take_all(
        &self,
        client: &Client,
        calls: u32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        if self.interval.is_zero() || calls == 0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.full_at(client).unwrap_or(now).max(now) + self.interval * calls;
        let over = (full_at - now).saturating_sub(self.interval * self.burst);
        if !over.is_zero() {
            return Err(over);
        }
        buckets.put(client.clone(), full_at);
        Ok(())
    }
}

impl Buckets {
    fn full_at(&self, client: &Client) -> Option<Timestamp> {
        self.young.get(client).or_else(|| self.old.get(client)).copied()
    }

    fn put(&mut self, client: Client, full_at: Timestamp) {
        if self.young.len() >= CLIENTS_MAX / 2 && !self.young.contains_key(&client) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(client, full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u32) -> Client {
        Client::Address(std::net::Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_burst_goes_through_and_then_the_rate_holds() {
        let throttle = Throttle::new(10, Duration::from_secs(1));
        let start = Timestamp::from_millis(5000);
        for _ in 0..10 {
            assert_eq!(throttle.take(&client(1), start), Ok(()));
        }
        assert_eq!(throttle.take(&client(1), start), Err(Duration::from_millis(100)));
        assert_eq!(throttle.take(&client(2), start), Ok(()));
        let later = start + Duration::from_millis(100);
        assert_eq!(throttle.take(&client(1), later), Ok(()));
        assert!(throttle.take(&client(1), later).is_err());
        let much_later = start + Duration::from_secs(9);
        let taken = (0..20).filter(|_| throttle.take(&client(1), much_later).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn many_are_taken_at_once_or_not_at_all() {
        let throttle = Throttle::new(10, Duration::from_secs(1));
        let now = Timestamp::from_millis(5000);
        assert_eq!(throttle.take_all(&client(1), 7, now), Ok(()));
        assert_eq!(throttle.take_all(&client(1), 5, now), Err(Duration::from_millis(200)));
        assert_eq!(throttle.take_all(&client(1), 3, now), Ok(()));
        assert!(throttle.take(&client(1), now).is_err());
        assert!(throttle.holds(10) && !throttle.holds(11));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let throttle = Throttle::new(0, Duration::from_secs(1));
        assert!((0..1000).all(|_| throttle.take(&client(1), Timestamp(0)).is_ok()));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_oldest() {
        let throttle = Throttle::new(1, Duration::from_secs(1));
        let now = Timestamp(1);
        for number in 0..200_000 {
            assert_eq!(throttle.take(&client(number), now), Ok(()));
        }
        let buckets = throttle.buckets.lock().unwrap();
        assert!(buckets.young.len() + buckets.old.len() <= CLIENTS_MAX);
        drop(buckets);
        assert!(throttle.take(&client(199_999), now).is_err());
    }

    #[test]
    fn neighbours_in_ipv6_are_one_client_and_mapped_addresses_are_ipv4() {
        let of = |text: &str| Client::address(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
