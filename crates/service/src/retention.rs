//! What nobody needs any more goes, in small bites.

use crate::{Result, Service, reconcile::Activation};
use domain::Millis;
use std::time::Duration;

const HOUR: Millis = 3_600_000;
/// Uploads nothing arrived for, and idempotency keys, are kept this long.
const UPLOADS_MS: Millis = 24 * HOUR;
const KEYS_MS: Millis = 24 * HOUR;
const BATCH: i64 = 100;

impl Service {
    pub(crate) async fn activate_retention(&self) -> Result<Activation> {
        let now = self.now();
        let stale = store::uploads::stale(self.db(), now - UPLOADS_MS, BATCH).await?;
        let handled = stale.len() as u64;
        for upload in stale {
            let mut tx = self.db().begin().await?;
            store::uploads::delete(&mut tx, &upload.id).await?;
            tx.commit().await?;
            // It may never have received a byte.
            let _ = tokio::fs::remove_file(self.upload_path(&upload.id)).await;
        }
        let mut tx = self.db().begin().await?;
        store::idempotency::purge(&mut tx, now - KEYS_MS).await?;
        store::login_links::purge(&mut tx, now).await?;
        tx.commit().await?;
        store::sessions::Sessions::new(self.db().clone(), std::sync::Arc::new(move || now))
            .purge()
            .await?;
        let swept = self.sweep_clusters().await?;
        let next = if handled == BATCH.unsigned_abs() {
            Duration::from_secs(1)
        } else {
            Duration::from_secs(600)
        };
        Ok(Activation {
            handled: handled + swept,
            next,
        })
    }
}
