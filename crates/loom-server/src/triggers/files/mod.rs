//! Files that start runs.
//!
//! `pattern` says which files, `allowed` where they may be, `look` what is there, and `decide` which
//! of it starts a run: the last from values alone. A `watch` for each trigger looks when the kernel
//! tells that something changed, and writes into the `ledger` what was decided: the files that are
//! known from then on, together with the runs that they start. Whoever writes it in place of the
//! state that it was decided from has decided; everybody else looks again. So two servers on one
//! store, or one that is killed and started, start one run for one change of a file. `fire` starts
//! what is written there and has not been started, and `lookout` keeps the watches.

mod allowed;
mod decide;
mod document;
mod fire;
mod ledger;
mod look;
mod lookout;
mod pattern;
mod watch;

pub(super) use allowed::Allowed;
pub(super) use lookout::{Office, Watches};

pub(crate) use lookout::Lookout;

use crate::asked::within;
use crate::feed::Follower;
use crate::ids::{hex, random};
use crate::problem::Problem;
use crate::shelf::Shelf;
use document::{FIRINGS, Firing, STATES, State, prefix, read};
use look::Found;
use loom_protocol::ErrorCode;
use loom_protocol::api::{FileCatchUp, FileTrigger, FileTriggerState, FiredFile};
use loom_protocol::rfc3339;
use loom_store::{Change, Scan};
use pattern::Pattern;
use std::sync::Arc;

/// The most file triggers. Each may hold the kernel's notices, of which a user has few.
const TRIGGERS_MAX: usize = 100;
/// How many of the runs to come are counted.
const COUNTED_MAX: usize = 1000;

/// Everything about files that the triggers need.
pub(super) struct Files {
    watches: Arc<Watches>,
}

impl Files {
    pub(super) fn new(office: Office) -> Self {
        Self { watches: Arc::new(Watches::new(office)) }
    }

    pub(super) fn start(&self, follower: Follower) -> Lookout {
        Lookout::start(Arc::clone(&self.watches), follower)
    }

    /// Refuses what could not work, or leads where nobody may look.
    pub(super) fn check(&self, spec: &FileTrigger) -> Result<(), Problem> {
        within("`quiet_ms`", spec.quiet_ms, 0, 600_000)?;
        within("`at_once`", spec.at_once, 1, 1000)?;
        self.office().allowed.check(&Pattern::parse(&spec.file)?)
    }

    /// A name for what a trigger knows that is new or, if it is `replaced`, about other files now, and the
    /// changes by which it knows all files that are there now: they did not change since it was made.
    pub(super) async fn begin(
        &self,
        spec: &FileTrigger,
        replaced: bool,
    ) -> Result<(String, Vec<Change>), Problem> {
        let scan = Scan { limit: TRIGGERS_MAX + 1, ..Scan::default() };
        let others = self.shelf().scan(STATES, scan).await?.documents.len();
        let others = others.saturating_sub(usize::from(replaced));
        if others >= TRIGGERS_MAX {
            let what = format!("there are {TRIGGERS_MAX} file triggers, which is the most");
            return Err(Problem::new(ErrorCode::LimitReached, what)
                .help("delete one that is not used, or let one have a pattern of several files"));
        }
        let salt = hex(&random::<16>()?);
        let changes = ledger::begin(&salt, &self.there(spec).await?);
        Ok((salt, changes))
    }

    /// The changes by which nothing is known any more.
    pub(super) async fn end(&self, salt: &str) -> Result<Vec<Change>, Problem> {
        ledger::end(self.shelf(), salt).await
    }

    /// The changes by which all servers look at the trigger anew. After a pause, what changed
    /// meanwhile is known from now on, unless it is to be caught up.
    pub(super) async fn renew(
        &self,
        salt: &str,
        after_pause: Option<&FileTrigger>,
    ) -> Result<Vec<Change>, Problem> {
        let mut changes = match after_pause {
            Some(spec) if spec.catch_up == FileCatchUp::None => {
                ledger::know(salt, &self.there(spec).await?)
            }
            _ => Vec::new(),
        };
        changes.extend(ledger::disturb(self.shelf(), salt).await?);
        Ok(changes)
    }

    /// Tells that a trigger was changed.
    pub(super) fn changed(&self) {
        self.watches.changed.notify_one();
    }

    /// Where a trigger stands.
    pub(super) async fn state(&self, name: &str, salt: &str) -> Result<FileTriggerState, Problem> {
        let state = match self.shelf().document(STATES, salt).await? {
            Some(document) => read(&document)?,
            None => State::default(),
        };
        let scan = Scan { prefix: prefix(salt), limit: COUNTED_MAX, ..Scan::default() };
        let page = self.shelf().scan(FIRINGS, scan).await?;
        let firings = page.documents.iter().map(read::<Firing>);
        let firings = firings.collect::<Result<Vec<_>, _>>()?;
        let under_way = firings.iter().filter(|firing| firing.begun).count();
        let last = state.last.map(|last| FiredFile {
            file: last.file,
            run: last.run.to_string(),
            at: rfc3339(last.at.0),
        });
        Ok(FileTriggerState {
            last,
            counts: state.counts,
            under_way: under_way as u64,
            waiting: (firings.len() - under_way) as u64,
            problem: state.problem,
            trouble: self.watches.trouble(name),
        })
    }

    /// The files that are there now; none where their folder is not.
    async fn there(&self, spec: &FileTrigger) -> Result<Vec<Found>, Problem> {
        let pattern = Pattern::parse(&spec.file)?;
        let allowed = Arc::clone(&self.office().allowed);
        let look = move || match pattern.folder.try_exists() {
            Ok(false) => Ok(Vec::new()),
            _ => look::look(&pattern, &allowed).map(|seen| seen.files),
        };
        watch::blocking(look).await?.map_err(Problem::argument)
    }

    fn office(&self) -> &Office {
        &self.watches.office
    }

    fn shelf(&self) -> &Shelf {
        &self.office().shelf
    }
}
