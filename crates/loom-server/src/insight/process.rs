//! Figures of the process, from `/proc`. Where there is none there are no figures.

use super::expose::Page;
use std::fs;

/// The kernel's unit of time in `/proc/self/stat`: the same on every Linux.
const TICKS: f64 = 100.0;

pub(super) fn write(page: &mut Page, started_at: f64) {
    let help = "When the server started, in seconds since 1970.";
    page.single("process_start_time_seconds", "gauge", help, started_at);
    if let Some(seconds) = cpu_seconds() {
        let help = "Processor time of the process.";
        page.single("process_cpu_seconds_total", "counter", help, seconds);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    if let Some(kib) = field("VmRSS:") {
        let help = "Memory of the process that is resident.";
        page.single("process_resident_memory_bytes", "gauge", help, kib * 1024);
    }
    if let Some(threads) = field("Threads:") {
        page.single("process_threads", "gauge", "Threads of the process.", threads);
    }
    if let Some(most) = open_files_max() {
        page.single("process_max_fds", "gauge", "The most open file descriptors.", most);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder that is being read.
        let count = open.count().saturating_sub(1);
        page.single("process_open_fds", "gauge", "Open file descriptors.", count);
    }
}

/// How many files the process may have open.
pub(crate) fn open_files_max() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name, which may hold anything but ends with the last bracket.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
