//! Documents: small durable records beside the runs, kept by the programs around the engine.
//!
//! A document is JSON under a key of a collection, with a version. Versions never repeat in a
//! store, not after a delete either, so that one names a content for good. A document may carry one
//! secret, which is sealed where it is kept and opened when it is read.

use crate::StoreError;
use crate::record::MASK;
use loom_core::json::{DEPTH_MAX, STORED_DEPTH_MAX};
use loom_core::{Timestamp, Value};
use std::borrow::Cow;
use std::fmt;

/// The most bytes of a document: its body as compact JSON and its secret together.
pub const DOCUMENT_BYTES: usize = 1 << 20;

/// The most bytes of a key.
pub const DOCUMENT_KEY_BYTES: usize = 1024;

/// How deep lists and maps of a body may be nested: what is taken from outside, in what we put around
/// it.
pub const DOCUMENT_DEPTH: usize = 100;

const _: () = assert!(DEPTH_MAX + 32 <= DOCUMENT_DEPTH && DOCUMENT_DEPTH < STORED_DEPTH_MAX);

/// What those need who keep documents.
pub trait DocumentStore: Send {
    /// The document under this key, if there is one.
    fn document(&mut self, collection: &str, key: &str) -> Result<Option<Document>, StoreError>;

    /// Documents of a collection, in the order of their keys' bytes.
    fn scan(&mut self, collection: &str, scan: &Scan) -> Result<DocumentPage, StoreError>;

    /// Makes each set of changes whole or not at all; all sets that hold become durable in one
    /// transaction. Each change sees what those before it wrote, in its own set and in earlier
    /// ones. A document beyond a limit is [`StoreError::TooLarge`] and refuses the whole call.
    ///
    /// Answers for each set with the versions written (0 for a delete), or with the first of its
    /// expectations that did not hold.
    fn write(
        &mut self,
        sets: &[Vec<Change>],
        now: Timestamp,
    ) -> Result<Vec<Result<Vec<u64>, Stale>>, StoreError>;
}

/// A document as it is kept.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// Its key in the collection.
    pub key: String,
    /// Names this content: later ones of any document have a greater version.
    pub version: u64,
    /// What it says.
    pub body: Value,
    /// What only its readers may see.
    pub secret: Option<String>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Which documents of a collection to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Only keys that start with this.
    pub prefix: String,
    /// Only keys behind this one, in the order of the scan: the last of the page before.
    pub after: Option<String>,
    /// From the last key to the first.
    pub descending: bool,
    /// At most so many; 0 for the store's own limit (1,000).
    pub limit: usize,
}

impl Scan {
    /// The most documents that a page may hold.
    pub const fn page_size(&self) -> usize {
        if self.limit == 0 { 1000 } else { self.limit }
    }
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentPage {
    /// The documents, in the order of the scan.
    pub documents: Vec<Document>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// What a change takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// That there is no document under the key.
    Absent,
    /// That the document is there and has this version.
    Version(u64),
}

impl Expect {
    /// Whether it holds for a document of this version, or for none.
    pub fn holds(self, version: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => version.is_none(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

/// What becomes of a document.
#[derive(Clone, PartialEq)]
pub enum Write {
    /// It is this from now on, whether or not it was there.
    Put {
        /// What it says.
        body: Value,
        /// What only its readers may see.
        secret: Option<String>,
    },
    /// It is gone. No effect if it was not there.
    Delete,
}

/// A change of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The collection; it exists as long as there is a document in it.
    pub collection: Cow<'static, str>,
    /// The document's key.
    pub key: String,
    /// What must be so.
    pub expect: Expect,
    /// What is to be done.
    pub write: Write,
}

impl Change {
    /// Refuses a change that makes a document beyond a limit.
    pub fn check(&self) -> Result<(), StoreError> {
        let Self { collection, key, write, .. } = self;
        let check = |what: &str, found: usize, limit: usize| {
            if found <= limit {
                return Ok(());
            }
            let name: String = key.chars().take(60).collect();
            Err(StoreError::TooLarge(format!(
                "the document `{name}` of `{collection}` has {what} of {found}; the limit is {limit}"
            )))
        };
        check("a key", key.len(), DOCUMENT_KEY_BYTES)?;
        let Write::Put { body, secret } = write else { return Ok(()) };
        check("a depth", depth(body), DOCUMENT_DEPTH)?;
        let secret = secret.as_ref().map_or(0, String::len);
        check("a size", crate::record::encode_body(body).len() + secret, DOCUMENT_BYTES)
    }
}

/// An expectation that did not hold; that of the version of a document that is gone included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The collection.
    pub collection: String,
    /// The document's key.
    pub key: String,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the document `{}` of `{}` was changed meanwhile", self.key, self.collection)
    }
}

impl std::error::Error for Stale {}

fn depth(value: &Value) -> usize {
    // A list instead of a call for each level, because the levels are a stranger's.
    let mut deepest = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, level)) = open.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|field| (field, level + 1))),
            _ => {}
        }
    }
    deepest
}

/// Stands for a secret in debugging output.
const fn masked(secret: Option<&String>) -> Option<&'static str> {
    if secret.is_some() { Some(MASK) } else { None }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("body", &self.body)
            .field("secret", &masked(self.secret.as_ref()))
            .field("written_at", &self.written_at)
            .finish()
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { body, secret } => f
                .debug_struct("Put")
                .field("body", body)
                .field("secret", &masked(secret.as_ref()))
                .finish(),
            Self::Delete => f.write_str("Delete"),
        }
    }
}
