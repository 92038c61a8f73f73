//! What one file trigger knows, at hand and in the store.

use super::decide::Decision;
use super::document::{
    FIRINGS, Firing, Known, Last, MARKS, STATES, State, delete, firing_key, mark_key, prefix, put,
    put_mark, read,
};
use super::look::{Found, Mark};
use crate::ids::new_id;
use crate::problem::Problem;
use crate::shelf::Shelf;
use loom_core::Timestamp;
use loom_store::{Change, Document, Expect, Scan};
use std::collections::HashMap;

/// How many documents one look at the store brings.
const SCAN: usize = 1000;

/// What is known.
pub(super) struct Ledger {
    salt: String,
    pub(super) state: State,
    /// Of the state's document; everything is written together with it.
    version: u64,
    pub(super) files: HashMap<String, Mark>,
}

impl Ledger {
    /// `None` if there is no such trigger any more.
    pub(super) async fn load(shelf: &Shelf, salt: &str) -> Result<Option<Self>, Problem> {
        // The state first: if files become known after it was read, it is an old one when it is
        // written.
        let Some(document) = shelf.document(STATES, salt).await? else { return Ok(None) };
        let (state, version) = (read(&document)?, document.version);
        let mut files = HashMap::new();
        for document in all(shelf, MARKS, salt).await? {
            let Known { path, mark } = read(&document)?;
            files.insert(path, mark);
        }
        Ok(Some(Self { salt: salt.to_owned(), state, version, files }))
    }

    /// Writes a decision down; `false` if something else was decided meanwhile, or the trigger was
    /// changed. Then nothing of it holds.
    pub(super) async fn write(
        &mut self,
        shelf: &Shelf,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let mut state = self.state.clone();
        let mut changes = Vec::new();
        for (number, file) in decision.fires.iter().enumerate() {
            let run = new_id(now)?;
            let Found { path, mark, .. } = file.clone();
            state.last = Some(Last { file: path.clone(), run, at: now });
            let firing = Firing { run, path, mark, begun: false };
            let key = firing_key(&self.salt, now, number);
            changes.push(put(FIRINGS, key, &firing, Expect::Absent));
        }
        state.counts.fired += decision.fires.len() as u64;
        state.counts.missed += decision.missed.len() as u64;
        let known = || decision.fires.iter().chain(&decision.missed);
        changes.extend(known().map(|file| put_mark(&self.salt, &file.path, file.mark)));
        let key = |path: &String| mark_key(&self.salt, path);
        let gone = decision.forgotten.iter();
        changes.extend(gone.map(|path| delete(MARKS, key(path), Expect::Any)));
        if !self.write_state(shelf, state, changes).await? {
            return Ok(false);
        }
        self.files.extend(known().map(|file| (file.path.clone(), file.mark)));
        for path in &decision.forgotten {
            self.files.remove(path);
        }
        Ok(true)
    }

    /// Writes a state together with other changes; `false` if it is another by now, or one of the
    /// others cannot be made.
    pub(super) async fn write_state(
        &mut self,
        shelf: &Shelf,
        state: State,
        mut changes: Vec<Change>,
    ) -> Result<bool, Problem> {
        let expect = Expect::Version(self.version);
        changes.push(put(STATES, self.salt.clone(), &state, expect));
        let Ok(versions) = shelf.write(changes).await? else { return Ok(false) };
        self.version = versions.last().copied().unwrap_or_default();
        self.state = state;
        Ok(true)
    }
}

/// The changes that begin a ledger, in which these files are known.
pub(super) fn begin(salt: &str, files: &[Found]) -> Vec<Change> {
    let mut changes = know(salt, files);
    changes.push(put(STATES, salt.to_owned(), &State::default(), Expect::Absent));
    changes
}

/// The changes by which files are known.
pub(super) fn know(salt: &str, files: &[Found]) -> Vec<Change> {
    files.iter().map(|file| put_mark(salt, &file.path, file.mark)).collect()
}

/// The changes that end a ledger.
pub(super) async fn end(shelf: &Shelf, salt: &str) -> Result<Vec<Change>, Problem> {
    let mut changes = vec![delete(STATES, salt.to_owned(), Expect::Any)];
    for collection in [MARKS, FIRINGS] {
        let documents = all(shelf, collection, salt).await?.into_iter();
        changes.extend(documents.map(|document| delete(collection, document.key, Expect::Any)));
    }
    Ok(changes)
}

/// The change that makes everybody who decides from the state look again.
pub(super) async fn disturb(shelf: &Shelf, salt: &str) -> Result<Option<Change>, Problem> {
    let Some(document) = shelf.document(STATES, salt).await? else { return Ok(None) };
    let state: State = read(&document)?;
    Ok(Some(put(STATES, salt.to_owned(), &state, Expect::Version(document.version))))
}

async fn all(
    shelf: &Shelf,
    collection: &'static str,
    salt: &str,
) -> Result<Vec<Document>, Problem> {
    let mut found = Vec::new();
    let mut scan = Scan { prefix: prefix(salt), limit: SCAN, ..Scan::default() };
    loop {
        let page = shelf.scan(collection, scan.clone()).await?;
        scan.after = page.documents.last().map(|document| document.key.clone());
        found.extend(page.documents);
        if !page.more {
            return Ok(found);
        }
    }
}
