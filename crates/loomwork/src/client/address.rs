//! Where a server is, and what is asked of it there.

use crate::args::parse;
use std::fmt::{self, Write};
use std::net::IpAddr;
use ureq::http::Uri;

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Without a slash at its end.
    url: String,
    encrypted: bool,
    loopback: bool,
}

impl Address {
    /// Reads an address; says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = parse::endpoint(text)?.trim_end_matches('/').to_owned();
        let uri: Uri = url.parse().map_err(|error| format!("it is no address: {error}"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            // The rest may be secret.
            return Err(
                "an address holds no name and no password; a server is shown a token".into()
            );
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        Ok(Self { encrypted: uri.scheme_str() == Some("https"), loopback, url })
    }

    /// Whether others can read what goes there.
    pub(super) const fn is_open(&self) -> bool {
        !self.encrypted && !self.loopback
    }

    pub(super) const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// A path of the API; each part is one segment, whatever is in it.
pub(crate) fn path(parts: &[&str]) -> String {
    let mut path = "/api/v1".to_owned();
    for part in parts {
        path.push('/');
        encode(part, &mut path);
    }
    path
}

/// The path with parameters behind it.
pub(crate) fn query(mut path: String, parameters: &[(&str, String)]) -> String {
    for (at, (name, value)) in parameters.iter().enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path += name;
        path.push('=');
        encode(value, &mut path);
    }
    path
}

fn encode(text: &str, path: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_closed_to_others() {
        for (text, open) in [
            ("https://loom.example", false),
            ("http://127.0.0.1:7420/", false),
            ("http://127.8.8.8:7420", false),
            ("http://LOCALHOST", false),
            ("http://[::1]:7420", false),
            ("http://loom.example", true),
            ("http://localhost.example", true),
            ("http://10.0.0.1:7420", true),
            ("http://[fe80::1]:7420", true),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_open(), open, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_a_password() {
        for text in
            ["", "loom.example", "ftp://loom.example", "http://", "http://a b", "http://a?b"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        let why = Address::parse("https://ann:hunter2@loom.example").unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn names_are_one_segment_each() {
        assert_eq!(path(&["runs", "a/b", "ä ?#", ".."]), "/api/v1/runs/a%2Fb/%C3%A4%20%3F%23/..");
        let text = query(path(&["runs"]), &[("text", "a&b".into()), ("limit", "1".into())]);
        assert_eq!(text, "/api/v1/runs?text=a%26b&limit=1");
    }
}
