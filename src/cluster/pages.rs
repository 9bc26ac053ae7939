//! Lists, page by page. The needed part of each item is kept, and the page is dropped before the next one
//! comes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

use super::call::Call;
use super::connection::MOST_OF_AN_OBJECT;
use super::proof::Head;
use super::{Cluster, Failure};

/// The number of objects in a page, as in kubectl.
pub(super) const PAGE: u32 = 500;

/// How often a list begins again because the server has forgotten where the last page ended.
const RESTARTS: u32 = 2;

/// The most pages of a list: two and a half million objects, or half a million secrets with their values.
const PAGES: usize = 5_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    metadata: PageMetadata,
    /// `null` if there are none; the rows of a table. An answer without this field is not a list.
    #[serde(alias = "rows", deserialize_with = "Option::deserialize")]
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
pub(super) struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// The progress of a list: its pages so far, and the token of the next one.
#[derive(Default)]
pub(super) struct Progress {
    next: String,
    seen: BTreeSet<u64>,
    pages: usize,
}

/// A list that repeats a page, or has more pages than any list can.
pub(super) struct Endless;

impl Progress {
    /// Builds the request for the next page.
    pub(super) fn page(&self, call: &Call, limit: u32) -> Call {
        let call = call.clone().query("limit", limit.to_string());
        if self.next.is_empty() { call } else { call.query("continue", self.next.as_str()) }
    }

    /// Moves on after a page, and returns true if another one follows.
    ///
    /// # Errors
    /// The list would never end.
    pub(super) fn after(&mut self, metadata: PageMetadata) -> Result<bool, Endless> {
        self.pages += 1;
        self.next = metadata.next;
        if self.next.is_empty() {
            return Ok(false);
        }
        // The token itself may have kilobytes.
        let mut hasher = DefaultHasher::new();
        self.next.hash(&mut hasher);
        if self.pages >= PAGES || !self.seen.insert(hasher.finish()) { Err(Endless) } else { Ok(true) }
    }
}

impl Cluster {
    /// Returns the results of `keep` for each item of a list, in pages of at most `limit`.
    ///
    /// # Errors
    /// A page could not be read. One that came too late (410) begins the list again.
    pub(super) async fn list<T: DeserializeOwned, R>(
        &self,
        call: Call,
        limit: u32,
        mut keep: impl FnMut(T) -> Option<R>,
    ) -> Result<Vec<R>, Failure> {
        let read = |body: &[u8]| {
            let (items, metadata, head) = serde_json::from_slice::<Page<T>>(body)?.into_parts();
            Ok(((items.filter_map(&mut keep).collect(), metadata), head))
        };
        self.pages(call, limit, read).await
    }

    /// Lists objects as trees, one at a time: a tree takes several times the memory of its text.
    pub(super) async fn list_trees<R>(
        &self,
        call: Call,
        limit: u32,
        keep: impl Fn(&Value) -> R,
    ) -> Result<Vec<R>, Failure> {
        let read = |body: &[u8]| {
            let (items, metadata, head) = serde_json::from_slice::<Page<&RawValue>>(body)?.into_parts();
            let items = items.map(|item| Ok(keep(&tree(item)?)));
            Ok(((items.collect::<serde_json::Result<_>>()?, metadata), head))
        };
        self.pages(call, limit, read).await
    }

    /// Returns the first items of a list, as trees.
    pub(super) async fn some(&self, call: Call, most: u32) -> Result<Vec<Value>, Failure> {
        let read = |body: &[u8]| {
            let (items, _, head) = serde_json::from_slice::<Page<Value>>(body)?.into_parts();
            Ok((items.collect(), head))
        };
        self.page(&Progress::default().page(&call, most), read).await
    }

    async fn pages<R>(
        &self,
        call: Call,
        limit: u32,
        mut read: impl FnMut(&[u8]) -> serde_json::Result<((Vec<R>, PageMetadata), Head)>,
    ) -> Result<Vec<R>, Failure> {
        let mut kept = Vec::new();
        let mut progress = Progress::default();
        let mut restarts = 0;
        loop {
            let (items, metadata) = match self.page(&progress.page(&call, limit), &mut read).await {
                Ok(page) => page,
                Err(failure) if failure.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    kept.clear();
                    progress = Progress::default();
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            kept.extend(items);
            if !progress.after(metadata).map_err(|Endless| self.endless(&call))? {
                return Ok(kept);
            }
        }
    }
}

/// Reads an object of a list as a tree.
fn tree(item: &RawValue) -> serde_json::Result<Value> {
    if item.get().len() > MOST_OF_AN_OBJECT {
        return Err(serde_json::Error::custom("it is larger than any object"));
    }
    serde_json::from_str(item.get())
}

impl<T> Page<T> {
    fn into_parts(self) -> (impl Iterator<Item = T>, PageMetadata, Head) {
        let Self { kind, api_version, metadata, items } = self;
        (items.into_iter().flatten(), metadata, Head { kind, api_version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(progress: &mut Progress, token: &str) -> Option<bool> {
        progress.after(PageMetadata { next: token.to_owned() }).ok()
    }

    #[test]
    fn a_list_ends_where_it_ends_and_also_where_it_goes_in_a_circle_or_on_for_ever() {
        let mut progress = Progress::default();
        assert_eq!(
            ["a", "b", ""].map(|token| after(&mut progress, token)),
            [Some(true), Some(true), Some(false)]
        );
        let mut circle = Progress::default();
        assert_eq!(["a", "b", "a"].map(|token| after(&mut circle, token)), [Some(true), Some(true), None]);
        let mut endless = Progress::default();
        assert!((0..=PAGES).any(|page| after(&mut endless, &page.to_string()).is_none()));
    }

    #[test]
    fn no_item_of_a_list_is_larger_than_any_object() {
        let item = |length: usize| RawValue::from_string(format!("[{}0]", "0,".repeat(length / 2))).unwrap();
        assert!(tree(&item(1_000)).is_ok());
        assert!(tree(&item(MOST_OF_AN_OBJECT)).is_err());
    }

    #[test]
    fn a_list_without_items_is_no_list() {
        let read = |text: &str| {
            serde_json::from_str::<Page<Value>>(text).map(|page| page.into_parts().0.count()).ok()
        };
        assert_eq!(read(r#"{"items":null}"#), Some(0));
        assert_eq!(read(r#"{"rows":[1]}"#), Some(1));
        for other in ["{}", r#"{"metadata":{}}"#, r#"{"items":{}}"#, r#"{"items":""}"#, "null"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
