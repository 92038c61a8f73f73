//! `loom config`, and settings in force.

use super::harness::Server;
use crate::harness::Loom;
use serde_json::Value;

fn setting(loom: &Loom, args: &[&str], key: &str) -> (Value, Value) {
    let said = loom.loom(&[&["--json", "config"], args].concat()).exits(0);
    let document = said.json().remove(0);
    let list = document["settings"].as_array().unwrap();
    let found = list.iter().find(|it| it["key"] == key).unwrap();
    (found["value"].clone(), found["origin"].clone())
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let loom = Loom::new();
    let key = "server.listen";
    assert_eq!(setting(&loom, &[], key), ("127.0.0.1:7420".into(), "default".into()));
    std::fs::write(loom.path("c.toml"), "\n[server]\nlisten = '127.0.0.1:1'\n").unwrap();
    let file = ["--config", "c.toml"];
    assert_eq!(setting(&loom, &file, key), ("127.0.0.1:1".into(), "c.toml:3".into()));
    let loom = loom.env("LOOM_SERVER_LISTEN", "127.0.0.1:2").env("LOOM_CONFIG", "c.toml");
    assert_eq!(setting(&loom, &[], key), ("127.0.0.1:2".into(), "LOOM_SERVER_LISTEN".into()));
    let flag = ["--listen", "127.0.0.1:3"];
    assert_eq!(setting(&loom, &flag, key), ("127.0.0.1:3".into(), "--listen".into()));
    loom.loom(&["config"]).exits(0).says("127.0.0.1:2").warns("c.toml");
}

#[test]
fn the_file_in_the_configuration_folder_is_found_and_holds_for_every_command() {
    let loom = Loom::new();
    std::fs::create_dir_all(loom.path("config/loom")).unwrap();
    std::fs::write(loom.path("config/loom/loom.toml"), "store = 'here.db'\n").unwrap();
    let folder = loom.path("config");
    let loom = loom.env("XDG_CONFIG_HOME", folder.to_str().unwrap()).env("LOOM_STORE", "");
    loom.loom(&["token", "create", "ci", "--role", "admin"]).exits(0).says("loom_");
    assert!(loom.path("config/loom/here.db").exists());
    loom.loom(&["list"]).exits(0);
    std::fs::write(loom.path("config/loom/loom.toml"), "stor = 'here.db'\n").unwrap();
    loom.loom(&["list"]).exits(2).warns("L717").warns("loom.toml:1").warns("did you mean `store`?");
    loom.loom(&["explain", "L717"]).exits(0);
}

#[test]
fn secrets_are_masked_and_mistakes_are_refused() {
    let loom = Loom::new();
    let secret = "a secret of thirty-two bytes or more";
    let said = loom.loom(&["config", "--jwt-secret", secret]).exits(0).says("***");
    assert!(!said.out.contains("thirty-two"));
    loom.loom(&["config", "--config", "nosuch.toml"]).exits(2).warns("L717");
    loom.loom(&["config", "--limits-request", "5"]).exits(2).warns("--limits-request");
    loom.loom(&["config", "--audit-days", "0"]).exits(2).warns("--audit-days");
    let loom = loom.env("LOOM_SERVER_ACCES", "true");
    loom.loom(&["config"]).exits(2).warns("L717").warns("LOOM_SERVER_ACCESS");
}

#[test]
fn a_server_that_stops_interrupts_what_takes_longer_than_it_waits() {
    let mut server = Server::with(Loom::new(), &["--limits-drain", "100ms"]);
    server.register(
        "
name: long
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'if [ -e began ]; then exit 0; fi; : > began; while [ -e $LOOM_STORE ]; do sleep 0.05; done' }
",
    );
    let run = server.begin("long");
    server.loom.until_file("began", "");
    server.stop();
    server.go_on();
    server.until(&run, "succeeded");
    let task = server.get(&format!("/api/v1/runs/{run}/tasks/wait")).expect(200);
    let results: Vec<&Value> =
        task["attempts"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
    assert_eq!(results, ["interrupted", "succeeded"]);
}
