//! Lanes: several parts of an index, read side by side as if they were one.

use super::candidate::Candidate;
use super::source::Index;
use super::span::Span;
use crate::fault::Fault;
use rusqlite::Connection;
use std::collections::VecDeque;

/// How many candidates are read at once at first, and at most.
const FIRST: usize = 16;
const MOST: usize = 1024;

/// Candidates of all indexes in the order of their identities, read as they are asked for.
pub(super) struct Lanes<'a> {
    lanes: Vec<Lane<'a>>,
    descending: bool,
}

struct Lane<'a> {
    index: &'a Index,
    /// What is still to be read.
    span: Span,
    /// How many candidates to read next; 0 once there are no more.
    next: usize,
    read: VecDeque<Candidate>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(indexes: &'a [Index], span: Span, descending: bool) -> Self {
        let lane = |index| Lane { index, span, next: FIRST, read: VecDeque::new() };
        Self { lanes: indexes.iter().map(lane).collect(), descending }
    }

    pub(super) fn next(&mut self, conn: &Connection) -> Result<Option<Candidate>, Fault> {
        let mut first: Option<(usize, loom_core::RunId)> = None;
        for (nth, lane) in self.lanes.iter_mut().enumerate() {
            if lane.read.is_empty() && lane.next > 0 {
                lane.fill(conn, self.descending)?;
            }
            if let Some(head) = lane.read.front()
                && first.is_none_or(|(_, best)| (head.id > best) == self.descending)
            {
                first = Some((nth, head.id));
            }
        }
        Ok(first.and_then(|(nth, _)| self.lanes[nth].read.pop_front()))
    }
}

impl Lane<'_> {
    fn fill(&mut self, conn: &Connection, descending: bool) -> Result<(), Fault> {
        self.read = self.index.read_some(conn, self.span, descending, self.next)?.into();
        let is_full = self.read.len() == self.next;
        self.next = if is_full { (2 * self.next).min(MOST) } else { 0 };
        if let Some(last) = self.read.back() {
            let (span, run) = (self.span, last.id);
            self.span = if descending { span.below(run) } else { span.above(run) };
        }
        Ok(())
    }
}
