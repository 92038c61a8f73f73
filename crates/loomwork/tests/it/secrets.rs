//! Secrets are nowhere to be seen.

use crate::harness::Loom;
use std::fs;
use std::path::Path;

const SECRET: &str = "s3cr3t-\"quoted\"-value";

#[test]
fn a_secret_is_in_no_output_no_log_and_no_readable_byte_of_the_store() {
    let loom = Loom::with(
        r#"
name: s
env: { API_TOKEN: "{{ENV:API_TOKEN}}" }
secrets: [PIN]
tasks:
  - name: show
    plugin: cmd
    outputs: [COPY]
    params: { command: 'echo "token: $API_TOKEN"; echo "COPY=$API_TOKEN"; echo "$API_TOKEN" >&2' }
  - { name: pin, plugin: cmd, outputs: [PIN], params: { command: "cat pin >> $LOOM_OUTPUT" } }
  - { name: use, plugin: cmd, inputs: [PIN, COPY], params: { command: 'echo "$PIN $COPY" > seen; exit 1' } }
  - { name: tell, plugin: cmd, inputs: [PIN], params: { command: 'echo "pin is $PIN"; exit 2' } }
"#,
    )
    .file("pin", "PIN=pin-94711\n")
    .env("API_TOKEN", SECRET);
    let mut said = Vec::new();
    for args in [
        &["run", "w.yaml"][..],
        &["run", "w.yaml", "--json"],
        &["run", "w.yaml", "--quiet"],
        &["show", "last"],
        &["show", "last", "--json"],
        &["list", "--json"],
        &["logs", "last"],
        &["retry", "last"],
        &["resolve", "last", "use", "--output", "COPY=x"],
    ] {
        let one = loom.loom(args);
        assert!(one.code == 0 || one.code == 1, "{args:?}: {one:?}");
        said.push((args.join(" "), one.out + &one.err));
    }
    assert_eq!(loom.read("seen"), format!("pin-94711 {SECRET}\n"));
    let escaped = SECRET.replace('"', "\\\"");
    nowhere(&loom, &said, &[SECRET, &escaped, "s3cr3t", "pin-94711"]);
}

#[test]
fn a_secret_in_a_longer_text_an_object_a_name_or_a_condition_is_hidden_too() {
    let loom = Loom::with(
        r#"
name: s
env:
  AUTH_HEADER: "Bearer {{ENV:API_TOKEN}}"
  DATABASE: "postgres://{{ENV:DB_USER}}:{{ENV:DB_PASSWORD}}@host/db"
  ODD_TOKEN: "{{ENV:ODD_TOKEN}}"
  OBJECT: { key: [objsecret1, { pin: 94711 }] }
secrets: [OBJECT]
tasks:
  - name: part
    plugin: cmd
    outputs: [PART]
    params: { command: 'echo "token: ${AUTH_HEADER#Bearer }"; echo "PART=${AUTH_HEADER#Bearer }"' }
  - { name: database, plugin: cmd, params: { command: 'echo "$DATABASE"; echo "$DATABASE" | cut -d: -f3; exit 1' } }
  - { name: odd, plugin: cmd, outputs: ["*"], params: { command: 'echo "$ODD_TOKEN"' } }
  - name: leaves
    plugin: cmd
    outputs: [LEAF]
    params: { command: 'cat leaves' }
    contract: { success: { properties: { LEAF: { type: integer } } } }
  - { name: asks, plugin: noop, inputs: [PART], when: "ODD_TOKEN > 3" }
"#,
    )
    .file("leaves", "objsecret1 and 94711\nLEAF=objsecret1\n")
    .env("API_TOKEN", "hunter2hunter2")
    .env("DB_USER", "postgres-user")
    .env("DB_PASSWORD", "pass-4711")
    .env("ODD_TOKEN", "c2VjcmV0Zm9vYmFyIQ==");
    let mut said = Vec::new();
    for args in [
        &["run", "w.yaml"][..],
        &["run", "w.yaml", "--json"],
        &["show", "last"],
        &["show", "last", "--json"],
        &["logs", "last"],
        &["why", "last"],
        &["why", "last", "asks"],
        &["why", "last", "leaves"],
    ] {
        let one = loom.loom(args);
        assert!(one.code == 0 || one.code == 1, "{args:?}: {one:?}");
        said.push((args.join(" "), one.out + &one.err));
    }
    assert!(said[0].1.contains("`ODD_TOKEN` is the text \"***\""), "{}", said[0].1);
    nowhere(&loom, &said, &["hunter2", "pass-4711", "c2VjcmV0Zm9vYmFyIQ", "objsecret1", "94711"]);
}

/// Asserts that no secret is in what was said, or in a readable byte of the store.
#[track_caller]
fn nowhere(loom: &Loom, said: &[(String, String)], secrets: &[&str]) {
    for (what, text) in said {
        hidden(what, text.as_bytes(), secrets);
    }
    each_file(&loom.path("store"), &mut |path, bytes| {
        hidden(&path.display().to_string(), bytes, secrets);
    });
}

#[track_caller]
fn hidden(what: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "`{secret}` is in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

fn each_file(folder: &Path, check: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, check);
        } else {
            check(&path, &fs::read(&path).unwrap());
        }
    }
}

#[test]
fn a_resumed_run_has_its_secrets_from_the_store() {
    let loom = Loom::with(
        r#"
name: s
env: { API_TOKEN: "{{ENV:API_TOKEN}}" }
tasks:
  - { name: a, plugin: cmd, params: { command: 'test -e ok && echo "$API_TOKEN" > seen' } }
"#,
    )
    .env("API_TOKEN", SECRET);
    loom.loom(&["run", "w.yaml"]).exits(1);
    let loom = loom.file("ok", "").env("API_TOKEN", "another");
    loom.loom(&["retry", "last"]).exits(0);
    assert_eq!(loom.read("seen"), format!("{SECRET}\n"));
}
