//! How who posted a request comes to its answer.

use crate::{QueryStore, RequestId, RequestState, StoreError, Verdict};
use loom_core::RunId;

/// What came of a posted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The run's owner granted it.
    Granted,
    /// The run's owner refused it; why, as text.
    Refused(String),
    /// It never takes effect, and whoever asks may ask in another way: the run has ended, or nobody
    /// had it any more and the request is withdrawn.
    Nobody,
    /// The store does not know any more: the run is deleted, or its owner is of a version that leaves
    /// no answers.
    Unknown,
}

/// The answer to a request that was posted for a run, as soon as there is one. It is told once: the
/// store forgets it.
pub fn answer(
    store: &mut dyn QueryStore,
    run: RunId,
    id: RequestId,
) -> Result<Option<Answer>, StoreError> {
    // Looked at first: an owner that is gone by now answers no more.
    let has_owner = store.run(run)?.alive;
    let verdict = match store.request_state(run, id)? {
        RequestState::Waits if has_owner => return Ok(None),
        RequestState::Waits => return Ok(store.withdraw(run, id)?.then_some(Answer::Nobody)),
        RequestState::Gone => return Ok(Some(Answer::Unknown)),
        RequestState::Settled(verdict) => verdict,
    };
    // Should this fail, the answer goes with its run.
    let _ = store.withdraw(run, id);
    Ok(Some(match verdict {
        Verdict::Granted => Answer::Granted,
        Verdict::Refused(_) if store.run(run)?.state.is_final() => Answer::Nobody,
        Verdict::Refused(why) => Answer::Refused(why),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::samples::{at, becomes, created, records, run_id};
    use crate::{MemoryStore, RunCommit, RunStore};
    use loom_core::{Event, Request, RunOutcome, RunState};

    /// An owner of a run, somebody who has asked something of it, and what that was.
    fn asked() -> (MemoryStore, MemoryStore, RequestId) {
        let mut owner = MemoryStore::new();
        let mut other = owner.session("other");
        owner.commit(&[created(run_id(1))]).unwrap();
        let id = other.post(run_id(1), &Request::Pause { by: "somebody".into() }).unwrap();
        (owner, other, id)
    }

    #[test]
    fn an_answer_is_told_once() {
        let told = [
            (Verdict::Granted, Answer::Granted),
            (Verdict::Refused("no".into()), Answer::Refused("no".into())),
        ];
        for (verdict, expected) in told {
            let (mut owner, mut other, id) = asked();
            assert_eq!(answer(&mut other, run_id(1), id).unwrap(), None);
            let settles = vec![(id, verdict)];
            owner.commit(&[RunCommit { settles, ..records(run_id(1), 1, vec![]) }]).unwrap();
            assert_eq!(answer(&mut other, run_id(1), id).unwrap(), Some(expected));
            assert_eq!(answer(&mut other, run_id(1), id).unwrap(), Some(Answer::Unknown));
        }
    }

    #[test]
    fn what_nobody_can_answer_any_more_is_withdrawn() {
        let (owner, mut other, id) = asked();
        drop(owner);
        assert_eq!(answer(&mut other, run_id(1), id).unwrap(), Some(Answer::Nobody));
        other.claim(run_id(1)).unwrap();
        assert_eq!(other.requests().unwrap(), []);
    }

    #[test]
    fn a_run_that_has_ended_is_asked_in_another_way() {
        let (mut owner, mut other, id) = asked();
        let finished = Event::RunFinished { at: at(1), outcome: RunOutcome::Failed };
        owner.commit(&[becomes(run_id(1), 1, finished, RunState::Failed)]).unwrap();
        assert_eq!(answer(&mut other, run_id(1), id).unwrap(), Some(Answer::Nobody));
    }
}
