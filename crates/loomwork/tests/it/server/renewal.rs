//! A certificate that is renewed while the server serves.

use super::harness::Server;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use ureq::Agent;

/// How long a connection may lie idle: longer than the server takes to see new files.
const PATIENCE: Duration = Duration::from_mins(10);

/// A client that trusts this certificate alone, and keeps its connection.
fn client(pem: &[u8]) -> Agent {
    let trusted = ureq::tls::Certificate::from_pem(pem).unwrap();
    let roots = ureq::tls::RootCerts::new_with_certs(&[trusted]);
    let trust = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let config = Agent::config_builder().tls_config(trust).max_idle_age(PATIENCE);
    config.build().new_agent()
}

#[test]
fn a_renewed_certificate_is_used_and_a_bad_one_is_told_and_not() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/server/tls");
    let of_worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-worker/tests/tls");
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
    let loom = Loom::new();
    let put = |certificate: &[u8], key: &[u8]| {
        fs::write(loom.path("a.pem"), certificate).unwrap();
        fs::write(loom.path("a.key"), key).unwrap();
    };
    put(&read(&of_worker, "server.pem"), &read(&of_worker, "server.key"));
    let args = ["--tls-certificate", "a.pem", "--tls-key", "a.key"];
    let server = Server::with(loom.beside(), &args);
    let status = |agent: &Agent| -> Option<Value> {
        let url = format!("https://{}/health/status", server.address());
        let text = agent.get(&url).call().ok()?.body_mut().read_to_string().ok()?;
        serde_json::from_str(&text).ok()
    };
    let old = client(&read(&of_worker, "authority.pem"));
    let new = client(&read(&tests, "other.pem"));
    let first = status(&old).unwrap()["tls"].clone();
    assert!(first["loaded_at"].is_string() && first["problem"].is_null(), "{first}");
    assert!(status(&new).is_none());

    put(&read(&tests, "other.pem"), &read(&tests, "other.key"));
    let renewed = eventually("the renewed certificate", || status(&new))["tls"].clone();
    assert_ne!(renewed["loaded_at"], first["loaded_at"]);
    // The connection that was open is not cut.
    assert!(status(&old).is_some());
    assert!(status(&client(&read(&of_worker, "authority.pem"))).is_none());

    put(b"nonsense", &read(&tests, "other.key"));
    let told = eventually("the problem", || {
        let problem = status(&new)?["tls"]["problem"].as_str()?.to_owned();
        Some(problem)
    });
    assert!(told.contains("a.pem"), "{told}");
    // Whoever looks may hear of it before it is in the log.
    eventually("a line in the log", || {
        server.said().contains("the certificate stays the old one").then_some(())
    });
    let another = client(&read(&tests, "other.pem"));
    assert_eq!(status(&another).unwrap()["tls"]["loaded_at"], renewed["loaded_at"]);
}
