//! Counts the facts that a store commits: whoever commits one need not think of it.

use super::{BoxFuture, Store, StoreError};
use crate::{
    metrics::Metrics,
    record::{Batch, Key, KeyRange, Op, Record},
};
use serde::Deserialize;
use std::sync::Arc;

/// `store`, whose events are counted in `metrics`.
#[must_use]
pub fn counted(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Arc<dyn Store> {
    Arc::new(Counted { store, metrics })
}

struct Counted {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

/// What is counted of an [`crate::record::Event`].
#[derive(Deserialize)]
struct What {
    what: String,
}

impl Store for Counted {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.store.list(range, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        let facts: Vec<What> = batch.ops.iter().filter_map(fact).collect();
        let done = self.store.commit(batch);
        Box::pin(async move {
            done.await?;
            for fact in &facts {
                self.metrics.event(&fact.what);
            }
            Ok(())
        })
    }
}

fn fact(op: &Op) -> Option<What> {
    let Op::Put { key, value, .. } = op else { return None };
    key.as_str().starts_with("event/").then(|| serde_json::from_str(value).ok())?
}
