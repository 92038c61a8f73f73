//! Whom a proxy speaks for.
//!
//! Each proxy appends the address that it was called from to a header. What stands there is worth as
//! much as whoever wrote it: it is read from the right, the last writer first, for as long as the
//! writers are proxies that are trusted. The first address that is none of theirs is the client's;
//! what stands left of it the client may have made up. One header alone is read, which the
//! configuration names: of the other, a proxy may pass on what a client sent.

use crate::network::{Network, among};
use axum::http::{HeaderMap, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The header in which proxies say whom they speak for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For: CLIENT, PROXY`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=CLIENT, for=PROXY` (RFC 7239)
    Forwarded,
}

impl FromStr for ProxyHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("it is `x-forwarded-for` or `forwarded`".to_owned()),
        }
    }
}

/// Where a request comes from that this address hands over.
pub(super) fn origin(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &[Network],
    header: ProxyHeader,
) -> IpAddr {
    let mut last = peer.to_canonical();
    let name = match header {
        ProxyHeader::XForwardedFor => "x-forwarded-for",
        ProxyHeader::Forwarded => "forwarded",
    };
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    // No address has a comma in it, so that one in quotes parts nothing that would be read.
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    while among(proxies, last) {
        let hop = hops.next().and_then(|hop| std::str::from_utf8(hop).ok());
        let hop = hop.and_then(|hop| match header {
            ProxyHeader::XForwardedFor => Some(hop),
            ProxyHeader::Forwarded => named_for(hop),
        });
        // A name, nothing, or nonsense: the proxy that wrote it is all that is known.
        let Some(address) = hop.and_then(|hop| address(hop.trim())) else { break };
        last = address;
    }
    last
}

/// The `for` of an element of `Forwarded`.
fn named_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        name.trim().eq_ignore_ascii_case("for").then_some(quoted.unwrap_or(value))
    })
}

/// `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:5`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|it| it.ip())).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn check(header: ProxyHeader, cases: &[(&str, &[&str], &str)]) {
        let proxies = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap());
        let name = HeaderName::from_static(match header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        });
        for (peer, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
            }
            // The other header is what a client might send.
            let other =
                ["x-forwarded-for", "forwarded"].into_iter().find(|it| *it != name.as_str());
            headers.append(other.unwrap(), HeaderValue::from_static("for=6.6.6.6"));
            let found = origin(peer.parse().unwrap(), &headers, &proxies, header);
            assert_eq!(found.to_string(), *expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        check(
            ProxyHeader::XForwardedFor,
            &[
                // Nobody but a proxy is believed.
                ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
                ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
                ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
                ("::1", &["2001:db8::7"], "2001:db8::7"),
                // Whatever the client sent stands further left.
                ("10.0.0.1", &["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
                ("10.0.0.1", &["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
                ("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
                ("10.0.0.1", &["10.0.0.9, 198.51.100.7"], "198.51.100.7"),
                // Nothing but proxies: the first of them.
                ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
                ("10.0.0.1", &[], "10.0.0.1"),
                // Who writes nonsense is all that is known.
                ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
                ("10.0.0.1", &["198.51.100.7, x, 10.0.0.2"], "10.0.0.2"),
                ("10.0.0.1", &["198.51.100.7,"], "10.0.0.1"),
                ("10.0.0.1", &["6.6.6.6, 198.51.100.7:4711"], "198.51.100.7"),
                ("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ],
        );
    }

    #[test]
    fn the_standard_header_is_read_in_the_same_way() {
        check(
            ProxyHeader::Forwarded,
            &[
                ("192.0.2.1", &["for=198.51.100.7"], "192.0.2.1"),
                ("10.0.0.1", &["for=6.6.6.6, for=198.51.100.7;proto=https"], "198.51.100.7"),
                ("10.0.0.1", &["proto=http; For=\"[2001:db8::7]:4711\""], "2001:db8::7"),
                ("10.0.0.1", &["for=198.51.100.7, for=10.0.0.2"], "198.51.100.7"),
                ("10.0.0.1", &["for=198.51.100.7, for=_hidden"], "10.0.0.1"),
                ("10.0.0.1", &["for=198.51.100.7, by=10.0.0.2"], "10.0.0.1"),
                // A quote that the client opens swallows nothing.
                ("10.0.0.1", &["for=\"6.6.6.6, for=198.51.100.7"], "198.51.100.7"),
                ("10.0.0.1", &["for=\"6.6.6.6", "for=198.51.100.7"], "198.51.100.7"),
            ],
        );
    }
}
