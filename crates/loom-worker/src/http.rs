//! One HTTP exchange, with limits on its time, its redirects and the size of its answer.

use crate::sys;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

/// What to ask, and how much of an answer to take.
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    /// For all of it, from looking up the host to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The most bytes that the answer's body may have.
    pub(crate) max_body: u64,
    /// How many redirects to follow; the next one is the answer.
    pub(crate) max_redirects: u32,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// What `Retry-After` asks for.
    pub(crate) retry_after: Option<Duration>,
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It took too long.
    Timeout,
    /// The body is larger than asked for.
    TooLarge,
    /// The far side could not be reached, broke off, or does not speak HTTP.
    Connection(String),
    /// The certificates to trust are not known.
    Certificates(String),
}

/// Performs exchanges. Cheap to make, since many workers never ask anything, and to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    certificates: Option<Arc<Path>>,
    inner: Arc<OnceLock<Inner>>,
}

/// What the first exchange makes.
#[derive(Debug)]
struct Inner {
    agent: ureq::Agent,
    /// Why nothing can be asked by `https`.
    distrusts: Option<String>,
}

impl Client {
    /// One that trusts the certificates of this file, in PEM; without one, those of Mozilla's list,
    /// which is part of the program.
    pub(crate) fn new(certificates: Option<&Path>) -> Self {
        Self { certificates: certificates.map(Arc::from), inner: Arc::default() }
    }

    /// Performs one; returns when the answer is whole, or the time is over.
    pub(crate) fn exchange(&self, exchange: Exchange) -> Result<Answer, Trouble> {
        let inner = self.inner.get_or_init(|| Inner::new(self.certificates.as_deref()));
        inner.exchange(exchange)
    }
}

impl Inner {
    fn new(certificates: Option<&Path>) -> Self {
        let (roots, distrusts) = match certificates.map(read_certificates) {
            None => (RootCerts::WebPki, None),
            Some(Ok(roots)) => (RootCerts::new_with_certs(&roots), None),
            Some(Err(why)) => (RootCerts::new_with_certs(&[]), Some(why)),
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects_will_error(false)
            // A connection that the far side has meanwhile closed would look like a failure of this
            // attempt, so each exchange has its own.
            .max_idle_connections(0)
            .user_agent(concat!("loomwork/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Self { agent: config.into(), distrusts }
    }

    fn exchange(&self, exchange: Exchange) -> Result<Answer, Trouble> {
        let Exchange { method, uri, headers, body, timeout, max_body, max_redirects } = exchange;
        if let Some(why) = self.distrusts.as_ref().filter(|_| uri.scheme_str() == Some("https")) {
            return Err(Trouble::Certificates(why.clone()));
        }
        let loopback = is_loopback(&uri);
        let answered = match body {
            None => self.run(request(method, uri, headers, ()), timeout, max_redirects, loopback),
            Some(body) => {
                self.run(request(method, uri, headers, body), timeout, max_redirects, loopback)
            }
        };
        let mut response = answered.map_err(trouble)?;
        let retry_after = retry_after(response.headers());
        let body =
            response.body_mut().with_config().limit(max_body).read_to_vec().map_err(trouble)?;
        Ok(Answer { status: response.status().as_u16(), body, retry_after })
    }

    fn run(
        &self,
        request: Request<impl ureq::AsSendBody>,
        timeout: Duration,
        max_redirects: u32,
        loopback: bool,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let config = self.agent.configure_request(request);
        let mut config = config.timeout_global(Some(timeout)).max_redirects(max_redirects);
        if loopback {
            config = config.proxy(None);
        }
        self.agent.run(config.build())
    }
}

fn read_certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let shown = file.display();
    let text = std::fs::read(file)
        .map_err(|error| format!("the certificates in {shown} cannot be read: {error}"))?;
    let items = ureq::tls::parse_pem(&text).collect::<Result<Vec<_>, _>>();
    let items = items.map_err(|error| format!("{shown} is not a file of certificates: {error}"))?;
    let roots: Vec<_> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if roots.is_empty() {
        return Err(format!("{shown} holds no certificate in PEM"));
    }
    Ok(roots)
}

/// An address with everything that HTTP needs: `http` or `https`, and a host.
pub(crate) fn address(text: &str) -> Result<Uri, String> {
    let text = text.trim();
    if !text.contains("://") {
        return Err("it does not begin with http:// or https://".to_owned());
    }
    let uri: Uri = text.parse().map_err(|error| format!("it is not a URL: {error}"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        Some("http" | "https") | None => Err("it has no host".to_owned()),
        Some(scheme) => Err(format!("it begins with {scheme}:, not with http: or https:")),
    }
}

/// An address for people: without what may be secret in it.
pub(crate) fn shown(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{host}{}", uri.scheme_str().unwrap_or("http"), uri.path())
}

/// One header. The message does not repeat the value.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("`{name}` is not a header's name"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of `{name}` has characters that a header may not have"))?;
    Ok((name, value))
}

fn request<B>(method: Method, uri: Uri, headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn trouble(error: ureq::Error) -> Trouble {
    match error {
        ureq::Error::Timeout(_) => Trouble::Timeout,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Trouble::Timeout,
        ureq::Error::BodyExceedsLimit(_) => Trouble::TooLarge,
        ureq::Error::HostNotFound => Trouble::Connection("the host's name is not known".to_owned()),
        ureq::Error::Io(error) => unreached(error.to_string()),
        error => unreached(error.to_string()),
    }
}

/// The error of TLS comes wrapped by others, so its text tells.
fn unreached(why: String) -> Trouble {
    Trouble::Connection(if why.contains("invalid peer certificate") {
        format!("{why}; if that is as it should be, set SSL_CERT_FILE to what it is signed by")
    } else {
        why
    })
}

/// What `Retry-After` asks for: seconds, or a date, taken relative to the answer's own `Date`, so
/// that the two clocks need not agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = date_seconds(wanted)?;
    let now =
        text(header::DATE).and_then(date_seconds).unwrap_or_else(|| sys::now_micros() / 1_000_000);
    Some(Duration::from_secs(then.saturating_sub(now)))
}

/// Seconds since the epoch of an HTTP date in the one form that may still be sent:
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date_seconds(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut words = rest.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month_name = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month_name)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    let sound = (1970..=9999).contains(&year)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && words.next().is_none();
    if !sound {
        return None;
    }
    // Days since the epoch, with years that begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_answers_clock() {
        let asked = |pairs: &[(HeaderName, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            retry_after(&headers.collect()).map(|wait| wait.as_secs())
        };
        let (after, date) = (header::RETRY_AFTER, header::DATE);
        let noon = "Fri, 21 Nov 2025 12:00:00 GMT";
        assert_eq!(asked(&[(after.clone(), "120")]), Some(120));
        assert_eq!(asked(&[(after.clone(), "soon")]), None);
        assert_eq!(asked(&[]), None);
        assert_eq!(
            asked(&[(after.clone(), "Fri, 21 Nov 2025 12:01:30 GMT"), (date.clone(), noon)]),
            Some(90)
        );
        let past = "Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(asked(&[(after.clone(), past), (date, noon)]), Some(0));
        assert_eq!(asked(&[(after, past)]), Some(0));
    }

    #[test]
    fn dates_become_seconds() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("", None),
        ] {
            assert_eq!(date_seconds(text), seconds, "{text}");
        }
    }

    #[test]
    fn addresses_are_checked_and_shown_without_secrets() {
        let uri = address("https://user:pass@example.org:8443/a/b?key=1").unwrap();
        assert_eq!(shown(&uri), "https://example.org:8443/a/b");
        for (text, why) in [
            ("example.org/x", "does not begin with"),
            ("ftp://example.org", "begins with ftp:"),
            ("http://exa mple", "not a URL"),
            ("", "does not begin with"),
        ] {
            let error = address(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn only_loopback_hosts_bypass_proxies() {
        for (text, loopback) in [
            ("http://localhost:1/", true),
            ("http://127.0.0.9/", true),
            ("http://[::1]:80/", true),
            ("http://example.org/", false),
            ("http://localhost.example.org/", false),
        ] {
            assert_eq!(is_loopback(&address(text).unwrap()), loopback, "{text}");
        }
    }
}
