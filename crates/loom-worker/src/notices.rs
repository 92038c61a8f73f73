//! The kernel's notices of changes in folders, by inotify. Where it gives none (not every file system
//! does, nor for ever more watches), who waits for a file looks at it from time to time.

pub(crate) use kernel::FileNotices;

use crate::stop::Wakeup;
use crate::sys::{self, Watched};
use kernel::FolderNotices;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Tells of changes in folders as long as it is kept, from a thread of its own.
#[derive(Debug)]
pub struct FolderWatch(Arc<Wakeup>);

impl FolderWatch {
    /// Calls `told` when files of these folders, not of those below them, come, are replaced, or have
    /// been written: once for all that came at once. With `false` if it may not have been told of
    /// everything, since a folder itself has gone or too much has come; then it tells no more.
    /// `None` if the system does not tell of each of them, as while one does not exist.
    pub fn start<P: AsRef<Path>>(
        folders: &[P],
        told: impl Fn(bool) + Send + 'static,
    ) -> Option<Self> {
        let mut notices = FolderNotices::of(folders)?;
        let end = Arc::new(Wakeup::new().ok()?);
        let ended = Arc::clone(&end);
        let work = move || loop {
            let mut watched =
                [Watched::readable(notices.as_fd()), Watched::readable(ended.as_fd())];
            if sys::poll(&mut watched, None).is_err() || watched[1].ready() {
                return;
            }
            let whole = notices.take();
            told(whole);
            if !whole {
                return;
            }
        };
        thread::Builder::new().name("loom-folders".to_owned()).spawn(work).ok()?;
        Some(Self(end))
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.0.wake();
    }
}

mod kernel {
    use inotify::{Event, EventMask, Inotify, WatchMask};
    use std::ffi::{OsStr, OsString};
    use std::io::ErrorKind;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    /// What tells that files of some folders come, are replaced, or have been written.
    pub(super) struct FolderNotices {
        inotify: Inotify,
        lost: bool,
    }

    impl FolderNotices {
        /// Watches these folders, not what is below them; `None` if that is not possible for each,
        /// as while one does not exist.
        pub(super) fn of<P: AsRef<Path>>(folders: &[P]) -> Option<Self> {
            Self::with(folders, WatchMask::empty())
        }

        fn with<P: AsRef<Path>>(folders: &[P], more: WatchMask) -> Option<Self> {
            let inotify = Inotify::init().ok()?;
            let mask = WatchMask::CREATE
                | WatchMask::MOVED_TO
                | WatchMask::ATTRIB
                | WatchMask::CLOSE_WRITE
                | WatchMask::DELETE_SELF
                | WatchMask::MOVE_SELF
                | WatchMask::ONLYDIR
                | more;
            for folder in folders {
                inotify.watches().add(folder, mask).ok()?;
            }
            Some(Self { inotify, lost: false })
        }

        /// Takes what has come; `false` if a folder itself has gone, or too much has come at once.
        /// Then some of it is not told, and somebody has to look and to watch anew.
        pub(super) fn take(&mut self) -> bool {
            self.each(|_| ());
            !self.lost
        }

        fn each(&mut self, mut take: impl FnMut(&Event<&OsStr>)) {
            let gone = EventMask::DELETE_SELF
                | EventMask::MOVE_SELF
                | EventMask::IGNORED
                | EventMask::Q_OVERFLOW;
            let mut buffer = [0; 4096];
            loop {
                match self.inotify.read_events(&mut buffer) {
                    Ok(events) => events.for_each(|event| {
                        self.lost |= event.mask.intersects(gone);
                        take(&event);
                    }),
                    Err(error) => {
                        self.lost |= error.kind() != ErrorKind::WouldBlock;
                        return;
                    }
                }
            }
        }
    }

    impl AsFd for FolderNotices {
        /// Readable when there is a notice.
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inotify.as_fd()
        }
    }

    /// What tells that one file changes.
    pub(crate) struct FileNotices {
        folder: FolderNotices,
        name: OsString,
    }

    impl FileNotices {
        /// Watches the file's folder, since the file may come, go and be replaced; `None` if that is
        /// not possible, as while the folder does not exist.
        pub(crate) fn of(path: &Path) -> Option<Self> {
            let folder = FolderNotices::with(&[path.parent()?], WatchMask::MODIFY)?;
            // A link's target changes elsewhere.
            if path.is_symlink() {
                let at_target = WatchMask::ATTRIB | WatchMask::MODIFY | WatchMask::CLOSE_WRITE;
                let _ = folder.inotify.watches().add(path, at_target);
            }
            Some(Self { folder, name: path.file_name()?.to_owned() })
        }

        /// Readable when there is a notice.
        pub(crate) fn fd(&self) -> BorrowedFd<'_> {
            self.folder.as_fd()
        }

        /// Whether the folder itself has gone, and with it the notices.
        pub(crate) const fn lost(&self) -> bool {
            self.folder.lost
        }

        /// Takes what has come, and says whether a touch is among it. Two touches within one tick of
        /// the file's clock look the same, so the notice alone counts.
        pub(crate) fn touched(&mut self) -> bool {
            let touch = EventMask::CREATE
                | EventMask::MOVED_TO
                | EventMask::MODIFY
                | EventMask::CLOSE_WRITE;
            let mut touched = false;
            let name = &self.name;
            self.folder.each(|event| {
                let ours = event.name.is_none_or(|found| found == name);
                touched |= ours && event.mask.intersects(touch);
            });
            touched
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn what_comes_into_a_folder_is_told_until_the_folder_goes() {
        const PATIENCE: Duration = Duration::from_secs(20);
        let root = tempfile::tempdir().unwrap();
        let folders = ["a", "b"].map(|name| root.path().join(name));
        assert!(FolderWatch::start(&folders, |_| ()).is_none());
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let (sender, told) = channel();
        let watch = FolderWatch::start(&folders, move |whole| sender.send(whole).unwrap()).unwrap();
        fs::write(folders[1].join("f"), "").unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
        fs::remove_dir(&folders[0]).unwrap();
        while told.recv_timeout(PATIENCE).unwrap() {}
        drop(watch);
        let (sender, told) = channel();
        let watch = FolderWatch::start(&folders[1..], move |whole| sender.send(whole).unwrap());
        drop(watch.unwrap());
        // Its thread ends, and with it the sender.
        assert!(told.recv_timeout(PATIENCE).is_err());
    }
}
