//! What lives in a process group.

use crate::sys;

/// Whether a process group has members that still run. Those that have exited and wait to
/// be collected do not count: where nobody collects orphans, they stay for ever.
pub(crate) fn alive(group: u32) -> bool {
    sys::group_exists(group) && running_member(group)
}

fn running_member(group: u32) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    processes.flatten().any(|process| {
        let name = process.file_name();
        name.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
            && std::fs::read_to_string(process.path().join("stat"))
                .is_ok_and(|stat| member(&stat) == Some((group, true)))
    })
}

/// The process group in a line of `/proc/PID/stat`, and whether the process still runs.
fn member(stat: &str) -> Option<(u32, bool)> {
    // The name in parentheses may hold anything, parentheses included.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((group, !matches!(state, "Z" | "X")))
}

#[cfg(test)]
mod tests {
    use super::member;

    #[test]
    fn a_line_of_proc_stat() {
        assert_eq!(member("12 (a) b) R 1 34 34 0"), Some((34, true)));
        assert_eq!(member("12 (sh) Z 1 34 34 0"), Some((34, false)));
        assert_eq!(member("12 (sh"), None);
    }
}
