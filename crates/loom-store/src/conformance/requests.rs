//! Requests: each reaches the run's owner, in order, and takes effect once.

use super::Fixture;
use super::samples::{
    at, becomes, created, definition, ended, events, every_request, new_run, older_than, records,
    run_id,
};
use crate::{
    QueryStore, RequestId, RequestState, RunCommit, RunStore, StoreError, UpkeepStore, Verdict,
    assert_refused,
};
use loom_core::{Event, Request, RunId, RunOutcome, RunState};

fn pause(n: usize) -> Request {
    Request::Pause { by: format!("somebody {n}") }
}

fn posted(store: &mut impl RunStore) -> Vec<(RunId, Request)> {
    let posted = store.requests().unwrap().into_iter();
    posted.map(|posted| (posted.run, posted.request.unwrap())).collect()
}

/// What grants the requests that wait for this run.
fn settles(store: &mut impl RunStore, run: RunId) -> RunCommit {
    let posted = store.requests().unwrap();
    let of_run = posted.into_iter().filter(|posted| posted.run == run);
    let settles = of_run.map(|posted| (posted.id, Verdict::Granted)).collect();
    RunCommit { settles, ..records(run, 1, vec![]) }
}

fn answers(run: RunId, id: RequestId, verdict: Verdict) -> RunCommit {
    RunCommit { settles: vec![(id, verdict)], ..records(run, 1, vec![]) }
}

fn refused(why: &str) -> Verdict {
    Verdict::Refused(why.to_owned())
}

/// The event that ends a run, with its commit.
fn finishes(run: RunId) -> RunCommit {
    let finished = Event::RunFinished { at: at(1), outcome: RunOutcome::Failed };
    becomes(run, 1, finished, RunState::Failed)
}

/// The oldest first, as often as they are read, and none that a commit has settled.
pub fn come_in_order_until_they_are_settled(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let (a, b) = (run_id(1), run_id(2));
    owner.commit(&[created(a), created(b)]).unwrap();
    assert_eq!(posted(&mut owner), []);
    for (n, run) in [b, a, b].into_iter().enumerate() {
        other.post(run, &pause(n)).unwrap();
    }
    let all = [(b, pause(0)), (a, pause(1)), (b, pause(2))];
    assert_eq!(posted(&mut owner), all);
    assert_eq!(posted(&mut owner), all);
    let first = owner.requests().unwrap()[0].id;
    let granted = RunCommit { events: events(1, 1), ..answers(b, first, Verdict::Granted) };
    owner.commit(&[granted]).unwrap();
    assert_eq!(posted(&mut owner), all[1..]);
    let rest = settles(&mut owner, a);
    owner.commit(&[rest]).unwrap();
    assert_eq!(posted(&mut owner), all[2..]);
    other.post(a, &pause(3)).unwrap();
    assert_eq!(posted(&mut owner), [(b, pause(2)), (a, pause(3))]);
    let rest = [settles(&mut owner, a), RunCommit { first_seq: 2, ..settles(&mut owner, b) }];
    owner.commit(&rest).unwrap();
    assert_eq!(posted(&mut owner), []);
}

/// A request for somebody else's run stays where it is.
pub fn come_only_to_the_runs_owner(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    let (a, b) = (run_id(1), run_id(2));
    first.commit(&[created(a)]).unwrap();
    second.commit(&[created(b)]).unwrap();
    let mut reader = fixture.session();
    reader.post(a, &pause(0)).unwrap();
    reader.post(b, &pause(1)).unwrap();
    assert_eq!(posted(&mut reader), []);
    assert_eq!(posted(&mut second), [(b, pause(1))]);
    let theirs = first.requests().unwrap()[0].id;
    second.commit(&[answers(b, theirs, Verdict::Granted)]).unwrap();
    assert_eq!(posted(&mut first), [(a, pause(0))]);
    assert_eq!(reader.request_state(a, theirs).unwrap(), RequestState::Waits);
    assert_eq!(reader.request_state(b, theirs).unwrap(), RequestState::Gone);
}

/// A request waits for an owner.
pub fn posted_while_nobody_owned_the_run_come_to_who_claims_it(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.commit(&[created(run_id(2))]).unwrap();
    owner.release(run).unwrap();
    fixture.session().post(run, &pause(0)).unwrap();
    assert_eq!(posted(&mut owner), []);
    assert_eq!(posted(&mut next), []);
    next.claim(run).unwrap();
    assert_eq!(posted(&mut next), [(run, pause(0))]);
}

/// The owner's own session may post as well.
pub fn posted_by_the_owner_itself_come_too(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    assert_eq!(posted(&mut store), []);
    store.post(run, &pause(0)).unwrap();
    assert_eq!(posted(&mut store), [(run, pause(0))]);
}

/// What a dead owner had read and not settled, the next one gets; what it settled is gone.
pub fn not_settled_at_the_owners_death_come_to_the_next(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.post(run, &pause(0)).unwrap();
    let settled = settles(&mut owner, run);
    owner.commit(&[settled]).unwrap();
    next.post(run, &pause(1)).unwrap();
    assert_eq!(posted(&mut owner), [(run, pause(1))]);
    drop(owner);
    next.claim(run).unwrap();
    assert_eq!(posted(&mut next), [(run, pause(1))]);
}

/// A commit that is refused settles nothing.
pub fn are_settled_with_their_commit_or_not_at_all(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let id = store.post(run, &pause(0)).unwrap();
    let settled = settles(&mut store, run);
    let wrong = RunCommit { first_seq: 7, ..settled.clone() };
    assert_refused!(store.commit(&[settled, wrong]), StoreError::Conflict(_));
    assert_eq!(posted(&mut store), [(run, pause(0))]);
    assert_eq!(store.request_state(run, id).unwrap(), RequestState::Waits);
}

/// Each who asked is told of their own, by whatever session, and after the owner's death too.
pub fn are_answered_each_by_itself(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let [a, b, c] = [0, 1, 2].map(|n| other.post(run, &pause(n)).unwrap());
    let settles = vec![(a, Verdict::Granted), (b, refused("not `now`"))];
    owner.commit(&[RunCommit { settles, ..records(run, 1, vec![]) }]).unwrap();
    assert_eq!(posted(&mut owner), [(run, pause(2))]);
    drop(owner);
    let mut reader = fixture.session();
    let states = [a, b, c].map(|id| reader.request_state(run, id).unwrap());
    let expected = [
        RequestState::Settled(Verdict::Granted),
        RequestState::Settled(refused("not `now`")),
        RequestState::Waits,
    ];
    assert_eq!(states, expected);
}

/// The first answer stands.
pub fn are_answered_once(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let id = store.post(run, &pause(0)).unwrap();
    let never = RequestId(id.0 + 1);
    for verdict in [refused("first"), Verdict::Granted] {
        store.commit(&[answers(run, id, verdict), answers(run, never, Verdict::Granted)]).unwrap();
        let first = RequestState::Settled(refused("first"));
        assert_eq!(store.request_state(run, id).unwrap(), first);
        assert_eq!(store.request_state(run, never).unwrap(), RequestState::Gone);
    }
}

/// However many were settled, withdrawn or deleted with their run in between.
pub fn never_share_an_identity(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let settled = other.post(run, &pause(0)).unwrap();
    owner.commit(&[answers(run, settled, Verdict::Granted)]).unwrap();
    other.withdraw(run, settled).unwrap();
    let unanswered = other.post(run, &pause(1)).unwrap();
    owner.release(run).unwrap();
    assert!(other.withdraw(run, unanswered).unwrap());
    let deleted = other.post(run, &pause(2)).unwrap();
    owner.claim(run).unwrap();
    owner.commit(&[finishes(run)]).unwrap();
    owner.delete(run).unwrap();
    owner.commit(&[created(run)]).unwrap();
    let last = other.post(run, &pause(3)).unwrap();
    let ids = [settled, unanswered, deleted, last];
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
}

/// A request that a living owner may have read is not taken back.
pub fn are_withdrawn_only_while_nobody_has_the_run(fixture: &impl Fixture) {
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    let mut other = fixture.session();
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let [first, second] = [0, 1].map(|n| other.post(run, &pause(n)).unwrap());
    assert!(!other.withdraw(run, first).unwrap());
    assert_eq!(posted(&mut owner), [(run, pause(0)), (run, pause(1))]);
    drop(owner);
    assert!(!other.withdraw(run_id(2), first).unwrap(), "it is of another run");
    assert!(other.withdraw(run, first).unwrap());
    assert_eq!(other.request_state(run, first).unwrap(), RequestState::Gone);
    assert!(!other.withdraw(run, first).unwrap(), "it does not wait any more");
    next.claim(run).unwrap();
    assert_eq!(posted(&mut next), [(run, pause(1))]);
    assert!(!other.withdraw(run, second).unwrap());
    // What had been read before has no effect.
    next.commit(&[answers(run, first, Verdict::Granted)]).unwrap();
    assert_eq!(other.request_state(run, first).unwrap(), RequestState::Gone);
}

/// Who has read an answer takes it away.
pub fn are_forgotten_when_an_answered_one_is_withdrawn(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let [a, b] = [0, 1].map(|n| other.post(run, &pause(n)).unwrap());
    let settles = vec![(a, Verdict::Granted), (b, refused("no"))];
    owner.commit(&[RunCommit { settles, ..records(run, 1, vec![]) }]).unwrap();
    assert!(!other.withdraw(run, a).unwrap());
    assert_eq!(other.request_state(run, a).unwrap(), RequestState::Gone);
    let kept = RequestState::Settled(refused("no"));
    assert_eq!(other.request_state(run, b).unwrap(), kept);
}

/// What was asked of a run under way does not befall it when it is opened again.
pub fn end_with_their_run(fixture: &impl Fixture) {
    let (mut store, mut other) = (fixture.session(), fixture.session());
    let (ending, lasting) = (run_id(1), run_id(2));
    store.commit(&[created(ending), created(lasting)]).unwrap();
    let [granted, unread] = [0, 1].map(|n| other.post(ending, &pause(n)).unwrap());
    let lasting_one = other.post(lasting, &pause(2)).unwrap();
    let settles = vec![(granted, Verdict::Granted)];
    store.commit(&[RunCommit { settles, ..finishes(ending) }]).unwrap();
    let states = [granted, unread].map(|id| other.request_state(ending, id).unwrap());
    let answers = [Verdict::Granted, refused(Verdict::RUN_ENDED)].map(RequestState::Settled);
    assert_eq!(states, answers);
    assert_eq!(other.request_state(lasting, lasting_one).unwrap(), RequestState::Waits);
    other.claim(ending).unwrap();
    assert_eq!(posted(&mut other), []);
    assert_eq!(posted(&mut store), [(lasting, pause(2))]);
}

/// Answers are kept as long as their run.
pub fn go_with_their_run(fixture: &impl Fixture) {
    let (mut store, mut other) = (fixture.session(), fixture.session());
    let (pruned, deleted) = (run_id(1), run_id(2));
    store.commit(&[created(pruned), created(deleted)]).unwrap();
    let ids = [pruned, deleted].map(|run| (run, other.post(run, &pause(0)).unwrap()));
    store.commit(&[finishes(deleted)]).unwrap();
    store.delete(deleted).unwrap();
    store.commit(&[finishes(pruned)]).unwrap();
    assert_eq!(store.prune(&older_than(99, 9)).unwrap(), [pruned]);
    for (run, id) in ids {
        assert_eq!(other.request_state(run, id).unwrap(), RequestState::Gone);
        assert!(!other.withdraw(run, id).unwrap());
    }
}

/// Whoever asks something of a run that has ended has to claim it.
pub fn of_an_ended_run_are_refused(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[ended(run, new_run(definition("sample")), 1)]).unwrap();
    assert_refused!(store.post(run, &pause(0)), StoreError::Conflict(it) if it == run);
    store.claim(run).unwrap();
    assert_eq!(posted(&mut store), []);
}

/// Whatever can be asked arrives as it was asked, secrets included.
pub fn of_every_kind_come_as_they_were_posted(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    for request in every_request() {
        other.post(run, &request).unwrap();
    }
    let came: Vec<Request> = posted(&mut owner).into_iter().map(|(_, request)| request).collect();
    assert_eq!(came, every_request());
}
