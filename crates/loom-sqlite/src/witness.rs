//! Whether anything in the database is sealed, and whether it opens.
//!
//! Asked once, of a store that was written by a format which kept no fingerprint of its key.

use crate::fault::Fault;
use loom_store::StoreError;
use loom_store::record::{
    Secrets, Vault, decode_definition, decode_events, decode_request, decode_variables,
};
use rusqlite::Connection;

/// What the sealed things of a database say of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// Nothing is sealed.
    None,
    /// Something is sealed, and nothing of it opens.
    Sealed,
    /// Something opens.
    Opens,
}

/// Reads one stored text.
type Read = fn(&str, &dyn Vault) -> Witness;

/// Where secrets can be: the texts that may hold some, and how to read them.
const PLACES: [(&str, Read); 5] = [
    ("SELECT secret FROM documents WHERE secret IS NOT NULL", |text, vault| {
        if vault.open(text).is_ok() { Witness::Opens } else { Witness::Sealed }
    }),
    ("SELECT body FROM definitions WHERE instr(body, '\"secret')", |text, vault| {
        read(vault, |secrets| decode_definition(text, secrets))
    }),
    ("SELECT variables FROM runs WHERE instr(variables, '\"secret\":true')", |text, vault| {
        read(vault, |secrets| decode_variables(text, secrets))
    }),
    ("SELECT body FROM requests WHERE instr(body, '\"secret\":true')", |text, vault| {
        read(vault, |secrets| decode_request(text, secrets))
    }),
    (
        "SELECT events FROM journal WHERE instr(events, '\"s\":true') OR instr(events, '\"secret\":true')",
        |text, vault| read(vault, |secrets| decode_events(text, secrets)),
    ),
];

/// Looks for something that opens with this vault.
pub(crate) fn look_for_witness(conn: &Connection, vault: &dyn Vault) -> Result<Witness, Fault> {
    let mut found = Witness::None;
    for (sql, read) in PLACES {
        let mut select = conn.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            match read(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, vault) {
                Witness::Opens => return Ok(Witness::Opens),
                Witness::Sealed => found = Witness::Sealed,
                Witness::None => {}
            }
        }
    }
    Ok(found)
}

/// What reads otherwise with its secrets than without them has some. What cannot be read at all says
/// nothing of a key.
fn read<T: PartialEq>(
    vault: &dyn Vault,
    decode: impl Fn(Secrets<'_>) -> Result<T, StoreError>,
) -> Witness {
    match (decode(Secrets::Mask), decode(Secrets::Open(vault))) {
        (Ok(masked), Ok(open)) if masked != open => Witness::Opens,
        (Ok(_), Err(_)) => Witness::Sealed,
        _ => Witness::None,
    }
}
