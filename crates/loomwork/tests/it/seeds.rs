//! The three workflows that the format comes from, as they were written, with stand-ins for the
//! programs and the service that they call.

use crate::harness::Loom;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A permission service that grants these, and counts how often it is asked.
fn service(granted: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/permissions", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            assert!(String::from_utf8_lossy(&body).contains("\"auth_token\""));
            counter.fetch_add(1, Ordering::SeqCst);
            let answer = format!("{{\"permissions\":{granted}}}");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.get_mut().write_all(text.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

#[test]
fn disk_monitoring_runs_as_it_is_written() {
    let loom = Loom::new()
        .file("w.yaml", include_str!("../../../loom-spec/tests/good/disk-monitoring.yaml"));
    let mut run = loom.start(&["run", "w.yaml", "--var", "TIMEOUT=10"]);
    run.until("✔ CMD");
    let loom = loom.file("semaphore.txt", "now");
    run.end().exits(0).says("✔ END");
    assert!(loom.read("space_report.txt").starts_with("Free space is "));
    assert!(!loom.read("space_report.txt").contains("$FREE_SPACE"));
}

#[test]
fn secured_disk_monitoring_asks_once_and_fails_closed() {
    let text = include_str!("../../../loom-spec/tests/good/secured-disk-monitoring.yaml");
    let loom = Loom::new().file("w.yaml", text).env("AUTH_TOKEN", "token-1");
    let (url, asked) = service(r#"["can_view_system","can_execute_commands"]"#);
    loom.loom(&["run", "w.yaml", "--permissions-url", &url]).exits(0).says("✔ SENSITIVE_CMD");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let (url, _) = service(r#"{"can_view_system":true,"can_execute_commands":false}"#);
    let said = loom.loom(&["run", "w.yaml", "--permissions-url", &url]).exits(1);
    said.says("✔ DF").says("✘ SENSITIVE_CMD").says("[L407]");
    loom.loom(&["run", "w.yaml"]).exits(1).says("✘ DF").says("[L407]").says("↷ SENSITIVE_CMD");
}

#[test]
fn the_parallel_data_pipeline_runs_as_it_is_written() {
    let text = include_str!("../../../loom-spec/tests/good/parallel-data-pipeline.yaml");
    let bin = "#!/bin/sh\ncase \"$1\" in\n\
        extract.py) echo RAW_DATA=raw.csv ;;\n\
        transform.py) echo CLEAN_DATA=clean-$RAW_DATA ;;\n\
        load.py) echo \"$@\" > loaded ;;\nesac\n";
    let aws = "#!/bin/sh\necho \"$@\" > copied\necho BACKUP_LOCATION=$4\n";
    let loom = Loom::new().file("w.yaml", text).script("bin/python", bin).script("bin/aws", aws);
    let path = format!("{}:{}", loom.path("bin").display(), std::env::var("PATH").unwrap());
    let (url, asked) = service(r#"["can_read_source","can_write_backup","can_write_db"]"#);
    let loom = loom.env("API_TOKEN", "t").env("PATH", &path).env("LOOM_PERMISSIONS_URL", &url);
    loom.loom(&["run", "w.yaml"]).exits(0).says("✔ load_data").says("✔ end");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(loom.read("loaded"), "load.py --input clean-raw.csv\n");
    assert_eq!(loom.read("copied"), "s3 cp raw.csv s3://backups/\n");
}
