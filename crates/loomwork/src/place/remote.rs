//! Runs behind a server.
//!
//! A run is read as what it began with and what happened since, which is all that there is: what is
//! shown of it is derived here, by the rules that the server goes by. What the server tells is checked
//! before it is taken in.

use super::local::states;
use super::{Attempt, Listed, Wanted};
use crate::aim::HERE;
use crate::args::StateFilter;
use crate::client::{Call, Client, Frame, path, query};
use crate::fault::Fault;
use crate::look::Look;
use crate::settings::Settings;
use crate::store;
use loom_core::{
    Definition, Elsewhere, Plan, Request, RunId, Submission, TaskRef, Timestamp, Variable,
};
use loom_protocol::api::{
    GivenVariable, HoldView, Operation, ResolveTask, RunDetail, RunList, RunState, RunSubmission,
    RunView, RunWhyView, StartRun, Started, TakerView, TaskList, TaskWhyView, WhyView,
};
use loom_protocol::{ErrorCode, RunEvent, read_rfc3339};
use loom_server::runs::{Beyond, Taken, Taker};
use loom_server::wire::read_event;
use loom_store::Recorded;
use std::io::Read;
use std::sync::Arc;

/// The most runs of a page.
const PAGE: usize = 200;
/// The most tasks of a page.
const TASKS: usize = 10_000;
/// The most pages of runs that are looked through for one of which a part of the identity is known.
const PAGES_MOST: usize = 10;

/// A server with runs.
pub(crate) struct Remote {
    pub(crate) client: Client,
}

impl Remote {
    pub(super) fn new(url: &str, settings: &Settings) -> Result<Self, Fault> {
        Client::new(url, settings).map(|client| Self { client })
    }

    pub(super) fn list(&self, wanted: &Wanted) -> Result<Listed, Fault> {
        let interrupted = wanted.state == Some(StateFilter::Interrupted);
        let states = states(wanted.state).into_iter();
        let status = states.map(|state| ("status", state.name().to_owned()));
        let workflow = wanted.workflow.iter().map(|name| ("workflow", name.clone()));
        let parameters: Vec<_> = status.chain(workflow).collect();
        let mut listed = Listed::default();
        let mut cursor = None;
        loop {
            let room = wanted.most - listed.runs.len();
            let limit = if interrupted { PAGE } else { room.min(PAGE) };
            let page = self.page(&parameters, limit, cursor.clone())?;
            if cursor.is_some() && page.next_cursor == cursor {
                let why = "the next page has the cursor of this one";
                return Err(self.client.bad(&path(&["runs"]), why));
            }
            let found = page.items.into_iter().filter(|run| !interrupted || is_left(run));
            listed.runs.extend(found);
            cursor = page.next_cursor;
            listed.more = cursor.is_some() || listed.runs.len() > wanted.most;
            if listed.runs.len() >= wanted.most || cursor.is_none() {
                listed.runs.truncate(wanted.most);
                return Ok(listed);
            }
        }
    }

    fn page(
        &self,
        parameters: &[(&str, String)],
        limit: usize,
        cursor: Option<String>,
    ) -> Result<RunList, Fault> {
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        let paging = cursor.into_iter().chain([("limit", limit.to_string())]);
        let parameters: Vec<_> = parameters.iter().cloned().chain(paging).collect();
        self.client.ask(Call::get(query(path(&["runs"]), &parameters)))
    }

    pub(crate) fn find(&self, text: &str) -> Result<RunId, Fault> {
        let wanted = text.to_ascii_lowercase();
        if let Ok(run) = wanted.parse() {
            return Ok(run);
        }
        if wanted == "last" {
            let youngest = self.page(&[], 1, None)?.items;
            let none = || {
                Fault::new(ErrorCode::NoSuchRun, "the server has no runs that you may see")
                    .help("start one: loom run FILE")
            };
            return youngest.first().ok_or_else(none).and_then(identity);
        }
        store::check_length(&wanted)?;
        let found = self.matching(&wanted)?;
        match &found[..] {
            [run] => identity(run),
            [] => Err(Fault::new(ErrorCode::NoSuchRun, format!("no such run: {text}"))
                .help(format!("`loom list{HERE}` shows the runs of the server"))),
            several => {
                let shown = several
                    .iter()
                    .map(|run| (run.id.clone(), run.workflow.clone(), run.state.name().to_owned()));
                Err(store::ambiguous(text, shown))
            }
        }
    }

    /// The runs whose identity begins or ends so.
    fn matching(&self, wanted: &str) -> Result<Vec<RunView>, Fault> {
        let parameters = [("text", wanted.to_owned())];
        let (mut found, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES_MOST {
            let page = self.page(&parameters, PAGE, cursor)?;
            let named = |run: &RunView| run.id.starts_with(wanted) || run.id.ends_with(wanted);
            found.extend(page.items.into_iter().filter(named));
            cursor = page.next_cursor;
            if cursor.is_none() || found.len() > store::SHOWN {
                return Ok(found);
            }
        }
        let message =
            format!("too many runs have `{wanted}` somewhere to find the one that it names");
        Err(Fault::new(ErrorCode::AmbiguousRun, message).help("give the whole identity"))
    }

    /// Why a run stands where it does.
    pub(super) fn run_why(&self, run: RunId) -> Result<RunWhyView, Fault> {
        self.client.ask(Call::get(path(&["runs", &run.to_string(), "why"])))
    }

    /// Why a task, or one item of it, stands where it does.
    pub(super) fn task_why(&self, look: &Look, of: TaskRef) -> Result<TaskWhyView, Fault> {
        let (run, name) = (look.id().to_string(), &look.history.run().plan().task(of.task).name);
        let item = of.item.map(|item| ("item", item.to_string()));
        let parameters: Vec<_> = item.into_iter().collect();
        self.client.ask(Call::get(query(path(&["runs", &run, "tasks", name, "why"]), &parameters)))
    }

    /// What others have that the run waits for, and its tasks that are ready, or this one, as the
    /// server sees it.
    pub(super) fn beyond(&self, look: &Look, task: Option<TaskRef>) -> Result<Beyond, Fault> {
        let plan = look.history.run().plan();
        let left_at = look.is_interrupted().then(|| look.last_moment());
        let mut beyond = Beyond { left_at, ..Beyond::default() };
        if let Some(of) = task {
            if let WhyView::Ready { hold } = self.task_why(look, of)?.why {
                beyond.taken.extend(taken(hold).map(|taken| (of.task, taken)));
            }
            return Ok(beyond);
        }
        let why = self.run_why(look.id())?;
        beyond.waits = why.waits;
        let held = why.ready.first.into_iter();
        beyond.taken.extend(
            held.filter_map(|ready| Some((plan.find_task(&ready.task)?, taken(ready.hold)?))),
        );
        Ok(beyond)
    }

    /// A run before anything happened to it, and the number of its last event.
    pub(crate) fn begin(&self, run: RunId) -> Result<(Look, u64), Fault> {
        let path = path(&["runs", &run.to_string(), "submission"]);
        let submission: RunSubmission = self.client.ask(Call::get(path.clone()))?;
        let RunSubmission { run: view, last_seq, definition, variables } = submission;
        let definition: Definition = serde_json::from_value(definition)
            .map_err(|error| self.client.bad(&path, &error.to_string()))?;
        let created_at = read_rfc3339(&view.created_at);
        let created_at = created_at.ok_or_else(|| self.client.bad(&path, "it has no time"))?;
        let given = |GivenVariable { name, value, secret }| Variable { name, value, secret };
        let submission = Submission {
            id: run,
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::new(variables.into_iter().map(given).collect()),
            workers: view.workers,
        };
        let mut look = Look::new(submission, Timestamp(created_at), view.base, view.alive);
        look.correlation_id = view.correlation_id;
        Ok((look, last_seq))
    }

    pub(crate) fn look(&self, run: RunId) -> Result<Look, Fault> {
        let (mut look, last_seq) = self.begin(run)?;
        self.read_until(&mut look, last_seq)?;
        Ok(look)
    }

    /// Takes in what the server has recorded since.
    pub(crate) fn catch_up(&self, look: &mut Look) -> Result<(), Fault> {
        let (_, last_seq) = self.begin(look.id())?;
        self.read_until(look, last_seq)
    }

    fn read_until(&self, look: &mut Look, last_seq: u64) -> Result<(), Fault> {
        let run = look.id();
        while look.history.last_seq() < last_seq {
            let before = look.history.last_seq();
            let mut frames = self.client.events(run, before)?;
            while look.history.last_seq() < last_seq {
                match frames.next() {
                    Frame::Event(event) => self.take(look, &event)?,
                    Frame::Strange(why) => return Err(self.strange(run, &why)),
                    Frame::End if look.history.last_seq() > before => break,
                    Frame::End => {
                        return Err(self.strange(run, "the events end before the last one"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes in the next event of a run; one that was taken in already changes nothing.
    pub(crate) fn take(&self, look: &mut Look, event: &RunEvent) -> Result<(), Fault> {
        if event.seq <= look.history.last_seq() {
            return Ok(());
        }
        let run = look.id();
        let is_next = event.seq == look.history.last_seq() + 1 && event.run == run.to_string();
        let read = read_event(look.history.run().plan(), event);
        let Some(read) = read.filter(|read| is_next && look.history.admits(read)) else {
            let why = format!("event {} cannot be the run's next", event.seq);
            return Err(self.strange(run, &why));
        };
        look.record(Recorded { seq: event.seq, event: read });
        Ok(())
    }

    fn strange(&self, run: RunId, why: &str) -> Fault {
        self.client.bad(&path(&["runs", &run.to_string(), "events"]), why)
    }

    /// All that the server knows of a run: the tasks that do not come with it are asked for.
    pub(super) fn detail(&self, run: RunId) -> Result<RunDetail, Fault> {
        let run = run.to_string();
        let most = TASKS.to_string();
        let whole = query(path(&["runs", &run]), &[("tasks", most.clone())]);
        let mut detail: RunDetail = self.client.ask(Call::get(whole))?;
        let tasks = path(&["runs", &run, "tasks"]);
        while let Some(cursor) = detail.next_cursor.take() {
            let parameters = [("limit", most.clone()), ("cursor", cursor.clone())];
            let page: TaskList = self.client.ask(Call::get(query(tasks.clone(), &parameters)))?;
            if page.next_cursor.as_ref() == Some(&cursor) {
                return Err(self.client.bad(&tasks, "the next page has the cursor of this one"));
            }
            detail.tasks.extend(page.items);
            detail.next_cursor = page.next_cursor;
        }
        Ok(detail)
    }

    pub(super) fn log(
        &self,
        look: &Look,
        attempt: Attempt,
    ) -> Result<Option<Box<dyn Read>>, Fault> {
        let body = self.client.open(LogAddress::of(look, attempt).rest(0))?;
        let is_empty = body.content_length() == Some(0);
        Ok((!is_empty).then(|| Box::new(body.into_reader()) as Box<dyn Read>))
    }

    /// Starts a run. However often the same `key` is sent, one is started.
    pub(crate) fn start(&self, request: &StartRun, key: &str) -> Result<Started, Fault> {
        let call = Call::post(path(&["runs"]), request);
        self.client.ask(call.header("idempotency-key", key.to_owned()))
    }

    /// Asks something of a run.
    pub(crate) fn request(&self, run: RunId, request: &Request) -> Result<RunView, Fault> {
        let run = run.to_string();
        let of_run = |what: &str| path(&["runs", &run, what]);
        let of_task = |task: &str, what: &str| path(&["runs", &run, "tasks", task, what]);
        let because = |reason: &str| Operation { reason: reason.to_owned() };
        let nothing = serde_json::json!({});
        self.client.ask(match request {
            Request::Resume { .. } => Call::post(of_run("resume"), &nothing),
            Request::Cancel { reason, .. } => Call::post(of_run("cancel"), &because(reason)),
            Request::Retry { task: None, .. } => Call::post(of_run("retry"), &nothing),
            Request::Retry { task: Some(task), .. } => Call::post(of_task(task, "retry"), &nothing),
            Request::CancelTask { task, reason, .. } => {
                Call::post(of_task(task, "cancel"), &because(reason))
            }
            Request::Skip { task, reason, .. } => {
                Call::post(of_task(task, "skip"), &because(reason))
            }
            Request::Resolve { task, reason, outputs, without_outputs, .. } => {
                let outputs = outputs.iter().map(|it| (it.name.clone(), it.value.clone()));
                let how = ResolveTask {
                    reason: reason.clone(),
                    outputs: outputs.collect(),
                    without_outputs: *without_outputs,
                };
                Call::post(of_task(task, "resolve"), &how)
            }
            Request::Pause { .. } | Request::Amend { .. } => {
                unreachable!("no command asks for {request:?}")
            }
        })
    }
}

/// Where the log of an attempt is.
pub(crate) struct LogAddress {
    path: String,
    item: Option<(&'static str, String)>,
}

impl LogAddress {
    pub(crate) fn of(look: &Look, (task, number): Attempt) -> Self {
        let (run, name) = (look.id().to_string(), &look.history.run().plan().task(task.task).name);
        let path = path(&["runs", &run, "tasks", name, "attempts", &number.to_string(), "log"]);
        Self { path, item: task.item.map(|item| ("item", item.to_string())) }
    }

    /// What is there behind the first bytes.
    pub(crate) fn rest(&self, from: u64) -> Call {
        let parameters: Vec<_> = self.item.iter().cloned().collect();
        let call = Call::get(query(self.path.clone(), &parameters)).large();
        if from == 0 { call } else { call.header("range", format!("bytes={from}-")) }
    }

    /// What comes behind the first bytes, until the attempt has ended.
    pub(crate) fn follow(&self, from: u64) -> Call {
        let follow = [("follow", true.to_string()), ("from", from.to_string())];
        let parameters: Vec<_> = self.item.iter().cloned().chain(follow).collect();
        Call::get(query(self.path.clone(), &parameters)).stream()
    }
}

/// Whether a run has not ended and nobody is at work on it.
fn is_left(run: &RunView) -> bool {
    let ended = matches!(run.state, RunState::Succeeded | RunState::Failed | RunState::Cancelled);
    !ended && !run.alive && run.external.is_none()
}

fn identity(run: &RunView) -> Result<RunId, Fault> {
    run.id.parse().map_err(|error| {
        let message = format!("the server has a run `{}`: {error}", run.id);
        Fault::new(ErrorCode::BadAnswer, message)
    })
}

/// What other runs have that holds a task back, or leaves room for it, if the server knows.
fn taken(hold: HoldView) -> Option<Taken> {
    let (elsewhere, others) = match hold {
        HoldView::Instances { most, others, .. } => {
            (Elsewhere { instances: most, ..Elsewhere::default() }, others)
        }
        HoldView::Queue { most, others, .. } => {
            let queue = others.first.len() as u32 + others.more;
            (Elsewhere { queue, queue_most: most, ..Elsewhere::default() }, others)
        }
        HoldView::AboutToStart { queue: None, instances: None, others } => {
            // There is room, however many the queue takes.
            (Elsewhere { queue_most: Some(u32::MAX), ..Elsewhere::default() }, others)
        }
        _ => return None,
    };
    let first = others.first.into_iter().filter_map(taker).collect();
    Some(Taken { elsewhere, first, more: others.more })
}

fn taker(view: TakerView) -> Option<Taker> {
    Some(Taker {
        run: view.run.parse().ok()?,
        workflow: view.workflow,
        task: view.task,
        item: view.item,
        since: Timestamp(read_rfc3339(&view.since)?),
    })
}
