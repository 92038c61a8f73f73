//! Very many who listen and say nothing.

use super::access::HELLO;
use super::harness::Server;
use super::page::Page;
use super::raw::Raw;
use crate::harness::Loom;
use crate::watch::eventually;
use std::fs;
use std::process::Command;

/// How many they are.
const READERS: usize = 1000;
/// How many files that takes: the sockets of one side, and some.
const FILES: usize = 2 * READERS;

/// Lets a process open enough files.
fn let_open(pid: u32) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let soft = line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    if soft < FILES {
        let limit = format!("--nofile={FILES}:");
        let raised = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status();
        assert!(raised.unwrap().success());
    }
}

fn resident(server: &Server) -> f64 {
    let page = server.get("/metrics");
    assert_eq!(page.status, 200);
    Page::read(&page.text).sum("process_resident_memory_bytes", &[])
}

#[test]
fn a_thousand_idle_readers_cost_little_and_each_hears_what_happens() {
    let server = Server::with(Loom::new(), &["--limits-headers", "1m"]);
    let_open(server.pid());
    let_open(std::process::id());
    server.register(HELLO);
    let before = resident(&server);
    let mut readers: Vec<Raw> = (0..READERS)
        .map(|_| {
            let mut raw = Raw::connect(server.address());
            let path = "/api/v1/events?types=run.finished";
            raw.request("GET", path, &[("host", "localhost")], "");
            assert_eq!(raw.reply().unwrap().status, 200);
            raw
        })
        .collect();
    let status = server.get("/health/status").expect(200);
    assert_eq!(status["streams"], READERS);
    let grown = resident(&server) - before;
    assert!(grown < 100e6, "{} MB for {READERS} readers", grown / 1e6);
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    for reader in &mut readers {
        reader.line("event: run.finished");
        assert!(reader.line("data:").contains(&run));
    }
    drop(readers);
    eventually("all readers are gone", || {
        (server.get("/health/status").expect(200)["streams"] == 0).then_some(())
    });
}
