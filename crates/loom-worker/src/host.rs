//! What all attempts of one worker share.

use crate::contract::Contracts;
use crate::environment::Inherited;
use crate::http::Client;
use crate::permissions::PermissionService;
use crate::secrets::Secrets;
use crate::worker::WorkerOptions;
use loom_protocol::AttemptRequest;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A list of secrets as it came, and as it is searched for.
type Prepared = (Arc<Vec<String>>, Secrets);

/// What all attempts of one worker share.
#[derive(Debug)]
pub(crate) struct Host {
    /// How long a process has between TERM and KILL.
    pub(crate) grace: Duration,
    /// Asks servers.
    pub(crate) client: Client,
    /// Says what the owners of tokens may do.
    pub(crate) permissions: PermissionService,
    /// What every process gets.
    pub(crate) inherited: Inherited,
    /// Checks results.
    pub(crate) contracts: Contracts,
    scratch: PathBuf,
    next: AtomicU64,
    /// The last list of secrets: the attempts of a run share theirs.
    secrets: Mutex<Option<Prepared>>,
}

/// Tells the workers of one process apart.
static WORKERS: AtomicU64 = AtomicU64::new(0);

impl Host {
    /// The files `$LOOM_OUTPUT` go to a private folder made inside `options.temporary`.
    pub(crate) fn new(options: WorkerOptions) -> Self {
        let worker = WORKERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("loom-{}-{}-{worker}", std::process::id(), crate::sys::now_micros());
        let client = Client::new(options.certificates.as_deref());
        Self {
            grace: options.grace,
            permissions: PermissionService::new(
                options.permissions_url,
                options.permissions_timeout,
                client.clone(),
            ),
            client,
            inherited: Inherited::now(&options.withheld),
            contracts: Contracts::default(),
            scratch: options.temporary.join(name),
            next: AtomicU64::new(0),
            secrets: Mutex::default(),
        }
    }

    /// The secrets of an attempt, prepared for searching.
    pub(crate) fn secrets(&self, request: &AttemptRequest) -> Secrets {
        if request.secrets.is_empty() {
            return Secrets::default();
        }
        let mut last = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((list, secrets)) = &*last
            && Arc::ptr_eq(list, &request.secrets)
        {
            return secrets.clone();
        }
        let secrets = Secrets::new(&request.secrets);
        *last = Some((Arc::clone(&request.secrets), secrets.clone()));
        secrets
    }

    /// A path that nobody else has, in a folder that exists. The file is the attempt's to make.
    pub(crate) fn output_file(&self) -> io::Result<PathBuf> {
        // Looked at each time: folders for temporary files are swept by others.
        if !self.scratch.is_dir() {
            use std::os::unix::fs::DirBuilderExt;
            match std::fs::DirBuilder::new().mode(0o700).create(&self.scratch) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(self.scratch.join(number.to_string()))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Nothing is lost if it stays: it is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}
