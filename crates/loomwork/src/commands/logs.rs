//! `loom logs`: what the attempts of a run wrote.

use crate::args::{Global, LogsArgs};
use crate::bridge::log_name;
use crate::commands::ask::logs_of;
use crate::fault::{Ended, Fault, Outcome};
use crate::look::Look;
use crate::names::nearest_task;
use crate::progress::label;
use crate::store;
use crate::ui::{Ui, Voice};
use loom_core::{History, Plan, TaskIx, TaskRef};
use loom_protocol::{ErrorCode, ExitCode};
use loom_sqlite::SqliteStore;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often files and the journal are looked at while following. Nobody tells when the process that
/// has the run dies, or when its journal grows: the store is a file that several processes share. To
/// look costs two queries and a read of each log that is still written.
const LOOK: Duration = Duration::from_millis(100);
/// How much of a file is read at once.
const PIECE: usize = 1 << 16;

pub(crate) fn logs(args: &LogsArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    // Whoever follows must not keep others out.
    let open = if args.follow { store::open_run } else { store::look_at_run };
    let (mut store, id) = open(&path, &args.run)?;
    let mut look = Look::at(&mut store, id)?;
    let wanted = Wanted::parse(args, look.history.run().plan(), &id.short())?;
    let folder = logs_of(&path, id);
    if !(args.follow && look.is_taken()) {
        wanted.check(&look.history, args)?;
    }
    if args.follow {
        follow(&mut store, &mut look, &wanted, &folder, ui)?;
        return Ok(ExitCode::Success);
    }
    let attempts = wanted.attempts(&look.history);
    let several = attempts.len() > 1;
    let mut wrote = false;
    for attempt in &attempts {
        let Some(mut log) = Log::open(&folder, *attempt)? else { continue };
        let name = label(look.history.run().plan(), attempt.0);
        if several && ui.voice == Voice::Human {
            let head = format!("── {name}  attempt {} ──", attempt.1);
            ui.print(&(ui.terminal.paint.bold(head) + "\n"))?;
        }
        wrote |= log.copy(ui, &name, attempt.1, Style::whole(ui), true)?;
    }
    if !wrote {
        ui.remark("nothing was written");
    }
    Ok(ExitCode::Success)
}

/// An attempt of a task or item.
type Attempt = (TaskRef, u32);

/// Whose logs are wanted.
struct Wanted {
    task: Option<TaskRef>,
    attempt: Option<u32>,
}

impl Wanted {
    fn parse(args: &LogsArgs, plan: &Plan, run: &str) -> Result<Self, Fault> {
        let task = args.task.as_deref().map(|text| find(plan, text, run)).transpose()?;
        Ok(Self { task, attempt: args.attempt })
    }

    /// Whether an attempt that is asked for by its number was made.
    fn check(&self, history: &History, args: &LogsArgs) -> Result<(), Fault> {
        let Some(wanted) = self.attempt.filter(|_| self.attempts(history).is_empty()) else {
            return Ok(());
        };
        let all = Self { attempt: None, ..*self };
        let most = all.attempts(history).into_iter().map(|(_, number)| number).max();
        let of = args.task.as_deref().map_or("no task".to_owned(), |task| format!("task `{task}`"));
        let message = match &args.task {
            Some(_) => format!("{of} has no attempt {wanted}"),
            None => format!("{of} of the run has an attempt {wanted}"),
        };
        Err(Fault::new(ErrorCode::BadArgument, message).help(match most {
            Some(most) => format!("the last one is attempt {most}"),
            None => "nothing was attempted yet".to_owned(),
        }))
    }

    /// The attempts that started, in the order in which they did.
    fn attempts(&self, history: &History) -> Vec<Attempt> {
        let mut found = Vec::new();
        for (task, record) in history.tasks() {
            for attempt in &record.attempts {
                let of = TaskRef { task, item: attempt.item };
                if let Some(started) = attempt.started_at
                    && self.includes(of, attempt.number)
                {
                    found.push((started, (of, attempt.number)));
                }
            }
        }
        found.sort();
        found.into_iter().map(|(_, attempt)| attempt).collect()
    }

    fn includes(&self, of: TaskRef, number: u32) -> bool {
        let task = self.task.is_none_or(|wanted| {
            wanted.task == of.task && (wanted.item.is_none() || wanted.item == of.item)
        });
        task && self.attempt.is_none_or(|wanted| wanted == number)
    }
}

/// The task of this name, or the item `NAME[INDEX]`.
pub(crate) fn find(plan: &Plan, text: &str, run: &str) -> Result<TaskRef, Fault> {
    if let Some(task) = plan.find_task(text) {
        return Ok(TaskRef::whole(task));
    }
    let item = || {
        let (name, index) = text.strip_suffix(']')?.rsplit_once('[')?;
        let task: TaskIx = plan.find_task(name)?;
        Some(TaskRef::item(task, index.parse().ok()?))
    };
    item().ok_or_else(|| {
        let fault = Fault::new(ErrorCode::NoSuchTask, format!("run {run} has no task `{text}`"));
        match nearest_task(plan, text) {
            Some(name) => fault.help(format!("did you mean `{name}`?")),
            None => fault.help(format!("`loom show {run}` lists its tasks")),
        }
    })
}

/// How lines are written.
#[derive(Clone, Copy)]
enum Style {
    /// As they are.
    Raw,
    /// Behind the name of their task.
    Named,
    /// As JSON.
    Json,
}

impl Style {
    fn whole(ui: &Ui) -> Self {
        if ui.voice == Voice::Json { Self::Json } else { Self::Raw }
    }
}

/// A log that is being read.
struct Log {
    path: PathBuf,
    file: Option<File>,
    read: u64,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
}

impl Log {
    fn new(folder: &Path, (task, number): Attempt) -> Self {
        let path = folder.join(log_name(task, number));
        Self { path, file: None, read: 0, rest: Vec::new() }
    }

    fn open(folder: &Path, attempt: Attempt) -> Result<Option<Self>, Ended> {
        let mut log = Self::new(folder, attempt);
        Ok(log.is_there()?.then_some(log))
    }

    /// A log is made when the first byte comes.
    fn is_there(&mut self) -> Result<bool, Ended> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(self.unreadable(&error)),
            }
        }
        Ok(true)
    }

    fn unreadable(&self, error: &io::Error) -> Ended {
        Fault::machine(format!("cannot read the log {}", self.path.display()), error).into()
    }

    /// Writes what has come since; all of it if nothing more `is_over`. Answers with whether there
    /// was anything.
    fn copy(
        &mut self,
        ui: &mut Ui,
        name: &str,
        attempt: u32,
        style: Style,
        is_over: bool,
    ) -> Result<bool, Ended> {
        let mut wrote = false;
        loop {
            let mut piece = vec![0; PIECE];
            let count = match self.file.as_mut() {
                Some(file) => file
                    .seek(SeekFrom::Start(self.read))
                    .and_then(|_| file.read(&mut piece))
                    .map_err(|error| self.unreadable(&error))?,
                None => 0,
            };
            if count == 0 {
                break;
            }
            self.read += count as u64;
            self.rest.extend_from_slice(&piece[..count]);
            wrote = true;
            if let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') {
                let lines: Vec<u8> = self.rest.drain(..=end).collect();
                write_lines(ui, &lines, name, attempt, style)?;
            }
        }
        if is_over && !self.rest.is_empty() {
            let mut last = std::mem::take(&mut self.rest);
            last.push(b'\n');
            write_lines(ui, &last, name, attempt, style)?;
        }
        Ok(wrote)
    }
}

/// Writes whole lines.
fn write_lines(
    ui: &mut Ui,
    lines: &[u8],
    name: &str,
    attempt: u32,
    style: Style,
) -> io::Result<()> {
    let text = String::from_utf8_lossy(lines);
    match style {
        Style::Raw => ui.print(&text),
        Style::Named => {
            let head = ui.terminal.paint.cyan(format!("{name} │"));
            text.lines().try_for_each(|line| ui.print(&format!("{head} {line}\n")))
        }
        Style::Json => text.lines().try_for_each(|line| {
            ui.json(&json!({ "type": "log", "task": name, "attempt": attempt, "line": line }))
        }),
    }
}

/// Writes as attempts do, until the run has settled, or nobody is at work on it any more.
fn follow(
    store: &mut SqliteStore,
    look: &mut Look,
    wanted: &Wanted,
    folder: &Path,
    ui: &mut Ui,
) -> Result<(), Ended> {
    let mut open: BTreeMap<Attempt, Log> = BTreeMap::new();
    let style = if ui.voice == Voice::Json { Style::Json } else { Style::Named };
    loop {
        // The journal first: what it says has ended has written everything by now.
        look.catch_up(store)?;
        let state = look.history.run().state();
        let is_over =
            state.is_final() || !loom_store::QueryStore::run(store, look.summary.id)?.alive;
        for attempt in wanted.attempts(&look.history) {
            let record = look.history.task(attempt.0.task);
            let ended = record
                .attempts
                .iter()
                .find(|one| (one.item, one.number) == (attempt.0.item, attempt.1))
                .is_some_and(|one| one.ended_at().is_some());
            let log = open.entry(attempt).or_insert_with(|| Log::new(folder, attempt));
            if log.is_there()? {
                let name = label(look.history.run().plan(), attempt.0);
                log.copy(ui, &name, attempt.1, style, ended || is_over)?;
            }
        }
        ui.flush()?;
        if is_over {
            let short = look.summary.id.short();
            if !state.is_final() {
                ui.remark(&format!("nobody is at work on the run; go on: loom resume {short}"));
            }
            return Ok(());
        }
        std::thread::park_timeout(LOOK);
    }
}
