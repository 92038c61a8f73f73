//! The kernel's notices of changes in a file's folder, where it gives any: inotify on Linux. Where it
//! does not, who waits for a file looks at it from time to time.

#[cfg(target_os = "linux")]
pub(super) use linux::Notices;
#[cfg(not(target_os = "linux"))]
pub(super) use none::Notices;

#[cfg(target_os = "linux")]
mod linux {
    use inotify::{EventMask, Inotify, WatchMask};
    use std::ffi::OsString;
    use std::io::ErrorKind;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    /// What tells that a file changes.
    pub(in crate::builtin) struct Notices {
        inotify: Inotify,
        name: OsString,
        lost: bool,
    }

    impl Notices {
        /// Watches the file's folder, since the file may come, go and be replaced; `None` if that is
        /// not possible, as while the folder does not exist.
        pub(in crate::builtin) fn of(path: &Path) -> Option<Self> {
            let inotify = Inotify::init().ok()?;
            let in_folder = WatchMask::CREATE
                | WatchMask::MOVED_TO
                | WatchMask::ATTRIB
                | WatchMask::MODIFY
                | WatchMask::CLOSE_WRITE
                | WatchMask::DELETE_SELF
                | WatchMask::MOVE_SELF
                | WatchMask::ONLYDIR;
            inotify.watches().add(path.parent()?, in_folder).ok()?;
            // A link's target changes elsewhere.
            if path.is_symlink() {
                let at_target = WatchMask::ATTRIB | WatchMask::MODIFY | WatchMask::CLOSE_WRITE;
                let _ = inotify.watches().add(path, at_target);
            }
            Some(Self { inotify, name: path.file_name()?.to_owned(), lost: false })
        }

        /// Readable when there is a notice.
        pub(in crate::builtin) fn fd(&self) -> BorrowedFd<'_> {
            self.inotify.as_fd()
        }

        /// Whether the folder itself has gone, and with it the notices.
        pub(in crate::builtin) const fn lost(&self) -> bool {
            self.lost
        }

        /// Takes what has come, and says whether a touch is among it. Two touches within one tick of
        /// the file's clock look the same, so the notice alone counts.
        pub(in crate::builtin) fn touched(&mut self) -> bool {
            let gone = EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::IGNORED;
            let touch = EventMask::CREATE
                | EventMask::MOVED_TO
                | EventMask::MODIFY
                | EventMask::CLOSE_WRITE;
            let mut touched = false;
            let mut buffer = [0; 4096];
            loop {
                match self.inotify.read_events(&mut buffer) {
                    Ok(events) => {
                        for event in events {
                            self.lost |= event.mask.intersects(gone);
                            let ours = event.name.is_none_or(|name| name == self.name);
                            touched |= ours && event.mask.intersects(touch);
                        }
                    }
                    Err(error) => {
                        self.lost |= error.kind() != ErrorKind::WouldBlock;
                        return touched;
                    }
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::os::fd::BorrowedFd;
    use std::path::Path;

    /// There are none.
    pub(in crate::builtin) enum Notices {}

    impl Notices {
        pub(in crate::builtin) const fn of(_path: &Path) -> Option<Self> {
            None
        }

        pub(in crate::builtin) const fn fd(&self) -> BorrowedFd<'_> {
            match *self {}
        }

        pub(in crate::builtin) const fn lost(&self) -> bool {
            match *self {}
        }

        pub(in crate::builtin) const fn touched(&mut self) -> bool {
            match *self {}
        }
    }
}
