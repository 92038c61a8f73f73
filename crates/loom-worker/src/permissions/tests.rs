//! The permission client against a real server.

use super::*;
use crate::http::Client;
use crate::testserver::{Reply, Server};
use loom_protocol::{AttemptOutput, FailureInfo};

const SECRET: &str = "tok-4711-secret";

fn request(run: &str, permissions: &[&str], token: Option<&str>) -> AttemptRequest {
    let mut request = crate::testing::request("cmd", json!({}));
    request.id.run = run.to_owned();
    request.permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    if let Some(token) = token {
        let value = AttemptOutput { name: TOKEN.to_owned(), value: token.into(), secret: true };
        request.shared = Arc::new(vec![value]);
    }
    request
}

fn service(url: String) -> PermissionService {
    PermissionService::new(Some(url), Duration::from_secs(20), Client::new(None))
}

fn ask(service: &PermissionService, run: &str, names: &[&str]) -> Result<Vec<String>, FailureInfo> {
    let request = request(run, names, Some(SECRET));
    match authorise(&request, &PluginManifest::default(), service) {
        Ok(granted) => Ok(granted.into_iter().collect()),
        Err(Ended::Failed(info)) => {
            assert_eq!(info.code, ErrorCode::PermissionDenied);
            assert!(!info.message.contains(SECRET), "{}", info.message);
            Err(*info)
        }
        Err(Ended::Stopped) => panic!("stopped"),
    }
}

#[test]
fn lists_and_maps_are_understood_and_asked_for_once_per_run_and_token() {
    let server = Server::start(|received| {
        Reply::Answer(
            200,
            "",
            match received.line.as_str() {
                "POST /list HTTP/1.1" => r#"{"permissions": ["can_read", "can_view"]}"#.into(),
                _ => r#"{"permissions": {"can_read": true, "can_view": true, "can_fly": false}}"#
                    .into(),
            },
        )
    });
    for path in ["/list", "/map"] {
        let service = service(server.url(path));
        let before = server.received().len();
        for _ in 0..3 {
            assert_eq!(ask(&service, "r1", &["can_read"]).unwrap(), ["can_read", "can_view"]);
        }
        let missing = ask(&service, "r1", &["can_read", "can_fly"]).unwrap_err();
        assert!(missing.message.contains("the permission `can_fly`"), "{}", missing.message);
        assert!(!missing.retryable);
        assert_eq!(server.received().len(), before + 1, "one call for the run");
        ask(&service, "r2", &["can_read"]).unwrap();
        assert_eq!(server.received().len(), before + 2, "another run asks again");
    }
    let asked = &server.received()[0];
    assert_eq!(asked.body, format!("{{\"auth_token\":\"{SECRET}\"}}"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[test]
fn concurrent_askers_share_one_call() {
    let server = Server::start(|_| Reply::Answer(200, "", r#"{"permissions": ["a"]}"#.into()));
    let service = service(server.url("/"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| ask(&service, "r", &["a"]).unwrap());
        }
    });
    assert_eq!(server.received().len(), 1);
}

#[test]
fn whoever_needs_nothing_asks_nobody_and_whoever_has_no_token_gets_nothing() {
    let none = PermissionService::new(None, PERMISSION_TIMEOUT, Client::new(None));
    let manifest = PluginManifest::default();
    assert!(authorise(&request("r", &[], None), &manifest, &none).unwrap().is_empty());
    let text = |request: &AttemptRequest, manifest: &PluginManifest| match authorise(
        request, manifest, &none,
    ) {
        Err(Ended::Failed(info)) if !info.retryable => info.message,
        other => panic!("{other:?}"),
    };
    let tokenless = text(&request("r", &["a", "b"], None), &manifest);
    assert!(tokenless.contains("the permissions `a`, `b`, but sees no AUTH_TOKEN"), "{tokenless}");
    let serviceless = text(&request("r", &["a"], Some(SECRET)), &manifest);
    assert!(serviceless.contains("set LOOM_PERMISSIONS_URL"), "{serviceless}");
    let strict = PluginManifest {
        requires_auth: true,
        required_permissions: vec!["own".into()],
        ..PluginManifest::default()
    };
    assert!(text(&request("r", &[], None), &strict).contains("the permission `own`"));
    let lenient = PluginManifest { requires_auth: false, ..strict };
    assert!(authorise(&request("r", &[], None), &lenient, &none).unwrap().is_empty());
}

/// How one kind of bad answer is reported: part of the message, whether it may pass, and how many
/// calls two attempts make.
#[track_caller]
fn bad(answer: impl Fn() -> Reply + Send + Sync + 'static, part: &str, passes: bool) {
    let server = Server::start(move |_| answer());
    let service = service(server.url("/"));
    for _ in 0..2 {
        let info = ask(&service, "r", &["a"]).unwrap_err();
        assert!(info.message.contains(part), "{}", info.message);
        assert_eq!(info.retryable, passes, "{}", info.message);
    }
    assert_eq!(server.received().len(), if passes { 2 } else { 1 }, "{part}");
}

#[test]
fn every_bad_answer_denies_and_says_which_it_was() {
    let answer = |status, headers, body: &'static str| {
        move || Reply::Answer(status, headers, body.to_owned())
    };
    bad(answer(401, "", ""), "rejected AUTH_TOKEN (HTTP 401)", false);
    bad(answer(403, "", ""), "rejected AUTH_TOKEN (HTTP 403)", false);
    bad(answer(404, "", ""), "answered HTTP 404", false);
    bad(answer(500, "", r#"{"permissions": ["a"]}"#), "answered HTTP 500", true);
    bad(answer(503, "Retry-After: 7\r\n", ""), "answered HTTP 503", true);
    bad(answer(307, "Location: http://127.0.0.1:1/\r\n", ""), "redirects (HTTP 307)", false);
    for garbage in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"permissions": "a"}"#,
        r#"{"permissions": [1]}"#,
        r#"{"permissions": {"a": "yes"}}"#,
        r#"{"permissions": ["a"]"#,
        r#"{"permissions": [], "permissions": ["a"]}"#,
        r#"{"permissions": {"a": false, "a": true}}"#,
    ] {
        bad(answer(200, "", garbage), "something other than", false);
    }
    let huge = || Reply::Answer(200, "", " ".repeat(MAX_BODY as usize + 1));
    bad(huge, "more than 1048576 bytes", false);
    bad(|| Reply::Raw(b"SSH-2.0-nonsense\r\n\r\n".to_vec()), "cannot be reached", true);
    bad(|| Reply::Raw(Vec::new()), "cannot be reached", true);
}

#[test]
fn silence_is_a_time_out_and_a_closed_port_a_failed_connection() {
    let server = Server::start(|_| Reply::Hang);
    let silent =
        PermissionService::new(Some(server.url("/")), Duration::from_millis(50), Client::new(None));
    let info = ask(&silent, "r", &["a"]).unwrap_err();
    assert!(info.message.contains("did not answer within 0.05 s"), "{}", info.message);
    assert!(info.retryable);
    let url = server.url("/");
    drop(server);
    let info = ask(&service(url), "r", &["a"]).unwrap_err();
    assert!(info.message.contains("cannot be reached"), "{}", info.message);
    assert!(info.retryable);
}

#[test]
fn a_wish_to_wait_is_passed_on_and_a_recovered_service_is_asked_again() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server =
        Server::start(move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Reply::Answer(503, "Retry-After: 7\r\n", String::new()),
            _ => Reply::Answer(200, "", r#"{"permissions": ["a"]}"#.into()),
        });
    let service = service(server.url("/"));
    let info = ask(&service, "r", &["a"]).unwrap_err();
    assert_eq!(info.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(ask(&service, "r", &["a"]).unwrap(), ["a"]);
}

#[test]
fn credentials_in_the_services_address_are_not_shown() {
    let service = service("http://user:pa55@127.0.0.1:1/x?key=k3y".to_owned());
    let message = ask(&service, "r", &["a"]).unwrap_err().message;
    assert!(!message.contains("pa55") && !message.contains("k3y"), "{message}");
    for url in ["permissions.example.org", "file:///etc/passwd", "http://"] {
        let service =
            super::PermissionService::new(Some(url.into()), PERMISSION_TIMEOUT, Client::new(None));
        let info = ask(&service, "r", &["a"]).unwrap_err();
        assert!(info.message.contains("address is wrong"), "{}", info.message);
        assert!(!info.retryable);
    }
}
