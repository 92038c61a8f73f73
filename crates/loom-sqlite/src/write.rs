//! Waiting for one's turn to write.

use crate::fault::Fault;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::time::{Duration, Instant};

/// How long to wait before asking again for the lock that another process holds.
const PAUSE: Duration = Duration::from_micros(250);

/// Starts a transaction that writes, as soon as no other process does, or says after `timeout` that
/// the store is busy.
///
/// SQLite's own way of waiting asks again after 1 ms, then ever more rarely, down to ten times a
/// second. A process that writes without a break leaves the lock free for a hundredth of its time,
/// so another one would hardly ever meet it free; asking often gives both a fair share.
pub(crate) fn begin(conn: &mut Connection, timeout: Duration) -> Result<Transaction<'_>, Fault> {
    let conn = &*conn;
    conn.busy_timeout(Duration::ZERO)?;
    let begun = ask(conn, timeout);
    conn.busy_timeout(timeout)?;
    Ok(begun?)
}

#[expect(clippy::disallowed_methods, reason = "SQLite tells nobody that its lock is free")]
fn ask(conn: &Connection, timeout: Duration) -> rusqlite::Result<Transaction<'_>> {
    let started = Instant::now();
    loop {
        match Transaction::new_unchecked(conn, TransactionBehavior::Immediate) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < timeout =>
            {
                std::thread::sleep(PAUSE);
            }
            begun => return begun,
        }
    }
}
