//! Documents: a table of small records, and the count of their versions.

use crate::SqliteStore;
use crate::fault::Fault;
use crate::vault::Sealing;
use crate::write::begin;
use loom_core::Timestamp;
use loom_store::record::{Vault, decode_body, encode_body};
use loom_store::{Change, Document, DocumentPage, DocumentStore, Scan, Stale, StoreError, Write};
use rusqlite::{Connection, OptionalExtension, Row, params};

const DOCUMENT: &str = "SELECT key, version, written_at, body, secret FROM documents";

impl DocumentStore for SqliteStore {
    fn document(&mut self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        let result = self.try_document(collection, key);
        self.told(result)
    }

    fn scan(&mut self, collection: &str, scan: &Scan) -> Result<DocumentPage, StoreError> {
        let result = self.try_scan(collection, scan);
        self.told(result)
    }

    fn write(
        &mut self,
        sets: &[Vec<Change>],
        now: Timestamp,
    ) -> Result<Vec<Result<Vec<u64>, Stale>>, StoreError> {
        sets.iter().flatten().try_for_each(Change::check)?;
        let result = self.try_write(sets, now);
        self.told(result)
    }
}

impl SqliteStore {
    fn try_document(&self, collection: &str, key: &str) -> Result<Option<Document>, Fault> {
        let sql = format!("{DOCUMENT} WHERE collection = ? AND key = ?");
        let mut select = self.conn.prepare_cached(&sql)?;
        let mut rows = select.query([collection, key])?;
        let sealing = Sealing::new(&self.conn, &self.files);
        rows.next()?.map(|row| read_document(row, &sealing)).transpose()
    }

    fn try_scan(&self, collection: &str, scan: &Scan) -> Result<DocumentPage, Fault> {
        let (behind, order) = if scan.descending { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "{DOCUMENT} WHERE collection = ?1 AND key >= ?2
                AND (?3 IS NULL OR key < CAST(?3 AS TEXT))
                AND (?4 IS NULL OR key {behind} ?4)
             ORDER BY key {order} LIMIT ?5"
        );
        let mut select = self.conn.prepare_cached(&sql)?;
        let size = scan.page_size();
        let one_more = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
        let end = end_of(&scan.prefix);
        let mut rows = select.query(params![collection, scan.prefix, end, scan.after, one_more])?;
        let sealing = Sealing::new(&self.conn, &self.files);
        let mut page = DocumentPage { documents: Vec::new(), more: false };
        while let Some(row) = rows.next()? {
            if page.documents.len() == size {
                page.more = true;
                break;
            }
            page.documents.push(read_document(row, &sealing)?);
        }
        Ok(page)
    }

    fn try_write(
        &mut self,
        sets: &[Vec<Change>],
        now: Timestamp,
    ) -> Result<Vec<Result<Vec<u64>, Stale>>, Fault> {
        let mut tx = begin(&mut self.conn, self.busy_timeout)?;
        let before = last_version(&tx)?;
        let mut last = before;
        let mut answers = Vec::with_capacity(sets.len());
        let mut changed = false;
        for set in sets {
            let part = tx.savepoint()?;
            let answer = write_set(&part, &Sealing::new(&part, &self.files), set, last, now)?;
            if let Ok(versions) = &answer {
                part.commit()?;
                last = versions.iter().copied().max().unwrap_or(0).max(last);
                changed |= !set.is_empty();
            }
            answers.push(answer);
        }
        if changed {
            tx.prepare_cached("UPDATE document_versions SET last = ?")?.execute([last as i64])?;
            tx.commit()?;
        }
        Ok(answers)
    }
}

/// Makes the changes of a set up to the first that does not hold; then those before it have to be
/// undone. `last` is the last version given out before.
fn write_set(
    conn: &Connection,
    vault: &dyn Vault,
    set: &[Change],
    mut last: u64,
    now: Timestamp,
) -> Result<Result<Vec<u64>, Stale>, Fault> {
    let mut find =
        conn.prepare_cached("SELECT version FROM documents WHERE collection = ? AND key = ?")?;
    let mut versions = Vec::with_capacity(set.len());
    for Change { collection, key, expect, write } in set {
        let found = find
            .query_row([&**collection, key.as_str()], |row| row.get::<_, i64>(0))
            .optional()?
            .map(|version| version as u64);
        if !expect.holds(found) {
            return Ok(Err(Stale { collection: collection.to_string(), key: key.clone() }));
        }
        let version = match write {
            Write::Delete => {
                conn.prepare_cached("DELETE FROM documents WHERE collection = ? AND key = ?")?
                    .execute([&**collection, key.as_str()])?;
                0
            }
            Write::Put { body, secret } => {
                last += 1;
                let secret = secret.as_ref().map(|secret| vault.seal(secret.as_bytes()));
                conn.prepare_cached(
                    "INSERT OR REPLACE INTO documents
                         (collection, key, version, written_at, body, secret)
                     VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    collection,
                    key,
                    last as i64,
                    now.0 as i64,
                    encode_body(body),
                    secret.transpose()?,
                ])?;
                last
            }
        };
        versions.push(version);
    }
    Ok(Ok(versions))
}

fn last_version(conn: &Connection) -> Result<u64, Fault> {
    let last: i64 = conn
        .prepare_cached("SELECT last FROM document_versions")?
        .query_row([], |row| row.get(0))?;
    Ok(last as u64)
}

fn read_document(row: &Row<'_>, vault: &dyn Vault) -> Result<Document, Fault> {
    let key: String = row.get(0)?;
    let open = |sealed: String| {
        String::from_utf8(vault.open(&sealed)?)
            .map_err(|_| StoreError::Corrupt(format!("the secret of the document `{key}`")))
    };
    let secret = row.get::<_, Option<String>>(4)?.map(open).transpose()?;
    let body = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(Document {
        version: row.get::<_, i64>(1)? as u64,
        written_at: Timestamp(row.get::<_, i64>(2)? as u64),
        body: decode_body(body)?,
        secret,
        key,
    })
}

/// The first bytes behind all texts that start with this one, if there are any. The last byte of a
/// text is never 255.
fn end_of(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    *end.last_mut()? += 1;
    Some(end)
}
