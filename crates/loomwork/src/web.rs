//! The pages of the web interface, as the server takes them.

use loom_server::{PageFile, Pages};

/// Those that are part of this binary.
pub(crate) struct Embedded;

impl Pages for Embedded {
    fn file(&self, path: &str) -> Option<PageFile> {
        loom_ui::file(path).map(|file| PageFile {
            kind: file.kind,
            tag: file.tag,
            body: file.body,
            gzip: file.gzip,
            lasting: file.lasting,
        })
    }
}
