//! JSON as it was printed: the order of its fields stays, and texts stay where they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;

/// Holds values of secrets where the text does: it can neither be formatted nor cloned.
pub(super) enum Tree<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    List(Vec<Tree<'t>>),
    Map(Vec<(Cow<'t, str>, Tree<'t>)>),
}

impl Tree<'_> {
    /// Returns the field of that name; none if this has no fields.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, tree)| tree)
    }

    /// Returns the names of its fields.
    pub(super) fn names(&self) -> Vec<&str> {
        let Self::Map(fields) = self else { return Vec::new() };
        fields.iter().map(|(name, _)| name.as_ref()).collect()
    }

    /// Returns what is directly inside.
    pub(super) fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::List(entries) => Box::new(entries.iter()),
            Self::Map(fields) => Box::new(fields.iter().map(|(_, tree)| tree)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => Box::new(std::iter::empty()),
        }
    }

    /// Returns how many parts there are, itself included, and about how many bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        let own = match self {
            Self::Text(text) => text.len(),
            Self::Map(fields) => fields.iter().map(|(name, _)| name.len()).sum(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) => 0,
        };
        let inside = self.children().map(Self::size);
        inside.fold((1, own + 8), |(parts, bytes), (more, size)| (parts + more, bytes + size))
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut map = Vec::new();
        while let Some((Tree::Text(name), tree)) = fields.next_entry()? {
            map.push((name, tree));
        }
        Ok(Tree::Map(map))
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Map(fields) => serializer.collect_map(fields.iter().map(|(name, tree)| (name, tree))),
        }
    }
}
