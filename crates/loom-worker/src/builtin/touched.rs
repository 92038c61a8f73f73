//! `touched`: waits for a file to be touched.

use super::instant::{DURATION_PATTERN, duration, optional, wrong_duration};
use super::{bad_param, text_param};
use crate::environment;
use crate::job::{BadParam, Ended, Job, Plugin, output, timeout};
use crate::notices::FileNotices;
use crate::stop::Wakeup;
use crate::sys::{self, Watched};
use loom_protocol::{AttemptOutput, PluginManifest};
use serde_json::{Map, Value, json};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the file is looked at where the kernel does not tell.
const POLL: Duration = Duration::from_millis(100);
/// How often it is looked at although the kernel tells: network folders change without a word.
const POLL_BESIDE: Duration = Duration::from_secs(1);

/// Emits `TRUE=1` once a file is touched, and nothing if it is not in time.
pub(crate) struct Touched(PluginManifest);

impl Touched {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Waits for a file to be touched: emits TRUE when it is, nothing if it is \
                not within the timeout."
                .to_owned(),
            outputs: vec![optional("TRUE")],
            params: Some(json!({
                "type": "object",
                "required": ["file"],
                "additionalProperties": false,
                "properties": {
                    "file": {
                        "description": "The file, which need not exist yet; a relative path starts \
                            from the workflow's folder.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "timeout": {
                        "description": "How long to wait: seconds, or a text such as `5m`. Without \
                            it the variable TIMEOUT counts; without that too, it waits for ever.",
                        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}],
                    },
                },
            })),
            ..PluginManifest::default()
        })
    }
}

impl Plugin for Touched {
    fn manifest(&self) -> &PluginManifest {
        &self.0
    }

    fn wrong_params(&self, params: &Map<String, Value>) -> Vec<BadParam> {
        wrong_duration(params, "timeout")
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let file =
            text_param(&job.params, "file")?.filter(|file| !file.is_empty()).ok_or_else(|| {
                bad_param("file", "parameter `file` is missing; name the file to wait for")
            })?;
        let path = job.request.base.join(file);
        // Watched before anything else is done: no touch from here on is missed.
        let watch = Watch::new(path);
        let end = patience(job)?.map(|patience| Instant::now() + patience);
        if wait(job, watch, end)? {
            job.log.line(&format!("{file} was touched"));
            return Ok(vec![output("TRUE", "1")]);
        }
        job.log.line(&format!("{file} was not touched in time"));
        Ok(Vec::new())
    }
}

/// How long the task says to wait.
fn patience(job: &Job) -> Result<Option<Duration>, BadParam> {
    if let Some(value) = job.params.get("timeout").filter(|value| !value.is_null()) {
        return duration(value, "timeout").map(Some);
    }
    match environment::variable(&job.request, "TIMEOUT") {
        Some(value) => duration(&value, "TIMEOUT").map(Some),
        None => Ok(None),
    }
}

/// A file being watched.
struct Watch {
    path: PathBuf,
    notices: Option<FileNotices>,
    before: Option<Seen>,
}

impl Watch {
    /// The notices begin before the state is taken, so that nothing falls between the two.
    fn new(path: PathBuf) -> Self {
        let notices = FileNotices::of(&path);
        let before = Seen::now(&path);
        Self { path, notices, before }
    }

    /// Whether the file was touched since the beginning.
    fn touched(&mut self) -> bool {
        if self.notices.as_mut().is_some_and(FileNotices::touched) {
            return true;
        }
        if self.notices.as_ref().is_none_or(FileNotices::lost) {
            self.notices = FileNotices::of(&self.path);
        }
        let now = Seen::now(&self.path);
        // That it has gone is no touch, but that it has come back is.
        now.is_some() && now != self.before
    }
}

/// Waits until the file is touched, or `end` has come.
fn wait(job: &Job, mut watch: Watch, end: Option<Instant>) -> Result<bool, Ended> {
    let wakeup = Wakeup::new().ok().map(Arc::new);
    let _guard = wakeup.as_ref().map(|wakeup| job.stop.wake(wakeup));
    loop {
        if watch.touched() {
            return Ok(true);
        }
        let now = Instant::now();
        if job.stop.asked().is_some() {
            return Err(Ended::Stopped);
        }
        if job.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(timeout(&job.request));
        }
        if end.is_some_and(|end| now >= end) {
            return Ok(false);
        }
        let notices = watch.notices.as_ref();
        let told = notices.is_some() && wakeup.is_some();
        let mut until = now + if told { POLL_BESIDE } else { POLL };
        for limit in [end, job.deadline].into_iter().flatten() {
            until = until.min(limit);
        }
        let mut watched = [
            notices.map_or(Watched::nothing(), |notices| Watched::readable(notices.fd())),
            wakeup.as_ref().map_or(Watched::nothing(), |wakeup| Watched::readable(wakeup.as_fd())),
        ];
        let _ = sys::poll(&mut watched, Some(until));
    }
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    file: (u64, u64),
    modified: (i64, i64),
}

impl Seen {
    /// The file as it is; `None` if there is none.
    fn now(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|found| Self {
            file: (found.dev(), found.ino()),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{job, request};
    use loom_protocol::StopHow;
    use std::fs::{self, File};

    /// Runs `touched` on a file `f`, which is `prepare`d before and `act`ed on after the first look.
    fn run(
        params: Value,
        prepare: impl FnOnce(&Path),
        act: impl FnOnce(&Path) + Send + 'static,
    ) -> Result<Vec<AttemptOutput>, Ended> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        prepare(&path);
        let mut request = request("touched", params);
        request.base = folder.path().to_owned();
        let job = job(request, folder.path());
        let watch = Watch::new(path.clone());
        let actor = std::thread::spawn(move || act(&path));
        let end = patience(&job).unwrap().map(|patience| Instant::now() + patience);
        let result = wait(&job, watch, end);
        actor.join().unwrap();
        result.map(|touched| if touched { vec![output("TRUE", "1")] } else { Vec::new() })
    }

    fn is_touched(prepare: impl FnOnce(&Path), act: impl FnOnce(&Path) + Send + 'static) -> bool {
        !run(json!({"file": "f", "timeout": 20}), prepare, act).unwrap().is_empty()
    }

    #[test]
    fn every_kind_of_touch_counts() {
        let make = |path: &Path| fs::write(path, "old").unwrap();
        assert!(is_touched(|_| (), |path| fs::write(path, "").unwrap()), "creation");
        assert!(is_touched(make, |path| fs::write(path, "new").unwrap()), "writing");
        let replace = |path: &Path| {
            let other = path.with_extension("new");
            fs::write(&other, "new").unwrap();
            fs::rename(other, path).unwrap();
        };
        assert!(is_touched(make, replace), "replacement");
        let old_time = |path: &Path| {
            let epoch = std::time::UNIX_EPOCH + Duration::from_secs(1);
            File::options().write(true).open(path).unwrap().set_modified(epoch).unwrap();
        };
        assert!(is_touched(make, old_time), "an old time");
        let same_tick = |path: &Path| {
            drop(File::options().append(true).open(path).unwrap());
        };
        assert!(is_touched(make, same_tick), "no change that a clock could tell");
    }

    #[test]
    fn without_a_touch_nothing_is_emitted() {
        let nothing = run(json!({"file": "f", "timeout": "30ms"}), |_| (), |_| ()).unwrap();
        assert!(nothing.is_empty());
        let removed = run(
            json!({"file": "f", "timeout": "30ms"}),
            |path| fs::write(path, "").unwrap(),
            |path| fs::remove_file(path).unwrap(),
        );
        assert!(removed.unwrap().is_empty());
    }

    #[test]
    fn a_folder_may_come_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/f");
        let job = job(request("touched", json!({})), folder.path());
        let watch = Watch::new(path.clone());
        let actor = std::thread::spawn(move || {
            fs::create_dir(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        });
        let end = Some(Instant::now() + Duration::from_secs(20));
        assert!(wait(&job, watch, end).unwrap());
        actor.join().unwrap();
    }

    #[test]
    fn the_variable_timeout_counts_and_stopping_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiting = request("touched", json!({"file": "f"}));
        crate::testing::input(&mut waiting, "TIMEOUT", json!("0.01"));
        waiting.base = folder.path().to_owned();
        let mut waiting = job(waiting, folder.path());
        assert_eq!(Touched::new().run(&mut waiting).unwrap(), []);
        let mut forever = request("touched", json!({"file": "f"}));
        forever.base = folder.path().to_owned();
        let mut forever = job(forever, folder.path());
        forever.stop.ask(StopHow::Gently);
        assert!(matches!(Touched::new().run(&mut forever), Err(Ended::Stopped)));
    }
}
