//! Lists, page by page: what is wanted of each item is kept, and the page is dropped before the next one comes.

use serde::Deserialize;
use serde::de::DeserializeOwned;

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
    /// `null` where there are none.
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
        let call = call.query("limit", limit.to_string());
        let mut kept = Vec::new();
        let mut next = String::new();
        let mut restarts = 0;
        loop {
            let page = if next.is_empty() { call.clone() } else { call.clone().query("continue", next) };
            let page: Page<T> = match self.json(&page).await {
                Ok(page) => page,
                Err(failure) if failure.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    kept.clear();
                    next = String::new();
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            kept.extend(page.items.into_iter().flatten().filter_map(&mut keep));
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(kept);
            }
        }
    }
}
