//! The documents of the reference model.

use super::MemoryStore;
use crate::documents::{Change, Document, DocumentPage, DocumentStore, Scan, Stale, Write};
use crate::error::StoreError;
use loom_core::Timestamp;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Documents {
    collections: BTreeMap<String, BTreeMap<String, Document>>,
    /// The last version given out.
    version: u64,
}

impl Documents {
    fn get(&self, collection: &str, key: &str) -> Option<&Document> {
        self.collections.get(collection)?.get(key)
    }

    /// Puts the document in its place, or leaves none there; answers with the one before.
    fn set(&mut self, collection: &str, key: &str, document: Option<Document>) -> Option<Document> {
        let documents = self.collections.entry(collection.to_owned()).or_default();
        match document {
            Some(document) => documents.insert(key.to_owned(), document),
            None => documents.remove(key),
        }
    }

    /// Makes the changes, or undoes those made before the one that does not hold.
    fn write_set(&mut self, set: &[Change], now: Timestamp) -> Result<Vec<u64>, Stale> {
        let before = self.version;
        let mut undo = Vec::new();
        let mut versions = Vec::new();
        for Change { collection, key, expect, write } in set {
            if !expect.holds(self.get(collection, key).map(|document| document.version)) {
                for (collection, key, document) in undo.into_iter().rev() {
                    self.set(collection, key, document);
                }
                self.version = before;
                return Err(Stale { collection: collection.to_string(), key: key.clone() });
            }
            let document = match write {
                Write::Delete => None,
                Write::Put { body, secret } => {
                    self.version += 1;
                    Some(Document {
                        key: key.clone(),
                        version: self.version,
                        body: body.clone(),
                        secret: secret.clone(),
                        written_at: now,
                    })
                }
            };
            versions.push(document.as_ref().map_or(0, |document| document.version));
            undo.push((&**collection, key.as_str(), self.set(collection, key, document)));
        }
        Ok(versions)
    }
}

impl DocumentStore for MemoryStore {
    fn document(&mut self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        Ok(self.content().documents.get(collection, key).cloned())
    }

    fn scan(&mut self, collection: &str, scan: &Scan) -> Result<DocumentPage, StoreError> {
        let content = self.content();
        let mut found: Vec<&Document> = content
            .documents
            .collections
            .get(collection)
            .into_iter()
            .flat_map(BTreeMap::values)
            .collect();
        if scan.descending {
            found.reverse();
        }
        let is_behind = |key: &String| {
            let after = scan.after.as_ref();
            after.is_none_or(|after| if scan.descending { key < after } else { key > after })
        };
        found.retain(|it| it.key.starts_with(&scan.prefix) && is_behind(&it.key));
        let more = found.len() > scan.page_size();
        let documents = found.into_iter().take(scan.page_size()).cloned().collect();
        Ok(DocumentPage { documents, more })
    }

    fn write(
        &mut self,
        sets: &[Vec<Change>],
        now: Timestamp,
    ) -> Result<Vec<Result<Vec<u64>, Stale>>, StoreError> {
        sets.iter().flatten().try_for_each(Change::check)?;
        let mut content = self.content();
        Ok(sets.iter().map(|set| content.documents.write_set(set, now)).collect())
    }
}
