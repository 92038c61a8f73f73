//! Following logs of a store on this machine.

use super::scribe::{Scribe, Style};
use super::{PIECE, Wanted, has_ended};
use crate::aim::HERE;
use crate::fault::Ended;
use crate::look::Look;
use crate::place::{Attempt, Local, open_log, unreadable};
use crate::progress::label;
use crate::ui::{Ui, Voice};
use loom_store::QueryStore;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// How often files and the journal are looked at while following. Nobody tells when the process that
/// has the run dies, or when its journal grows: the store is a file that several processes share. To
/// look costs two queries and a read of each log that may still be written.
const LOOK: Duration = Duration::from_millis(100);

/// A log that is being read.
struct Log {
    file: Option<File>,
    scribe: Scribe,
}

impl Log {
    /// Writes what has come since.
    fn copy(
        &mut self,
        folder: &Path,
        attempt: Attempt,
        piece: &mut [u8],
        ui: &mut Ui,
    ) -> Result<(), Ended> {
        if self.file.is_none() {
            self.file = open_log(folder, attempt)?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        loop {
            let count = file.read(piece).map_err(|error| unreadable(&error))?;
            if count == 0 {
                return Ok(());
            }
            self.scribe.write(ui, &piece[..count])?;
        }
    }
}

/// Writes as attempts do, until the run has settled, or nobody is at work on it any more.
pub(super) fn follow(
    local: &mut Local,
    look: &mut Look,
    wanted: &Wanted,
    ui: &mut Ui,
) -> Result<(), Ended> {
    let id = look.id();
    let folder = local.logs(id);
    let mut open: BTreeMap<Attempt, Log> = BTreeMap::new();
    let mut read = HashSet::new();
    let mut piece = vec![0; PIECE];
    let style = if ui.voice == Voice::Json { Style::Json } else { Style::Named };
    loop {
        // The journal first: what it says has ended has written everything by now.
        look.catch_up(local.found())?;
        let state = look.history.run().state();
        let is_over = state.is_final() || !local.found().run(id)?.alive;
        for attempt in wanted.attempts(&look.history) {
            if read.contains(&attempt) {
                continue;
            }
            let log = open.entry(attempt).or_insert_with(|| {
                let name = label(look.history.run().plan(), attempt.0);
                Log { file: None, scribe: Scribe::new(name, attempt.1, style) }
            });
            log.copy(&folder, attempt, &mut piece, ui)?;
            if is_over || has_ended(&look.history, attempt) {
                log.scribe.end(ui)?;
                open.remove(&attempt);
                read.insert(attempt);
            }
        }
        ui.flush()?;
        if is_over {
            if !state.is_final() {
                let short = id.short();
                ui.remark(&format!(
                    "nobody is at work on the run; go on: loom resume{HERE} {short}"
                ));
            }
            return Ok(());
        }
        std::thread::park_timeout(LOOK);
    }
}
