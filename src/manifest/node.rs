//! A document as a tree, with the place of each part in the text.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle, Tag};

pub(super) const NOT_YAML: &str = "not valid YAML";

/// The most nodes of a document: far more than an object can have, as an API server accepts only three
/// megabytes. A list of many objects may come near.
const MOST_NODES: usize = 1_000_000;

/// The reason why a document can't be read, and the place. It never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line in the document, counted from 1.
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// One document.
pub(super) struct Tree<'a> {
    /// None if the document is empty, or has only comments.
    pub(super) root: Option<Node<'a>>,
    /// The number of comments.
    pub(super) comments: usize,
}

pub(super) struct Node<'a> {
    pub(super) content: Content<'a>,
    /// The content without its tag and its anchor. A block collection begins with its first entry.
    pub(super) at: Range<usize>,
    pub(super) line: usize,
    /// Its number for aliases; 0 for none.
    pub(super) anchor: usize,
}

pub(super) enum Content<'a> {
    Scalar(Scalar<'a>),
    Sequence(Style, Vec<Node<'a>>),
    Mapping(Style, Vec<(Node<'a>, Node<'a>)>),
    Alias(usize),
}

pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    /// Written without quotes, so that it may be a number.
    pub(super) plain: bool,
    /// The suffix of a tag of YAML's own, such as `int`; empty for any other tag.
    pub(super) tag: Option<String>,
    pub(super) tail: Tail,
}

/// The end of a scalar that looks like the text after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    Nothing,
    /// The empty lines after a block of text, as with `|+`.
    EmptyLines,
    /// A line of a block of text with more blanks than the block's indentation.
    Blanks,
}

impl Tail {
    fn of(text: &str, style: ScalarStyle) -> Self {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            Self::Nothing
        } else if text.ends_with("\n\n") || text == "\n" {
            Self::EmptyLines
        } else if text.trim_end_matches('\n').ends_with([' ', '\t']) {
            Self::Blanks
        } else {
            Self::Nothing
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Block,
    /// Brackets and braces.
    Flow,
}

impl From<StructureStyle> for Style {
    fn from(style: StructureStyle) -> Self {
        if style == StructureStyle::Flow { Self::Flow } else { Self::Block }
    }
}

impl<'a> Tree<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        // kubectl's parser has no limit on the lines of comments in a row.
        let options = granit_parser::options! { max_buffered_comment_events: usize::MAX };
        let parser = Parser::new_from_str_with_options(text, options);
        let mut builder = Builder { parser, comments: 0, nodes: 0 };
        let mut root = None;
        loop {
            match builder.next()? {
                (Event::StreamStart | Event::DocumentEnd, _) => {}
                (Event::DocumentStart(..), span) if root.is_some() => {
                    return Err(fault(span, "a second document begins without ---"));
                }
                (Event::DocumentStart(..), _) => root = Some(builder.node()?),
                _ => break,
            }
        }
        // A document of only its marker has a null without any text.
        let root = root.filter(|root: &Node<'_>| !root.at.is_empty() || !root.is_plain_null());
        Ok(Self { root, comments: builder.comments })
    }
}

impl Node<'_> {
    fn is_plain_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(Scalar { text, plain: true, tag: None, .. }) if text == "~" || text.is_empty())
    }

    /// Returns the text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns the value of a key of a mapping as written: merges and aliases are not followed.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Content::Mapping(_, entries) = &self.content else { return None };
        entries.iter().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }

    pub(super) fn fault(&self, why: &'static str) -> Fault {
        Fault { line: self.line, why }
    }
}

fn fault(span: Span, why: &'static str) -> Fault {
    Fault { line: span.start.line(), why }
}

struct Builder<'a, T: granit_parser::BorrowedInput<'a>> {
    parser: Parser<'a, T>,
    comments: usize,
    nodes: usize,
}

impl<'a, T: granit_parser::BorrowedInput<'a>> Builder<'a, T> {
    /// Returns the next event that is not a comment.
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => self.comments += 1,
                Some(Ok(event)) => return Ok(event),
                // Its own words may quote the text.
                Some(Err(error)) => {
                    return Err(Fault { line: error.marker().line(), why: NOT_YAML });
                }
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    fn node(&mut self) -> Result<Node<'a>, Fault> {
        let (event, span) = self.next()?;
        self.node_of(event, span)
    }

    fn node_of(&mut self, event: Event<'a>, span: Span) -> Result<Node<'a>, Fault> {
        let mut at = span.byte_range().ok_or_else(|| fault(span, NOT_YAML))?;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(fault(span, "too many values and keys for one document"));
        }
        let (anchor, content) = match event {
            Event::Alias(anchor) => (0, Content::Alias(anchor)),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| suffix(&tag));
                let (plain, tail) = (style == ScalarStyle::Plain, Tail::of(&text, style));
                (anchor, Content::Scalar(Scalar { text, plain, tag, tail }))
            }
            Event::SequenceStart(style, anchor, _) => {
                let mut items = Vec::new();
                at.end = loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => break span.byte_range().map_or(at.end, |end| end.end),
                        (event, span) => items.push(self.node_of(event, span)?),
                    }
                };
                (anchor, Content::Sequence(style.into(), items))
            }
            Event::MappingStart(style, anchor, _) => {
                let mut entries = Vec::new();
                at.end = loop {
                    match self.next()? {
                        (Event::MappingEnd, span) => break span.byte_range().map_or(at.end, |end| end.end),
                        (event, span) => {
                            let key = self.node_of(event, span)?;
                            entries.push((key, self.node()?));
                        }
                    }
                };
                (anchor, Content::Mapping(style.into(), entries))
            }
            _ => return Err(fault(span, NOT_YAML)),
        };
        Ok(Node { content, at, line: span.start.line(), anchor })
    }
}

fn suffix(tag: &Tag) -> String {
    tag.suffix_in_namespace("tag:yaml.org,2002:").unwrap_or_default().into_owned()
}
