//! Forgetting reservations whose window is over.

use super::identity::{COLLECTION, bucket};
use super::service::Runs;
use crate::problem::Problem;
use loom_core::Timestamp;
use loom_store::{Change, Expect, Scan, Write};
use std::sync::Weak;
use std::time::Duration;

/// How many reservations are deleted at once.
const AT_ONCE: usize = 500;
/// How long to rest in between.
const REST: Duration = Duration::from_mins(1);

/// Forgets what is over, from time to time, until the runs have gone.
pub(crate) async fn tend(runs: Weak<Runs>) {
    while let Some(present) = runs.upgrade() {
        // What failed now is tried again later: it is kept longer, and nothing is lost.
        let _ = present.sweep_keys().await;
        drop(present);
        tokio::time::sleep(REST).await;
    }
}

impl Runs {
    /// Deletes all reservations that no request can meet any more.
    async fn sweep_keys(&self) -> Result<(), Problem> {
        let now = self.clock.now();
        let mut after = None;
        // One window after the other; in each the oldest buckets come first.
        loop {
            let first = Scan { after: after.clone(), limit: 1, ..Scan::default() };
            let page = self.shelf.scan(COLLECTION, first).await?;
            let Some(document) = page.documents.first() else { return Ok(()) };
            let window = document.key.split('/').next().unwrap_or_default().to_owned();
            self.sweep_window(&window, now).await?;
            // `0` follows `/`: this is behind every key of the window and before any other.
            after = Some(format!("{window}0"));
        }
    }

    async fn sweep_window(&self, window: &str, now: Timestamp) -> Result<(), Problem> {
        let Ok(seconds) = window.parse::<u32>() else { return Ok(()) };
        let current = bucket(Duration::from_secs(u64::from(seconds).max(1)), now);
        loop {
            let scan = Scan { prefix: format!("{window}/"), limit: AT_ONCE, ..Scan::default() };
            let page = self.shelf.scan(COLLECTION, scan).await?;
            let keys = page.documents.into_iter().map(|document| document.key);
            let old: Vec<String> = keys.take_while(|key| is_old(key, current)).collect();
            let count = old.len();
            let delete = |key: String| Change {
                collection: COLLECTION.into(),
                key,
                expect: Expect::Any,
                write: Write::Delete,
            };
            if count > 0 {
                // Nothing is expected of them, so nothing can be stale.
                let _ = self.shelf.write(old.into_iter().map(delete).collect()).await?;
            }
            if count < AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// Whether neither the present bucket nor the one before is the key's.
fn is_old(key: &str, current: u128) -> bool {
    let bucket = key.split('/').nth(1).and_then(|bucket| bucket.parse::<u128>().ok());
    bucket.is_some_and(|bucket| bucket + 1 < current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_bucket_and_the_one_before_stay() {
        assert!(is_old("60/000000000007/h", 9));
        assert!(!is_old("60/000000000008/h", 9));
        assert!(!is_old("60/000000000009/h", 9));
        assert!(!is_old("60/h", 9) && !is_old("", 9));
    }
}
