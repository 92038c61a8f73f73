//! One run, carried by this process to its end: the engine on its thread, the worker behind it, and
//! what happens told to a view.

use crate::bridge::{self, Bridge};
use crate::commands::serve::Database;
use crate::fault::{Ended, Fault};
use crate::plugins::Plugins;
use crate::progress::{View, stopping_text};
use crate::refusal;
use crate::signals::{Listener, Wish};
use crate::ui::tell;
use loom_core::{Event, History, RunId, Timestamp};
use loom_engine::{Clock, Engine, Handle, Observer, Options, SystemClock, channel};
use loom_server::{Bell, Reporter, Target};
use loom_sqlite::SqliteStore;
use loom_store::{RunCommit, StoreError};
use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a session is made of.
pub(crate) struct Setup {
    pub(crate) store: SqliteStore,
    pub(crate) plugins: Arc<Plugins>,
    /// The most tasks of each queue at once.
    pub(crate) queues: HashMap<String, u32>,
    /// The address of the permission service.
    pub(crate) permissions_url: Option<String>,
    /// Where what happens is reported to.
    pub(crate) report: Option<Target>,
}

/// An engine at work on one run. Whoever drops one before its end, because of an error, ends what is
/// under way and waits until nothing is.
pub(crate) struct Session {
    pub(crate) handle: Handle,
    news: News,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    /// Until it is joined.
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    reporter: Option<Reporter>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.handle.kill("loom");
            // What ended the session is being told; how the engine ended adds nothing to it.
            let _ = thread.join();
        }
    }
}

/// What the engine and the signals tell.
enum Message {
    /// There is news.
    News,
    /// A signal came.
    Wish(Wish),
    /// The run cannot be read any more.
    Lost(StoreError),
    /// The engine has stopped.
    Stopped,
}

/// How long a run that has ended waits for its last reports to be delivered.
const REPORT: Duration = Duration::from_secs(2);

/// How long news may gather before the view takes it. To wake the view for every commit would cost
/// as much as a commit.
const GATHER: Duration = Duration::from_millis(20);

/// Events that the view has not taken yet, with the number of the first of each batch.
type News = Arc<Mutex<Vec<(u64, Vec<Event>)>>>;

/// Keeps what happens to one run, and wakes the view for the first news after a pause and for the
/// end. What comes within [`GATHER`] after that, the view looks for by itself.
struct Watcher {
    run: RunId,
    news: News,
    sender: Sender<Message>,
    woken: Option<Instant>,
}

impl Observer for Watcher {
    fn committed(&mut self, commits: &[RunCommit]) {
        for commit in commits {
            if commit.run == self.run && !commit.events.is_empty() {
                let batch = (commit.first_seq, commit.events.clone());
                self.news.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
                let now = Instant::now();
                let recent = self.woken.is_some_and(|woken| now < woken + GATHER);
                if commit.state.is_final() || !recent {
                    self.woken = Some(now);
                    // Without a listener nobody wants to know.
                    let _ = self.sender.send(Message::News);
                }
            }
        }
    }

    fn lost(&mut self, run: RunId, error: &StoreError) {
        if run == self.run {
            let _ = self.sender.send(Message::Lost(error.clone()));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Stopped);
    }
}

/// How a session came to its end.
#[derive(Default)]
pub(crate) struct Finish {
    /// The store's failure that halted it, if one did.
    pub(crate) failure: Option<StoreError>,
    /// Whether it was interrupted by a signal.
    pub(crate) interrupted: bool,
    /// Why what happened could not all be written, if it could not.
    pub(crate) unwritten: Option<io::Error>,
    /// Who may have something left to report.
    reporter: Option<Reporter>,
}

impl Finish {
    /// Of a run that another process had.
    pub(crate) fn elsewhere(unwritten: Option<io::Error>) -> Self {
        Self { unwritten, ..Self::default() }
    }

    /// Waits for the last reports, for a bounded time. What is left is delivered by whoever reports
    /// next.
    pub(crate) fn report(self) {
        if let Some(reporter) = self.reporter {
            reporter.finish(REPORT);
        }
    }
}

impl Session {
    /// Starts an engine that watches this run. Nothing happens until it is submitted or adopted.
    pub(crate) fn start(setup: Setup, run: RunId) -> Result<Self, Fault> {
        let Setup { store, plugins, queues, permissions_url, report } = setup;
        let logs = store.files().logs();
        let bell = Bell::default();
        let database = Database(store.files().database().to_owned());
        let reporter = report.map(|target| {
            let tell = |what: &str| tell(&format!("warning: {what}\n"));
            let clock = Arc::new(SystemClock);
            Reporter::start(target, &database, bell.clone(), clock, tell)
        });
        let reporter = reporter.transpose().map_err(|error| Fault::of_store(&error, None))?;
        let options = Options { queues, ..Options::default() };
        let (handle, inbox) = channel(&options);
        let worker = bridge::worker(permissions_url, plugins)?;
        let bridge = Bridge::new(worker, handle.clone(), logs);
        let mut engine = Engine::new(Box::new(store), Box::new(bridge), options);
        let (sender, messages) = std::sync::mpsc::channel();
        let news = News::default();
        let watcher = Watcher { run, news: Arc::clone(&news), sender: sender.clone(), woken: None };
        engine.observe(Box::new(watcher));
        engine.observe(Box::new(refusal::Unreadable));
        if reporter.is_some() {
            engine.observe(Box::new(bell.ringer()));
        }
        let thread = engine.spawn(inbox, Arc::new(SystemClock));
        Ok(Self { handle, news, messages, sender, thread: Some(thread), reporter })
    }

    /// Listens for signals from now on: the first drains, the second kills.
    pub(crate) fn listen(&self, by: &str) -> Result<Listener, Fault> {
        let (handle, sender) = (self.handle.clone(), self.sender.clone());
        let by = by.to_owned();
        Listener::start(move |wish| {
            match wish {
                Wish::Drain => handle.drain(by.as_str()),
                Wish::Kill => handle.kill(by.as_str()),
            }
            let _ = sender.send(Message::Wish(wish));
        })
    }

    /// Shows what happens until the engine has stopped, which it does when the run has ended.
    pub(crate) fn follow(
        mut self,
        history: &mut History,
        view: &mut dyn View,
    ) -> Result<Finish, Ended> {
        let mut interrupted = false;
        let mut lost = None;
        let mut gathering = None;
        // A run that ended before it was taken up has no news.
        self.drain_if_ended(history);
        loop {
            match self.next(gathering, view) {
                Some(message) => {
                    gathering = Some(Instant::now() + GATHER);
                    match message {
                        Message::News => {}
                        Message::Wish(wish) => {
                            interrupted = true;
                            view.note(history, &stopping_text(history, wish));
                        }
                        Message::Lost(error) => {
                            lost = Some(error);
                            self.handle.leave();
                        }
                        Message::Stopped => break,
                    }
                }
                None => view.tick(history, now()),
            }
            // Before the news is taken, so that it is taken once more when all has gathered.
            gathering = gathering.filter(|until| Instant::now() < *until);
            self.take_news(history, view);
        }
        self.take_news(history, view);
        let written = view.close();
        let failure = match self.thread.take().map(JoinHandle::join) {
            None => lost,
            Some(Ok(result)) => result.err().or(lost),
            Some(Err(_)) => return Err(Ended::Told(loom_protocol::ExitCode::Machine)),
        };
        Ok(Finish {
            failure,
            interrupted,
            unwritten: written.err(),
            reporter: self.reporter.take(),
        })
    }

    /// Shows the news that there is.
    fn take_news(&self, history: &mut History, view: &mut dyn View) {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        for (first, events) in &news {
            for (seq, event) in (*first..).zip(events) {
                // What was there when a run was taken up is in the history already.
                if seq > history.last_seq() {
                    history.record(seq, event);
                    view.event(history, seq, event);
                }
            }
        }
        if !news.is_empty() {
            self.drain_if_ended(history);
        }
    }

    fn drain_if_ended(&self, history: &History) {
        if history.run().state().is_final() {
            self.handle.drain("loom");
        }
    }

    /// What comes next; `None` if nothing has come for a while. While news is `gathering`, nobody is
    /// woken for it: it has to be looked for once that time is over.
    fn next(&self, gathering: Option<Instant>, view: &mut dyn View) -> Option<Message> {
        let gather = gathering.map(|until| until.saturating_duration_since(Instant::now()));
        let patience = match (gather, view.patience()) {
            (Some(gather), Some(patience)) => gather.min(patience),
            (one, other) => match one.or(other) {
                Some(patience) => patience,
                None => return Some(self.messages.recv().unwrap_or(Message::Stopped)),
            },
        };
        match self.messages.recv_timeout(patience) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Stopped),
        }
    }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// Who asks, as it is recorded.
pub(crate) fn actor() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(own_number)
}

/// The user's number, where the environment has no name: in containers and under cron.
fn own_number() -> String {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self")
        .map_or_else(|_| "unknown".to_owned(), |own| format!("uid {}", own.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, Plan, RunOutcome, RunState, Submission, TaskDef};
    use loom_engine::NewSubmission;
    use loom_store::{QueryStore, definition_hash};
    use std::path::Path;

    /// Lets the watcher's silent news come whenever the session has looked `looks` times.
    struct Reader {
        looks: u32,
        news: News,
        sender: Sender<Message>,
        seen: Vec<u64>,
    }

    impl View for Reader {
        fn event(&mut self, _history: &History, seq: u64, _event: &Event) {
            self.seen.push(seq);
            if seq == 2 {
                self.sender.send(Message::Stopped).unwrap();
            }
        }

        fn patience(&mut self) -> Option<Duration> {
            self.looks += 1;
            match self.looks {
                // Flushes what it has sooner than news has gathered, as the view for programs does.
                2 => Some(Duration::ZERO),
                3 => {
                    let paused = Event::RunPaused { at: Timestamp(2), by: "me".into() };
                    self.news.lock().unwrap().push((2, vec![paused]));
                    None
                }
                _ => None,
            }
        }

        fn note(&mut self, _history: &History, _note: &str) {}
    }

    struct Silent;

    impl View for Silent {
        fn event(&mut self, _history: &History, _seq: u64, _event: &Event) {}

        fn note(&mut self, _history: &History, _note: &str) {}
    }

    fn history() -> History {
        let plan = Arc::new(Plan::new(Definition::new("test", Vec::new())));
        let id = RunId::new(1, 1);
        let variables = Arc::default();
        History::new(Submission { id, plan, variables, workers: 1 }, Timestamp(1))
    }

    fn session(thread: JoinHandle<Result<(), StoreError>>, handle: Handle) -> Session {
        let (sender, messages) = std::sync::mpsc::channel();
        let (news, thread) = (News::default(), Some(thread));
        Session { handle, news, messages, sender, thread, reporter: None }
    }

    #[test]
    fn news_that_nobody_was_woken_for_is_shown_without_more_coming() {
        let (handle, _inbox) = channel(&Options::default());
        let session = session(std::thread::spawn(|| Ok(())), handle);
        let started = Event::RunStarted { at: Timestamp(1) };
        session.news.lock().unwrap().push((1, vec![started]));
        session.sender.send(Message::News).unwrap();
        let (news, sender) = (Arc::clone(&session.news), session.sender.clone());
        let (over, watch) = std::sync::mpsc::channel::<()>();
        let late = sender.clone();
        let watchdog = std::thread::spawn(move || {
            if watch.recv_timeout(Duration::from_secs(20)) == Err(RecvTimeoutError::Timeout) {
                late.send(Message::News).unwrap();
                return false;
            }
            true
        });
        let mut view = Reader { looks: 0, news, sender, seen: Vec::new() };
        session.follow(&mut history(), &mut view).unwrap();
        drop(over);
        assert_eq!(view.seen, [1, 2]);
        assert!(watchdog.join().unwrap(), "it was shown only when more came");
    }

    fn store(folder: &Path) -> SqliteStore {
        SqliteStore::open(folder.join("loom.db"), loom_sqlite::Options::default()).unwrap()
    }

    fn setup(folder: &Path) -> Setup {
        Setup {
            store: store(folder),
            plugins: Arc::new(Plugins::beside(folder.to_owned())),
            queues: HashMap::new(),
            permissions_url: None,
            report: None,
        }
    }

    #[test]
    fn a_session_that_is_dropped_ends_what_is_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let id = RunId::new(1, 1);
        let session = Session::start(setup(folder.path()), id).unwrap();
        let mut task = TaskDef::new("long", "cmd");
        task.params = [("command".to_owned(), "sleep 600".into())].into_iter().collect();
        let plan = Arc::new(Plan::new(Definition::new("test", vec![task])));
        let submission = NewSubmission {
            id,
            hash: definition_hash(plan.definition()),
            plan,
            variables: Arc::default(),
            workers: 1,
            base: folder.path().display().to_string(),
            meta: Arc::default(),
            hold: false,
        };
        session.handle.submit(submission).unwrap();
        assert!(store(folder.path()).run(id).unwrap().alive);
        drop(session);
        let left = store(folder.path()).run(id).unwrap();
        assert_eq!((left.state, left.alive), (RunState::Paused, false));
    }

    #[test]
    fn a_run_that_had_ended_already_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = history();
        let at = Timestamp(1);
        history.record(1, &Event::RunStarted { at });
        history.record(2, &Event::RunFinished { at, outcome: RunOutcome::Succeeded });
        let session = Session::start(setup(folder.path()), history.run().id()).unwrap();
        let finish = session.follow(&mut history, &mut Silent).unwrap();
        assert!(finish.failure.is_none() && !finish.interrupted);
    }
}
