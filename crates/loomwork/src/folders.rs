//! Changes in folders, as the server hears of them: what the worker's `touched` goes by.

use loom_server::{FolderWatch, Folders};
use loom_worker::FolderNotices;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

/// The kernel, which tells of changes in folders.
pub(crate) struct Kernel;

impl Folders for Kernel {
    fn watch(&self, folders: &[PathBuf]) -> Option<Box<dyn FolderWatch>> {
        let notices = FolderNotices::of(folders)?;
        Some(Box::new(Watching(notices)))
    }
}

/// Folders that the kernel tells of.
struct Watching(FolderNotices);

impl AsFd for Watching {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl FolderWatch for Watching {
    fn take(&mut self) -> bool {
        self.0.take()
    }
}
