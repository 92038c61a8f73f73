//! `loom logs`: what the attempts of a run wrote.

mod here;
mod scribe;
mod there;

use crate::aim::HERE;
use crate::args::LogsArgs;
use crate::fault::{Ended, Fault, Outcome};
use crate::look::Look;
use crate::names::nearest_task;
use crate::place::{Attempt, Place, unreadable};
use crate::progress::label;
use crate::terminal::printable;
use crate::ui::{Ui, Voice};
use loom_core::{History, Plan, TaskIx, TaskRef};
use loom_protocol::{ErrorCode, ExitCode};
use scribe::{Scribe, Style};
use std::io::Read;

/// How much of a log is read at once.
const PIECE: usize = 1 << 16;

pub(crate) fn logs(args: &LogsArgs, mut place: Place, ui: &mut Ui) -> Outcome {
    if let (Place::Local(local), true) = (&mut place, args.follow) {
        local.stay()?;
    }
    let id = place.find(&args.run)?;
    let mut look = place.look(id)?;
    let wanted = Wanted::parse(args, look.history.run().plan(), &id.short())?;
    if !(args.follow && look.is_taken()) {
        wanted.check(&look.history, args)?;
    }
    if args.follow {
        match &mut place {
            Place::Local(local) => here::follow(local, &mut look, &wanted, ui)?,
            Place::Remote(remote) => there::follow(remote, &mut look, &wanted, ui)?,
        }
        return Ok(ExitCode::Success);
    }
    if !print(&mut place, &look, &wanted, ui)? {
        ui.remark("no output of it is kept");
    }
    Ok(ExitCode::Success)
}

/// Writes what there is. Answers with whether there was anything.
fn print(place: &mut Place, look: &Look, wanted: &Wanted, ui: &mut Ui) -> Result<bool, Ended> {
    let attempts = wanted.attempts(&look.history);
    let several = attempts.len() > 1;
    let style = if ui.voice == Voice::Json { Style::Json } else { Style::Raw };
    let mut wrote = false;
    let mut piece = vec![0; PIECE];
    for &attempt in &attempts {
        let Some(mut log) = place.log(look, attempt)? else { continue };
        let name = label(look.history.run().plan(), attempt.0);
        if several && ui.voice == Voice::Human {
            let head = format!("── {}  attempt {} ──", printable(&name), attempt.1);
            ui.print(&(ui.terminal.paint.bold(head) + "\n"))?;
        }
        let mut scribe = Scribe::new(name, attempt.1, style);
        loop {
            let count = log.read(&mut piece).map_err(|error| unreadable(&error))?;
            if count == 0 {
                break;
            }
            wrote = true;
            scribe.write(ui, &piece[..count])?;
        }
        scribe.end(ui)?;
    }
    Ok(wrote)
}

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

/// Whether an attempt has ended, as far as the journal tells.
fn has_ended(history: &History, (of, number): Attempt) -> bool {
    let mut attempts = history.task(of.task).attempts.iter();
    let found = attempts.find(|one| (one.item, one.number) == (of.item, number));
    found.is_some_and(|one| one.ended_at().is_some())
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
            None => fault.help(format!("`loom show{HERE} {run}` lists its tasks")),
        }
    })
}
