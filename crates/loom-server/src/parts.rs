//! What the composition root gives a server.

use crate::feed::Bell;
use crate::insight::{CommitMeter, Space};
use loom_core::RunId;
use loom_engine::{Clock, Handle};
use loom_spec::PluginCatalog;
use loom_store::{DocumentStore, QueryStore, StoreError, UpkeepStore};
use std::any::Any;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The concrete parts behind the seams.
pub struct Parts {
    /// The engine that runs what is started here.
    pub engine: Handle,
    /// Rung by the engine's commits; see [`crate::Ringer`].
    pub bell: Bell,
    /// Connections to the store.
    pub stores: Arc<dyn Stores>,
    /// The plugins that workflows may use.
    pub plugins: Arc<dyn PluginCatalog + Send + Sync>,
    /// What attempts printed.
    pub logs: Arc<dyn Logs>,
    /// Tells of changes in folders.
    pub folders: Arc<dyn Folders>,
    /// Told of the engine's commits by its store.
    pub commits: Arc<CommitMeter>,
    /// The web interface.
    pub pages: Arc<dyn Pages>,
    /// Where the server's log goes.
    pub log: Box<dyn io::Write + Send>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Makes connections to one store.
pub trait Stores: Send + Sync {
    /// A connection for looking.
    fn query(&self) -> Result<Box<dyn QueryStore>, StoreError>;

    /// A connection for the server's own documents.
    fn documents(&self) -> Result<Box<dyn DocumentStore>, StoreError>;

    /// Room on the store's disk; `None` if it is on none of this machine.
    fn space(&self) -> io::Result<Option<Space>>;

    /// A connection for the janitor.
    fn upkeep(&self) -> Result<Box<dyn UpkeepStore>, StoreError>;
}

/// The logs of attempts.
pub trait Logs: Send + Sync {
    /// The log of one attempt; `NotFound` if it printed nothing, or its log was deleted.
    fn open(&self, log: LogFile) -> io::Result<File>;

    /// Deletes all logs of a run; no effect if there are none.
    fn delete(&self, run: RunId) -> io::Result<()>;
}

/// Tells of changes in folders.
pub trait Folders: Send + Sync {
    /// Calls `told` when something changes in one of these folders, not in those below them, as long
    /// as the answer is kept; with `false` if it may not have been told of everything, after which
    /// it is told of nothing. `None` where the system does not tell of each of them.
    fn watch(
        &self,
        folders: &[PathBuf],
        told: Box<dyn Fn(bool) + Send>,
    ) -> Option<Box<dyn Any + Send + Sync>>;
}

/// The files of the web interface.
pub trait Pages: Send + Sync {
    /// The file at this path, which begins with a slash. `/index.html` is the page itself, and has
    /// `<meta name="csp-nonce" content="" />` for the nonce of its styles; without it there are no
    /// pages.
    fn file(&self, path: &str) -> Option<PageFile>;
}

/// One file of the web interface.
#[derive(Clone, Copy, Debug)]
pub struct PageFile {
    /// Its media type.
    pub kind: &'static str,
    /// Changes whenever the content does; of what may stand in an entity tag.
    pub tag: &'static str,
    /// The content.
    pub body: &'static [u8],
    /// The content once more, compressed by gzip.
    pub gzip: Option<&'static [u8]>,
    /// Whether the path names this content for good.
    pub lasting: bool,
}

/// Names the log of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The run.
    pub run: RunId,
    /// The task or item.
    pub task: loom_core::TaskRef,
    /// Counts from 1.
    pub attempt: u32,
}
