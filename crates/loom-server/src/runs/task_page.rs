//! Pages of a run's tasks.
//!
//! All pages of one list are of one moment, though the run goes on: a cursor says after which event
//! the first page was read, and the journal is read as far as there for each that follows. So no task
//! is missing and none there twice, and whoever goes on with the events behind that one misses
//! nothing either.

use super::look::Look;
use super::service::{Runs, identity};
use super::start::{TEXT_MAX, within};
use crate::access::{Caller, Permission};
use crate::cursor;
use crate::problem::Problem;
use loom_core::{History, TaskIx, TaskPhase, Timestamp};
use loom_protocol::api::TaskList;
use loom_store::QueryStore;
use std::cmp::Ordering;

/// How many tasks a page has if nothing else is asked for: all, of nearly every run.
const TASKS: usize = 1000;
/// The most tasks of a page. Each page costs a reading of the run's whole journal, so few large ones
/// are better than many small ones; a task is about 400 bytes.
const TASKS_MAX: usize = 10_000;
/// The most attempts of a page, unless one task has more: those of all items come with their task.
const ATTEMPTS_MAX: usize = 20_000;

/// Which page of which of a run's tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskPaging {
    /// In any of these phases; in any at all if there are none.
    pub phases: Vec<String>,
    /// With this text in the name, in any case.
    pub text: Option<String>,
    /// The order of the workflow if absent; `name`, `duration` or `started_at`, with a minus before
    /// it for the last first.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// The most items.
    pub limit: Option<usize>,
}

impl Runs {
    /// The tasks of a run that match.
    pub async fn tasks(
        &self,
        caller: &Caller,
        id: &str,
        paging: TaskPaging,
    ) -> Result<TaskList, Problem> {
        let wanted = Wanted::read(&paging)?;
        let most = limit("limit", paging.limit, 1)?;
        let list = wanted.list(&identity(id)?.to_string());
        let place = cursor::open(&list, paging.cursor)?;
        let place = place.as_deref().map(Place::read).transpose()?;
        let upto = place.map_or(u64::MAX, |place| place.seq);
        let now = self.clock.now();
        let view = move |_: &mut dyn QueryStore, look: &Look| {
            let seq = look.history.last_seq();
            let place = place.unwrap_or(Place { seq, now, begin: 0 });
            Ok(page(look, &wanted, place, most))
        };
        self.look_upto(caller, id, Permission::RunsGet, upto, view).await
    }
}

/// How many tasks come with their run.
pub(super) fn first(asked: Option<usize>) -> Result<usize, Problem> {
    limit("tasks", asked, 0)
}

/// The first of all tasks.
pub(super) fn begin(look: &Look, now: Timestamp, most: usize) -> TaskList {
    let place = Place { seq: look.history.last_seq(), now, begin: 0 };
    page(look, &Wanted::default(), place, most)
}

fn limit(name: &str, asked: Option<usize>, least: usize) -> Result<usize, Problem> {
    match asked {
        None => Ok(TASKS),
        Some(asked) if (least..=TASKS_MAX).contains(&asked) => Ok(asked),
        Some(_) => Err(Problem::argument(format!("`{name}` is {least} to {TASKS_MAX}"))),
    }
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The run's last event at the moment of the list.
    seq: u64,
    /// That moment, to which the durations of tasks that are at work are measured.
    now: Timestamp,
    /// How many tasks came before.
    begin: usize,
}

impl Place {
    fn write(self) -> String {
        format!("{}/{}/{}", self.seq, self.now.0, self.begin)
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let mut parts = text.split('/').map(|part| part.parse::<u64>().ok());
        let mut next = || parts.next().flatten();
        let (seq, now, begin) = (next(), next(), next());
        let whole = seq.zip(now).zip(begin.and_then(|begin| usize::try_from(begin).ok()));
        let ((seq, now), begin) = whole.ok_or_else(cursor::bad)?;
        Ok(Self { seq, now: Timestamp(now), begin })
    }
}

/// Which tasks, in which order.
#[derive(Clone, Debug, Default)]
struct Wanted {
    phases: Vec<TaskPhase>,
    /// In lower case.
    text: Option<String>,
    order: Order,
    descending: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Workflow,
    Name,
    Duration,
    StartedAt,
}

impl Wanted {
    fn read(paging: &TaskPaging) -> Result<Self, Problem> {
        let mut phases = paging.phases.iter().map(|it| phase(it)).collect::<Result<Vec<_>, _>>()?;
        phases.sort_unstable();
        phases.dedup();
        if let Some(text) = &paging.text {
            within("`text`", text, TEXT_MAX)?;
        }
        let sort = paging.sort.as_deref();
        let rest = sort.and_then(|sort| sort.strip_prefix('-'));
        let order = match rest.or(sort) {
            None => Order::Workflow,
            Some("name") => Order::Name,
            Some("duration") => Order::Duration,
            Some("started_at") => Order::StartedAt,
            Some(_) => {
                let other = sort.unwrap_or_default();
                return Err(Problem::argument(format!("`sort` cannot be `{other}`")).help(
                    "give name, duration or started_at, with a minus before it for the last first",
                ));
            }
        };
        let text = paging.text.as_ref().map(|text| text.to_lowercase());
        Ok(Self { phases, text, order, descending: rest.is_some() })
    }

    /// The name of the list, by which cursors are told apart.
    fn list(&self, run: &str) -> String {
        format!("tasks of {run}: {self:?}")
    }

    fn takes(&self, history: &History, task: TaskIx) -> bool {
        let name = || history.run().plan().task(task).name.to_lowercase();
        (self.phases.is_empty() || self.phases.contains(&history.run().phase(task)))
            && self.text.as_ref().is_none_or(|text| name().contains(text))
    }

    /// The tasks, in order.
    fn choose(&self, history: &History, now: Timestamp) -> Vec<TaskIx> {
        let all = history.tasks().map(|(task, _)| task);
        let mut found: Vec<TaskIx> = all.filter(|task| self.takes(history, *task)).collect();
        let name = |task: TaskIx| &history.run().plan().task(task).name;
        match self.order {
            Order::Workflow => {}
            Order::Name => found.sort_by(|a, b| self.turned(name(*a).cmp(name(*b)))),
            Order::Duration => self.sort(&mut found, |task| history.task(task).took(now)),
            Order::StartedAt => self.sort(&mut found, |task| history.task(task).started_at()),
        }
        found
    }

    /// Those without a key come last, whatever the order.
    fn sort<K: Ord>(&self, tasks: &mut [TaskIx], key: impl Fn(TaskIx) -> Option<K>) {
        tasks.sort_by(|a, b| {
            let (a, b) = (key(*a), key(*b));
            a.is_none().cmp(&b.is_none()).then(self.turned(a.cmp(&b)))
        });
    }

    const fn turned(&self, order: Ordering) -> Ordering {
        if self.descending { order.reverse() } else { order }
    }
}

fn phase(name: &str) -> Result<TaskPhase, Problem> {
    let found = TaskPhase::ALL.into_iter().find(|phase| phase.name() == name);
    found.ok_or_else(|| {
        let all = TaskPhase::ALL.map(TaskPhase::name).join(", ");
        Problem::argument(format!("`phase` cannot be `{name}`")).help(format!("it is one of {all}"))
    })
}

fn page(look: &Look, wanted: &Wanted, place: Place, most: usize) -> TaskList {
    let history = &look.history;
    let chosen = wanted.choose(history, place.now);
    let rest = &chosen[place.begin.min(chosen.len())..];
    let count = cut(rest.iter().map(|task| history.task(*task).attempts.len()), most);
    let begin = place.begin.saturating_add(count);
    let next_cursor = (count < rest.len()).then(|| {
        let list = wanted.list(&look.summary.id.to_string());
        cursor::sealed(&list, &Place { begin, ..place }.write())
    });
    let items = rest[..count].iter().map(|task| look.line(*task)).collect();
    TaskList { items, last_seq: history.last_seq(), next_cursor }
}

/// How many tasks a page takes of those with so many attempts.
fn cut(attempts: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut sum: usize = 0;
    let fits = |(nth, attempts): &(usize, usize)| {
        sum = sum.saturating_add(*attempts);
        *nth == 0 || sum <= ATTEMPTS_MAX
    };
    attempts.enumerate().take(most).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::ErrorCode;

    #[test]
    fn a_page_ends_with_its_tasks_or_its_attempts() {
        let cases: [(&[usize], usize, usize); 6] = [
            (&[1, 1, 1], 2, 2),
            (&[1, 1, 1], 9, 3),
            (&[], 9, 0),
            (&[1, 1], 0, 0),
            (&[ATTEMPTS_MAX + 1, 1], 9, 1),
            (&[1, ATTEMPTS_MAX - 1, 0, 1], 9, 3),
        ];
        for (attempts, most, expected) in cases {
            assert_eq!(cut(attempts.iter().copied(), most), expected, "{attempts:?} {most}");
        }
    }

    #[test]
    fn a_place_comes_back_as_it_went() {
        let place = Place { seq: 7, now: Timestamp(1_795_250_000_000_000), begin: 1000 };
        assert_eq!(Place::read(&place.write()).unwrap(), place);
        for wrong in ["", "1", "1/2", "1//3", "a/2/3"] {
            assert_eq!(Place::read(wrong).unwrap_err().code, ErrorCode::BadCursor, "{wrong}");
        }
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let paging = |sort: &str, phase: &str| TaskPaging {
            sort: Some(sort.to_owned()),
            phases: vec![phase.to_owned()],
            ..TaskPaging::default()
        };
        let wanted = Wanted::read(&paging("-started_at", "backing_off")).unwrap();
        assert_eq!((wanted.order, wanted.descending), (Order::StartedAt, true));
        assert_eq!(wanted.phases, [TaskPhase::BackingOff]);
        for wrong in [paging("", "ready"), paging("--name", "ready"), paging("name", "nosuch")] {
            assert_eq!(Wanted::read(&wrong).unwrap_err().code, ErrorCode::BadArgument);
        }
    }
}
