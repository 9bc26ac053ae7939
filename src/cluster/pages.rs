//! Lists, page by page. The needed part of each item is kept, and the page is dropped before the next one
//! comes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

use super::call::Call;
use super::proof::{Head, OVERSIZED};
use super::size::{self, Limit};
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
    /// The columns of a table.
    #[serde(default, rename = "columnDefinitions")]
    columns: Vec<Column>,
    /// `null` if there are none; the rows of a table. An answer without this field is not a list.
    #[serde(alias = "rows", deserialize_with = "Option::deserialize")]
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// What was kept of a page, and what the page says of the next one and of itself.
type Parts<R> = ((Vec<R>, PageMetadata), Head);

impl<'a, T: Deserialize<'a>> Page<T> {
    fn read<R>(
        body: &'a [u8],
        mut keep: impl FnMut(&[Column], T) -> serde_json::Result<Option<R>>,
    ) -> serde_json::Result<Parts<R>> {
        let Self { kind, api_version, metadata, columns, items } = serde_json::from_slice(body)?;
        let kept = items.into_iter().flatten().filter_map(|item| keep(&columns, item).transpose());
        Ok(((kept.collect::<serde_json::Result<_>>()?, metadata), Head { kind, api_version }))
    }
}

/// The progress of a list: its pages so far, and the token of the next one.
#[derive(Default)]
pub(super) struct Progress {
    next: String,
    seen: BTreeSet<u64>,
    pages: usize,
}

/// The first items of a list.
pub(crate) struct Beginning<T> {
    items: Vec<T>,
    /// None if there are no more.
    rest: Option<Progress>,
}

/// A list that repeats a page, or has more pages than any list can.
struct Endless;

impl Progress {
    /// Builds the request for the next page.
    pub(super) fn page(&self, call: &Call, limit: u32) -> Call {
        let call = call.clone().query("limit", limit.to_string());
        if self.is_at_start() { call } else { call.query("continue", self.next.as_str()) }
    }

    pub(super) fn is_at_start(&self) -> bool {
        self.next.is_empty()
    }

    /// Moves on after a page, and returns true if another one follows.
    ///
    /// # Errors
    /// The list would never end.
    fn after(&mut self, metadata: PageMetadata) -> Result<bool, Endless> {
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
        self.kept(&call, limit, |body| Page::read(body, |_, item: T| Ok(keep(item)))).await
    }

    /// Lists objects as trees, one at a time: a tree takes several times the memory of its text.
    pub(super) async fn list_trees<R>(
        &self,
        call: Call,
        limit: u32,
        keep: impl Fn(&Value) -> R,
    ) -> Result<Vec<R>, Failure> {
        let keep = |_: &[Column], item: &RawValue| Ok(Some(keep(&tree(item)?)));
        self.kept(&call, limit, |body| Page::read(body, keep)).await
    }

    /// Hands on what `keep` makes of each item as soon as its page is read, since the caller may stop waiting.
    /// No name comes twice, even if the list is begun anew.
    pub(super) async fn each<T: DeserializeOwned, R>(
        &self,
        page: impl Fn(&Progress) -> Call,
        mut keep: impl FnMut(&[Column], T) -> R,
        name: impl Fn(&R) -> &str,
        mut found: impl FnMut(R),
    ) -> Result<(), Failure> {
        let mut told = BTreeSet::new();
        let read = |body: &[u8]| Page::read(body, |columns, item: T| Ok(Some(keep(columns, item))));
        let hand_on = |page: Option<Vec<R>>| {
            let items = page.into_iter().flatten();
            items.filter(|item| told.insert(name(item).to_owned())).for_each(&mut found);
        };
        self.pages(page, read, hand_on).await
    }

    /// Returns what `keep` makes of the first objects of a list, and whether there are more.
    pub(super) async fn first_trees<R>(
        &self,
        call: Call,
        most: u32,
        keep: impl Fn(&Value) -> R,
    ) -> Result<(Vec<R>, bool), Failure> {
        let keep = |_: &[Column], item: &RawValue| Ok(Some(keep(&tree(item)?)));
        let read = |body: &[u8]| Page::read(body, keep);
        let (items, metadata) = self.page(&Progress::default().page(&call, most), read).await?;
        Ok((items, !metadata.next.is_empty()))
    }

    /// Returns the first items of a list, as trees.
    pub(super) async fn some(&self, call: Call, most: u32) -> Result<Vec<Value>, Failure> {
        let read = |body: &[u8]| Page::read(body, |_, item: Value| Ok(Some(item)));
        self.page(&Progress::default().page(&call, most), read).await.map(|(items, _)| items)
    }

    /// Returns the first items of a list, for [`Cluster::list_after`].
    pub(super) async fn beginning<T: DeserializeOwned>(
        &self,
        call: &Call,
        limit: u32,
    ) -> Result<Beginning<T>, Failure> {
        let mut progress = Progress::default();
        let read = |body: &[u8]| Page::read(body, |_, item: T| Ok(Some(item)));
        let (items, metadata) = self.page(&progress.page(call, limit), read).await?;
        let is_whole = !progress.after(metadata).map_err(|Endless| self.endless(call))?;
        Ok(Beginning { items, rest: (!is_whole).then_some(progress) })
    }

    /// Returns the results of `keep` for each item of a list whose first items were read, in pages of at most
    /// `limit`.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub(super) async fn list_after<T: DeserializeOwned, R>(
        &self,
        Beginning { items, rest }: Beginning<T>,
        call: &Call,
        limit: u32,
        mut keep: impl FnMut(T) -> Option<R>,
    ) -> Result<Vec<R>, Failure> {
        let mut kept: Vec<R> = items.into_iter().filter_map(&mut keep).collect();
        if let Some(progress) = rest {
            let take = |page| match page {
                Some(items) => kept.extend::<Vec<R>>(items),
                None => kept.clear(),
            };
            let read = |body: &[u8]| Page::read(body, |_, item: T| Ok(keep(item)));
            self.pages_after(progress, |progress| progress.page(call, limit), read, take).await?;
        }
        Ok(kept)
    }

    async fn kept<R>(
        &self,
        call: &Call,
        limit: u32,
        read: impl FnMut(&[u8]) -> serde_json::Result<Parts<R>>,
    ) -> Result<Vec<R>, Failure> {
        let mut kept = Vec::new();
        let keep = |page| match page {
            Some(items) => kept.extend::<Vec<R>>(items),
            None => kept.clear(),
        };
        self.pages(|progress| progress.page(call, limit), read, keep).await?;
        Ok(kept)
    }

    /// Passes the items of each page to `take`; none if the list begins again, and all of them come again.
    async fn pages<R>(
        &self,
        page: impl Fn(&Progress) -> Call,
        read: impl FnMut(&[u8]) -> serde_json::Result<Parts<R>>,
        take: impl FnMut(Option<Vec<R>>),
    ) -> Result<(), Failure> {
        self.pages_after(Progress::default(), page, read, take).await
    }

    /// Does the same from some page on.
    async fn pages_after<R>(
        &self,
        mut progress: Progress,
        page: impl Fn(&Progress) -> Call,
        mut read: impl FnMut(&[u8]) -> serde_json::Result<Parts<R>>,
        mut take: impl FnMut(Option<Vec<R>>),
    ) -> Result<(), Failure> {
        let mut restarts = 0;
        loop {
            let call = page(&progress);
            let (items, metadata) = match self.page(&call, &mut read).await {
                Err(failure) if failure.is_expired() && restarts < RESTARTS => {
                    (progress, restarts) = (Progress::default(), restarts + 1);
                    take(None);
                    continue;
                }
                page => page?,
            };
            take(Some(items));
            if !progress.after(metadata).map_err(|Endless| self.endless(&call))? {
                return Ok(());
            }
        }
    }
}

/// Reads an object of a list as a tree.
fn tree(item: &RawValue) -> serde_json::Result<Value> {
    size::check_tree(item.get().as_bytes(), Limit::Object)
        .map_err(|_| serde_json::Error::custom(OVERSIZED))?;
    serde_json::from_str(item.get())
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
        assert!(tree(&item(Limit::Object.most())).is_err());
    }

    #[test]
    fn a_list_without_items_is_no_list() {
        let read = |text: &str| {
            Page::read(text.as_bytes(), |_, _: Value| Ok(Some(()))).map(|((kept, _), _)| kept.len()).ok()
        };
        assert_eq!(read(r#"{"items":null}"#), Some(0));
        assert_eq!(read(r#"{"rows":[1]}"#), Some(1));
        for other in ["{}", r#"{"metadata":{}}"#, r#"{"items":{}}"#, r#"{"items":""}"#, "null"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
