//! How long requests take.

use super::client::storm;
use super::daemon::{Daemon, ONE, SLOW};
use super::figures::{rate, spread};

const CONNECTIONS: usize = 64;
const STARTS: usize = 50_000;
const RUNS: usize = 1000;
const GETS: usize = 5000;

/// Starting runs, as fast as it goes.
pub(crate) fn starts() {
    let daemon = Daemon::start();
    let start = |requests| {
        storm(daemon.host, CONNECTIONS, requests, |client, _| {
            client.send("POST", "/api/v1/runs", ONE);
        })
    };
    start(STARTS / 10);
    let before = daemon.spent();
    let (times, took) = start(STARTS);
    let spent = daemon.spent().saturating_sub(before);
    println!(
        "start a run, {CONNECTIONS} connections: {}, {}; {} µs of processor time each",
        rate(STARTS, took),
        spread(times),
        spent.as_micros() / STARTS as u128
    );
}

/// Reading runs while many execute.
pub(crate) fn gets() {
    let daemon = Daemon::start();
    let mut client = daemon.client();
    let ids: Vec<String> = (0..RUNS).map(|_| Daemon::begin(&mut client, SLOW)).collect();
    let (times, took) = storm(daemon.host, 4, GETS, |client, nth| {
        let id = &ids[nth * 7 % RUNS];
        client.send("GET", &format!("/api/v1/runs/{id}"), "");
    });
    let counts = daemon.client().send("GET", "/api/v1/runs/counts", "");
    let counts: serde_json::Value = serde_json::from_slice(&counts).unwrap();
    println!(
        "read a run, 4 connections, while {} runs execute: {}, {}",
        counts["by_state"]["running"],
        rate(GETS, took),
        spread(times)
    );
}
