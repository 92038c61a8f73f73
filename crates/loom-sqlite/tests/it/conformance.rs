//! The suite that every store passes.

use crate::open;
use loom_sqlite::SqliteStore;
use loom_store::conformance::Fixture;
use loom_store::store_conformance;
use std::fs;
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Fixture for Sqlite {
    type Store = SqliteStore;

    fn session(&self) -> SqliteStore {
        open(&self.0.path().join("loom.db"))
    }

    fn readable(&self) -> Option<Vec<u8>> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        Some(files.filter(|path| path.is_file()).flat_map(|path| fs::read(path).unwrap()).collect())
    }
}

store_conformance!(Sqlite::new);
