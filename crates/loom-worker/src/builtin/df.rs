//! `df`: the device and the free space of a volume, without a `df` process.

use super::text_param;
use crate::job::{Ended, Job, Plugin, failure, output};
use crate::sys;
use loom_protocol::{AttemptOutput, ErrorCode, OutputSpec, PluginManifest};
use serde_json::json;
use std::path::Path;

/// Emits the device and the free space of the volume that a path is on.
pub(crate) struct Df(PluginManifest);

impl Df {
    pub(crate) fn new() -> Self {
        let output = |name: &str| OutputSpec { name: name.to_owned(), optional: false };
        let optional = super::instant::optional;
        Self(PluginManifest {
            description: "Emits MAIN_VOLUME, the device of a volume, and FREE_SPACE as `df -h` \
                prints it; of all its outputs, those that the task declares."
                .to_owned(),
            outputs: vec![
                output("MAIN_VOLUME"),
                output("FREE_SPACE"),
                optional("FREE_BYTES"),
                optional("TOTAL_BYTES"),
                optional("USED_PERCENT"),
            ],
            params: Some(json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "path": {
                        "description": "A path on the volume; `/` unless said otherwise. A relative \
                            path starts from the workflow's folder.",
                        "type": "string",
                        "minLength": 1,
                    },
                },
            })),
            required_permissions: vec!["can_view_system".to_owned()],
            ..PluginManifest::default()
        })
    }
}

impl Plugin for Df {
    fn manifest(&self) -> &PluginManifest {
        &self.0
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let shown = text_param(&job.params, "path")?.unwrap_or("/");
        let path = job.request.base.join(shown);
        let unknown = |error: &std::io::Error| {
            let message = format!(
                "the volume of `{shown}` cannot be looked at: {error}; give `params.path` a path \
                 that exists"
            );
            failure(ErrorCode::PluginFailed, message, false)
        };
        let path = path.canonicalize().map_err(|error| unknown(&error))?;
        let space = sys::space(&path).map_err(|error| unknown(&error))?;
        let used = space.total - space.free;
        let usable = used + space.available;
        let mut outputs = vec![
            output("MAIN_VOLUME", device(&path)),
            output("FREE_SPACE", human(space.available)),
            output("FREE_BYTES", space.available),
            output("TOTAL_BYTES", space.total),
            output("USED_PERCENT", (used * 100).div_ceil(usable.max(1))),
        ];
        let declared = &job.request.outputs;
        if !declared.is_empty() && !declared.iter().any(|name| name == "*") {
            outputs.retain(|output| declared.contains(&output.name));
        }
        for line in &outputs {
            job.log.line(&format!("{}={}", line.name, crate::environment::text(&line.value)));
        }
        Ok(outputs)
    }
}

/// A size as `df -h` prints it: powers of 1,024, rounded up, one decimal below 10.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let bytes = u128::from(bytes);
    let mut scale: u128 = 1;
    for (place, unit) in UNITS.iter().enumerate() {
        let whole = bytes.div_ceil(scale);
        if whole < 1024 || place == UNITS.len() - 1 {
            let tenths = (bytes * 10).div_ceil(scale);
            return if place > 0 && tenths < 100 {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            } else {
                format!("{whole}{unit}")
            };
        }
        scale *= 1024;
    }
    unreachable!("the last unit takes whatever is left")
}

/// The device of a path's volume, without `/dev/`.
fn device(path: &Path) -> String {
    let found = std::fs::read_to_string("/proc/self/mountinfo")
        .ok()
        .and_then(|mounts| device_in(&mounts, path));
    let device = found.unwrap_or_else(|| device_number(path));
    device.strip_prefix("/dev/").map(str::to_owned).unwrap_or(device)
}

/// The source of the innermost mount that holds the path; of two at one place, the later covers the
/// earlier.
fn device_in(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for line in mounts.lines() {
        // 36 35 98:0 /root /mount/point options tags… - type source options
        let (mount, source) = line.split_once(" - ")?;
        let point = unescape(mount.split(' ').nth(4)?);
        let depth = Path::new(&point).components().count();
        if path.starts_with(&point) && best.as_ref().is_none_or(|(found, _)| depth >= *found) {
            best = Some((depth, unescape(source.split(' ').nth(1)?)));
        }
    }
    best.map(|(_, source)| source)
}

/// Names the volume where no list of mounts is at hand.
fn device_number(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    path.metadata().map_or_else(|_| "unknown".to_owned(), |found| format!("device {}", found.dev()))
}

/// Undoes the `\040` of mountinfo.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) if byte == b'\\' => {
                bytes.push(code);
                rest = &after[3..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{job, request};

    #[test]
    fn sizes_are_printed_as_df_does() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10 * 1024, "10K"),
            (10 * 1024 - 1, "10K"),
            (1024 * 1024 - 1, "1.0M"),
            (32_500_000_000, "31G"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "\
            1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
            2 1 8:2 / /var rw shared:1 - xfs /dev/sdb rw\n\
            3 1 8:3 / /with\\040space rw - xfs /dev/my\\040disk rw\n\
            4 1 8:4 / /var rw - tmpfs none rw\n";
        for (path, source) in [
            ("/", "/dev/sda1"),
            ("/etc/x", "/dev/sda1"),
            ("/variable", "/dev/sda1"),
            ("/var/log", "none"),
            ("/with space/x", "/dev/my disk"),
        ] {
            assert_eq!(device_in(mounts, Path::new(path)).as_deref(), Some(source), "{path}");
        }
    }

    #[test]
    fn it_agrees_with_df() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(request("df", json!({})), folder.path());
        let outputs = Df::new().run(&mut job).unwrap();
        let df = std::process::Command::new("df").args(["--output=source", "/"]).output().unwrap();
        let source = String::from_utf8(df.stdout).unwrap().lines().nth(1).unwrap().to_owned();
        let source = source.strip_prefix("/dev/").unwrap_or(&source);
        assert_eq!(outputs[0].value, json!(source));
        assert!(outputs[2].value.as_u64().unwrap() > 0);
    }

    #[test]
    fn only_what_is_declared_is_emitted() {
        let folder = tempfile::tempdir().unwrap();
        let mut request = request("df", json!({}));
        request.outputs = vec!["FREE_SPACE".into(), "FREE_BYTES".into()];
        let outputs = Df::new().run(&mut job(request, folder.path())).unwrap();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names, ["FREE_SPACE", "FREE_BYTES"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(request("df", json!({"path": "no/such"})), folder.path());
        let Err(Ended::Failed(info)) = Df::new().run(&mut job) else { panic!("found") };
        assert!(info.message.contains("`no/such`"));
    }
}
