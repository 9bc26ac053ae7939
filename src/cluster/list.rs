//! Lists, page by page: what is wanted of each item is kept, and the page is dropped before the next one comes.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::call::Call;
use super::{Cluster, Failure};

/// How many objects a page holds, as kubectl's.
pub(super) const PAGE: u32 = 500;

/// How often a list is begun anew because the server has forgotten where the last page ended.
const RESTARTS: u32 = 2;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    /// `null` where there are none. Those of a table are its rows.
    #[serde(alias = "rows")]
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

impl Cluster {
    /// What `keep` makes of each item of a list, in pages of at most `limit`.
    ///
    /// # Errors
    /// A page that could not be read. One that came too late (410) begins the list anew.
    pub(super) async fn list<T: DeserializeOwned, R>(
        &self,
        call: Call,
        limit: u32,
        mut keep: impl FnMut(T) -> Option<R>,
    ) -> Result<Vec<R>, Failure> {
        let read = |body: &[u8]| {
            let Page { metadata, items } = serde_json::from_slice::<Page<T>>(body)?;
            Ok((items.into_iter().flatten().filter_map(&mut keep).collect(), metadata))
        };
        self.pages(call, limit, read).await
    }

    /// The same for objects as trees, of which there is one at a time: a tree takes several times the memory of its
    /// text.
    pub(super) async fn list_trees<R>(
        &self,
        call: Call,
        limit: u32,
        keep: impl Fn(&Value) -> R,
    ) -> Result<Vec<R>, Failure> {
        let read = |body: &[u8]| {
            let Page { metadata, items } = serde_json::from_slice::<Page<&RawValue>>(body)?;
            let items = items.into_iter().flatten().map(|item| Ok(keep(&serde_json::from_str(item.get())?)));
            Ok((items.collect::<serde_json::Result<_>>()?, metadata))
        };
        self.pages(call, limit, read).await
    }

    async fn pages<R>(
        &self,
        call: Call,
        limit: u32,
        mut read: impl FnMut(&[u8]) -> serde_json::Result<(Vec<R>, PageMetadata)>,
    ) -> Result<Vec<R>, Failure> {
        let call = call.query("limit", limit.to_string());
        let mut kept = Vec::new();
        let mut next = String::new();
        let mut restarts = 0;
        loop {
            let page = if next.is_empty() { call.clone() } else { call.clone().query("continue", next) };
            let body = match self.send(&page).await {
                Ok(body) => body,
                Err(failure) if failure.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    kept.clear();
                    next = String::new();
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let (items, metadata) = read(&body).map_err(|_| self.unreadable(&page))?;
            kept.extend(items);
            next = metadata.next;
            if next.is_empty() {
                return Ok(kept);
            }
        }
    }
}
