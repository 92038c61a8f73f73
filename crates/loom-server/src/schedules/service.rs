//! Schedules, for those who may see and change them.

use super::check;
use super::document::{Definition, SCHEDULES, STATES, change, namespace, put_state, read_state};
use super::rule::Rule;
use super::state::{ACTIVE_MAX, Firing, Origin, State};
use crate::access::{Caller, Permission};
use crate::asked::{self, Precondition};
use crate::ids::{new_id, random};
use crate::kept::{self, Found, Kept};
use crate::problem::Problem;
use crate::readers::Readers;
use crate::runs::{Reserved, Runs, StartContext, check_needs};
use crate::shelf::Shelf;
use crate::workflows::{Tagged, Workflows};
use loom_core::{RunId, Timestamp};
use loom_engine::Clock;
use loom_protocol::api::{
    FiringView, NextTick, NextTicks, ScheduleList, ScheduleSpec, ScheduleView, Started, Timing,
};
use loom_protocol::{TraceParent, rfc3339};
use loom_store::record::hex;
use loom_store::{Expect, Write};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;

/// The most ticks that are foretold.
const NEXT_MAX: usize = 100;

/// The schedules.
pub struct Schedules {
    pub(super) shelf: Shelf,
    pub(super) readers: Readers,
    pub(super) runs: Arc<Runs>,
    pub(super) clock: Arc<dyn Clock>,
    /// Tells the clockwork that something was changed here.
    pub(super) changed: Notify,
    workflows: Arc<Workflows>,
}

/// What a caller wants a schedule to be.
struct Asked {
    spec: ScheduleSpec,
    /// Which of its run's variables are secret.
    secrets: BTreeSet<String>,
}

/// A schedule as it was found.
struct Present {
    definition: Definition,
    version: u64,
    state: State,
    state_version: u64,
}

impl Schedules {
    pub(crate) fn new(
        shelf: Shelf,
        readers: Readers,
        runs: Arc<Runs>,
        workflows: Arc<Workflows>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { shelf, readers, runs, clock, changed: Notify::new(), workflows }
    }

    /// A schedule, with the entity tag of what was asked for.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<ScheduleView>, Problem> {
        let present = self.visible(caller, name, Permission::SchedulesList).await?;
        self.view(name, &present).await
    }

    /// Schedules by name, from behind the one named `after`.
    pub async fn list(
        &self,
        caller: &Caller,
        namespace: Option<&str>,
        after: Option<String>,
        limit: usize,
    ) -> Result<ScheduleList, Problem> {
        let allowed = caller.within(Permission::SchedulesList, namespace)?;
        let (found, more) = kept::page::<Definition>(&self.shelf, allowed, after, limit).await?;
        let next_cursor = found.last().filter(|_| more).map(|last| last.name.clone());
        let mut items = Vec::new();
        for found in found {
            let name = found.name.clone();
            if let Some(present) = self.with_state(found).await? {
                items.push(self.view(&name, &present).await?.value);
            }
        }
        Ok(ScheduleList { items, next_cursor })
    }

    /// Makes or replaces a schedule; the answer says whether it is new. Another timing begins now:
    /// ticks of the old one that wait are dropped.
    pub async fn put(
        &self,
        caller: &Caller,
        name: &str,
        spec: ScheduleSpec,
        when: Precondition,
    ) -> Result<(Tagged<ScheduleView>, bool), Problem> {
        asked::name(name)?;
        check::spec(caller, &spec)?;
        let now = self.clock.now();
        if Rule::new(&spec.timing, now)?.next_after(now).is_none() {
            return Err(Problem::argument(match &spec.timing {
                Timing::Cron { expression, .. } => {
                    format!(
                        "the schedule would never tick: no time to come is as `{expression}` says"
                    )
                }
                _ => "the schedule would never tick: its time is over".to_owned(),
            }));
        }
        let run = &spec.run;
        let of = self.workflows.prepared(namespace(run), &run.workflow, run.version.as_deref());
        let prepared = of.await?;
        check_needs(&prepared, |name| run.variables.contains_key(name))?;
        let secrets = prepared.secrets(run);
        let asked = Asked { spec, secrets };
        loop {
            let present = self.present(name).await?;
            if let Some(present) = &present {
                let permissions = (Permission::SchedulesList, Permission::SchedulesWrite);
                let of = present.definition.namespace();
                kept::may_replace(caller, permissions, Some(of), name)?;
            }
            let version = present.as_ref().map(|present| present.version);
            when.check(version, Definition::KIND, SCHEDULES, name)?;
            let next = match &present {
                Some(present) => replaced(caller, present, &asked, now),
                None => self.made(caller, &asked, now).await?,
            };
            let expect = |version: Option<u64>| version.map_or(Expect::Absent, Expect::Version);
            let seen = present.as_ref().map(|present| (present.version, present.state_version));
            let changes = vec![
                next.definition.put(name, expect(seen.map(|seen| seen.0))),
                put_state(name, &next.state, expect(seen.map(|seen| seen.1))),
            ];
            // Where somebody else was quicker, all is looked at again.
            if let Ok(versions) = self.shelf.write(changes).await? {
                self.changed.notify_one();
                let written = Present { version: versions[0], ..next };
                return Ok((self.view(name, &written).await?, present.is_none()));
            }
        }
    }

    /// Deletes a schedule. Its runs go on.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
        when: Precondition,
    ) -> Result<(), Problem> {
        loop {
            let present = self.visible(caller, name, Permission::SchedulesWrite).await?;
            when.check(Some(present.version), Definition::KIND, SCHEDULES, name)?;
            let changes = vec![
                change(SCHEDULES, name, Expect::Version(present.version), Write::Delete),
                change(STATES, name, Expect::Version(present.state_version), Write::Delete),
            ];
            if self.shelf.write(changes).await?.is_ok() {
                self.changed.notify_one();
                return Ok(());
            }
        }
    }

    /// Lets nothing fire, or goes on. What ticks during a pause is neither fired nor missed.
    pub async fn pause(
        &self,
        caller: &Caller,
        name: &str,
        paused: bool,
    ) -> Result<Tagged<ScheduleView>, Problem> {
        loop {
            let mut present = self.visible(caller, name, Permission::SchedulesWrite).await?;
            if present.state.paused != paused {
                if !paused {
                    present.state.through = self.clock.now();
                }
                present.state.paused = paused;
                let written = self.write_state(name, &present.state, present.state_version);
                if written.await?.is_none() {
                    continue;
                }
                self.changed.notify_one();
            }
            return self.view(name, &present).await;
        }
    }

    /// Starts a run at once, as a tick would, whatever is under way; or answers with the one that an
    /// earlier, equal request started.
    pub async fn trigger(
        &self,
        caller: &Caller,
        name: &str,
        context: StartContext,
    ) -> Result<Started, Problem> {
        let present = self.visible(caller, name, Permission::RunsStart).await?;
        let reserved = match &context.idempotency_key {
            Some(key) => {
                let (of, asked) = (present.definition.namespace(), ["schedule", name]);
                Some(self.runs.reserve_for(caller, of, key, &asked).await?)
            }
            None => None,
        };
        let claim = match reserved {
            Some(Reserved::Repeat(run)) => {
                return Ok(Started { id: run.to_string(), repeated: true });
            }
            Some(Reserved::Start(claim)) => Some(claim),
            None => None,
        };
        let run = match &claim {
            Some(claim) => claim.run(),
            None => new_id(self.clock.now())?,
        };
        let repeated = self.fire_now(caller, name, run, context).await?;
        claim.into_iter().for_each(|claim| self.runs.begun(claim));
        Ok(Started { id: run.to_string(), repeated })
    }

    /// Starts a run of this identity at once; answers whether somebody had decided to already.
    async fn fire_now(
        &self,
        caller: &Caller,
        name: &str,
        run: RunId,
        context: StartContext,
    ) -> Result<bool, Problem> {
        // Whatever is no trace is nothing to keep.
        let traceparent = context.traceparent.as_deref().and_then(TraceParent::parse);
        let traceparent = traceparent.map(|parent| parent.header());
        let origin = Origin { correlation_id: context.correlation_id, traceparent };
        loop {
            let mut present = self.visible(caller, name, Permission::RunsStart).await?;
            let decided = present.state.active.iter().find(|firing| firing.run == run).cloned();
            let repeated = decided.is_some();
            let firing = match decided {
                Some(firing) => firing,
                None if present.state.active.len() >= ACTIVE_MAX => {
                    let what = format!("{ACTIVE_MAX} runs of the schedule `{name}` are under way");
                    return Err(Problem::busy(what));
                }
                None => {
                    let firing = Firing::new(self.clock.now(), run, origin.clone());
                    present.state.add(firing.clone());
                    let written = self.write_state(name, &present.state, present.state_version);
                    if written.await?.is_none() {
                        continue;
                    }
                    firing
                }
            };
            // If this fails because of the server, the clockwork tries again.
            self.changed.notify_one();
            return match self.perform_one(name, &present.definition, &firing).await {
                Ok(_) => Ok(repeated),
                Err(problem) if problem.status().is_server_error() => Err(problem),
                Err(problem) => {
                    self.refuse(name, run, &problem).await?;
                    Err(problem)
                }
            };
        }
    }

    /// The next ticks, as if the schedule were not paused.
    pub async fn next(
        &self,
        caller: &Caller,
        name: &str,
        count: usize,
    ) -> Result<NextTicks, Problem> {
        if !(1..=NEXT_MAX).contains(&count) {
            return Err(Problem::argument(format!("`count` is 1 to {NEXT_MAX}")));
        }
        let present = self.visible(caller, name, Permission::SchedulesList).await?;
        let (rule, policy) = (present.definition.rule()?, present.definition.policy());
        let tick = |tick: Timestamp| NextTick {
            tick: rfc3339(tick.0),
            at: rfc3339(policy.fires_at(tick).0),
        };
        let ticks = rule.ticks(self.clock.now(), Timestamp(u64::MAX));
        Ok(NextTicks { items: ticks.take(count).map(tick).collect() })
    }

    async fn present(&self, name: &str) -> Result<Option<Present>, Problem> {
        match kept::find::<Definition>(&self.shelf, name).await? {
            Some(found) => self.with_state(found).await,
            None => Ok(None),
        }
    }

    /// `None` if it was deleted meanwhile.
    async fn with_state(&self, found: Found<Definition>) -> Result<Option<Present>, Problem> {
        let Found { name, value: definition, version } = found;
        let Some(document) = self.shelf.document(STATES, name).await? else { return Ok(None) };
        let (state, state_version) = (read_state(&document)?, document.version);
        Ok(Some(Present { definition, version, state, state_version }))
    }

    /// The schedule, if the caller may do this to it. Of others not even that they are there is
    /// told.
    async fn visible(
        &self,
        caller: &Caller,
        name: &str,
        permission: Permission,
    ) -> Result<Present, Problem> {
        let found = kept::visible::<Definition>(&self.shelf, caller, name, permission).await?;
        let missing = || Problem::missing(Definition::KIND, name);
        self.with_state(found).await?.ok_or_else(missing)
    }

    async fn made(
        &self,
        caller: &Caller,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Present, Problem> {
        kept::room::<Definition>(&self.shelf).await?;
        let salt = hex(&random::<16>()?);
        let definition = Definition {
            spec: asked.spec.clone(),
            secrets: asked.secrets.clone(),
            salt,
            anchor: now,
            changed_by: caller.name().to_owned(),
            changed_at: now,
        };
        Ok(Present { definition, version: 0, state: State::new(now), state_version: 0 })
    }

    async fn view(&self, name: &str, present: &Present) -> Result<Tagged<ScheduleView>, Problem> {
        let Present { definition, state, version, .. } = present;
        let mut spec = definition.spec.clone();
        self.workflows.mask(&mut spec.run, &definition.secrets).await;
        let rule = definition.rule()?;
        let next = rule.next_after(state.through).filter(|_| !state.paused);
        let firing = |firing: &Firing| FiringView {
            tick: rfc3339(firing.tick.0),
            run: firing.run.to_string(),
        };
        let value = ScheduleView {
            name: name.to_owned(),
            namespace: definition.namespace().to_owned(),
            spec,
            changed_by: definition.changed_by.clone(),
            changed_at: rfc3339(definition.changed_at.0),
            paused: state.paused,
            next_at: next.map(|tick| rfc3339(definition.policy().fires_at(tick).0)),
            last: state.last.as_ref().map(firing),
            active: state.active.iter().map(firing).collect(),
            waiting: state.waiting.iter().map(|tick| rfc3339(tick.0)).collect(),
            counts: state.counts,
            problem: state.problem.clone(),
        };
        Ok(Tagged { value, version: *version })
    }
}

fn replaced(caller: &Caller, present: &Present, asked: &Asked, now: Timestamp) -> Present {
    let mut state = present.state.clone();
    let mut definition = present.definition.clone();
    if definition.spec.timing != asked.spec.timing {
        definition.anchor = now;
        state.through = now;
        state.waiting.clear();
    }
    definition.spec = asked.spec.clone();
    definition.secrets.clone_from(&asked.secrets);
    caller.name().clone_into(&mut definition.changed_by);
    definition.changed_at = now;
    Present { definition, state, ..*present }
}
