//! Fields of the JSON that a command prints, chosen in kubectl's words: `-o jsonpath=…` and `-o custom-columns=…`.
//!
//! What a template finds, kubectl finds too, in the same form, and it is read as kubectl reads it. Beyond kubectl, a
//! template without braces is a path (there it is printed as it stands), `{.}` is the whole object, `['tls.crt']` is
//! also the key of that name, `null` can be compared with, and things of different kinds are different (there they end
//! the program).

mod chosen;
mod columns;
mod evaluation;
#[cfg(test)]
mod fuzz;
mod parsing;
mod path;
mod tree;

use zeroize::Zeroizing;

use self::chosen::absence;
pub(crate) use self::chosen::{Chosen, Content};
use self::columns::Column;
use self::evaluation::{Evaluation, Root};
use self::path::{Item, Step};
use self::tree::Tree;
use crate::error::{Error, Result};

/// The fields that were asked for.
#[derive(PartialEq)]
pub(crate) enum Fields {
    /// `-o jsonpath=…`
    Template(Vec<Item>),
    /// `-o custom-columns=…`
    Columns(Vec<Column>),
}

/// The forms of `-o` that kubectl has and that are left out, each with what does the same.
const LEFT_OUT: [(&str, &str); 7] = [
    ("go-template", "jsonpath=TEMPLATE finds the same fields, such as -o jsonpath='{.metadata.name}'"),
    ("go-template-file", "jsonpath=TEMPLATE finds the same fields, such as -o jsonpath='{.metadata.name}'"),
    ("template", "jsonpath=TEMPLATE finds the same fields, such as -o jsonpath='{.metadata.name}'"),
    ("templatefile", "jsonpath=TEMPLATE finds the same fields, such as -o jsonpath='{.metadata.name}'"),
    ("jsonpath-file", "the shell reads the file: -o jsonpath=\"$(cat FILE)\""),
    ("custom-columns-file", "the columns are words on the line: -o custom-columns=NAME:.name,TYPE:.type"),
    ("jsonpath-as-json", "json prints the whole, and jsonpath=TEMPLATE parts of it"),
];

impl Fields {
    /// Reads the value of `-o`; none if it is another form.
    ///
    /// # Errors
    /// The template is malformed, or of a kind that is left out. Says how it is written.
    pub(crate) fn of(word: &str) -> Option<Result<Self, String>> {
        let (form, template) = word.split_once('=').unwrap_or((word, ""));
        let form = form.to_lowercase();
        if let Some((_, instead)) = LEFT_OUT.iter().find(|(name, _)| *name == form) {
            return Some(Err(format!("{form} is left out here; {instead}")));
        }
        match form.as_str() {
            "jsonpath" if template.is_empty() => {
                Some(Err("jsonpath needs a template, as in -o jsonpath='{.metadata.name}'".to_owned()))
            }
            "custom-columns" if template.is_empty() => Some(Err(
                "custom-columns needs columns, as in -o custom-columns=NAME:.name,TYPE:.type".to_owned(),
            )),
            "jsonpath" => Some(parsing::template(template).map(Self::Template)),
            "custom-columns" => Some(columns::parsed(template).map(Self::Columns)),
            _ => None,
        }
    }

    /// Returns the names of the columns; none for a template.
    pub(crate) fn headers(&self) -> Vec<String> {
        match self {
            Self::Template(_) => Vec::new(),
            Self::Columns(columns) => columns.iter().map(|column| column.header.clone()).collect(),
        }
    }

    /// Returns what is found in a text of JSON, which may hold several objects, one after the other.
    ///
    /// # Errors
    /// A step has no meaning for what it meets, such as the sixth of five entries. The error tells nothing of the
    /// content.
    pub(crate) fn chosen_from(&self, json: &[u8]) -> Result<Chosen> {
        let trees = serde_json::Deserializer::from_slice(json).into_iter::<Tree<'_>>();
        let trees: Vec<Tree<'_>> = trees
            .collect::<Result<_, _>>()
            .map_err(|_| Error::failed("the JSON of which fields were asked for can't be read"))?;
        match self {
            Self::Template(items) => of_template(items, &trees),
            Self::Columns(columns) => columns::of(columns, &trees),
        }
    }

    /// Returns the key of the first value that a template asks for as it would of kubectl's Secret: `.data.KEY`. Empty
    /// if it asks for all of them. None if it asks for something else.
    ///
    /// `is_key` says whether `data` is itself the key of a value: then only what goes further asks for more.
    pub(crate) fn key_of_data(&self, is_key: bool) -> Option<&str> {
        let mut paths = self.paths().peekable();
        paths.peek()?;
        let keys = paths.map(|steps| match steps {
            [Step::Field(data)] if data == "data" && !is_key => Some(""),
            [Step::Field(data), rest, ..] if data == "data" => match rest {
                Step::Field(key) | Step::Quoted { whole: key, .. } => Some(key.as_str()),
                _ => Some(""),
            },
            _ => None,
        });
        keys.collect::<Option<Vec<&str>>>()?.first().copied()
    }

    /// Returns the paths that start at the object.
    fn paths(&self) -> impl Iterator<Item = &[Step]> {
        let (items, columns): (&[Item], &[Column]) = match self {
            Self::Template(items) => (items, &[]),
            Self::Columns(columns) => (&[], columns),
        };
        let of_items = items.iter().filter_map(|item| match item {
            Item::Text(_) => None,
            Item::Path(steps) | Item::Range(steps, _) => Some(steps.as_slice()),
        });
        of_items.chain(columns.iter().map(|column| column.steps.as_slice()))
    }
}

fn of_template(items: &[Item], trees: &[Tree<'_>]) -> Result<Chosen> {
    let mut text = Zeroizing::new(Vec::new());
    let mut absent = Vec::new();
    let mut found = false;
    for tree in trees {
        let mut root = Root::default();
        Evaluation::of(tree, path::size(items)).write(items, &mut root, &mut text)?;
        found |= root.found;
        absent.extend(absence(&root.absent, tree));
    }
    let absent = absent.into_iter().next().filter(|_| !found);
    Ok(Chosen { content: Content::Text(text), absent })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"kind": "List", "n": 3, "none": null, "items": [
        {"name": "a", "size": 4, "on": true, "labels": {"run.ai/x": "1", "b-c": "2"}, "ports": [{"p": 1}, {"p": 2}]},
        {"name": "b c", "size": 5, "on": false, "labels": {}, "ports": [], "extra": "é\u001b"},
        {"name": "d", "size": 40, "on": true, "ports": [{"p": 3}]}
    ]}"#;

    fn found(template: &str) -> Result<String, String> {
        let fields = Fields::of(&format!("jsonpath={template}")).unwrap()?;
        match fields.chosen_from(JSON.as_bytes()).map_err(|error| error.to_string())?.content {
            Content::Text(text) => Ok(String::from_utf8(text.to_vec()).unwrap()),
            Content::Rows(_) => unreachable!("a template"),
        }
    }

    #[test]
    fn a_template_finds_what_kubectl_finds() {
        for (template, expected) in [
            ("{.kind}", "List"),
            ("{ .kind }", "List"),
            ("{$.kind}", "List"),
            ("{@.kind}", "List"),
            ("a {.n}!\n", "a 3!\n"),
            ("{.kind}}", "List}"),
            ("{\"{\"}", "{"),
            ("{'it\\'s'}{\"\\t\\n\\x41\\101\\u00e9\"}", "it's\t\nAAé"),
            ("{.none}", "null"),
            ("{.nothing.at.all}", ""),
            ("{.items[*].name}", "a b c d"),
            ("{.items[0].labels}", r#"{"run.ai/x":"1","b-c":"2"}"#),
            ("{.items[0].labels.run\\.ai/x}", "1"),
            ("{.items[0].labels['run\\.ai/x']}", "1"),
            ("{.items[0].labels.b-c}", "2"),
            ("{.items[0].labels.*}", "1 2"),
            ("{.items[-1].name}", "d"),
            ("{.items[-1:].name}", "d"),
            ("{.items[1:].name}", "b c d"),
            ("{.items[:2].name}", "a b c"),
            ("{.items[::2].name}", "a d"),
            ("{.items[0:0].name}", ""),
            ("{.items[0,2].name}", "a d"),
            ("{.items[0]['name','size']}", "a 4"),
            ("{.items[0]['name', \"size\"]}", "a 4"),
            ("{.items[*]['name','size']}", "a b c d 4 5 40"),
            ("{.items[?(@.name==\"b c\")].size}", "5"),
            ("{.items[?(@.name=='b c')].size}", "5"),
            ("{.items[?(@.size>4)].name}", "b c d"),
            ("{.items[?( @.size <= 5 )].name}", "a b c"),
            ("{.items[?(@.on==true)].name}", "a d"),
            ("{.items[?(@.on!=true)].name}", "b c"),
            ("{.items[?(@.extra)].name}", "b c"),
            ("{.items[?(@.labels.run\\.ai/x=='1')].name}", "a"),
            ("{.items[?(@.labels.b-c==2)].name}", ""),
            ("{..p}", "1 2 3"),
            ("{.items[0]..p}", "1 2"),
            ("{...p}", "1 2 3"),
            ("{range .items[*]}{.name}={.size}{\"\\n\"}{end}.", "a=4\nb c=5\nd=40\n."),
            ("{range .items[*]}[{range .ports[*]}{.p},{end}]{end}", "[1,2,][][3,]"),
            ("{range .nothing[*]}{.name}{end}{.n}", "3"),
            ("{true}{5}{-1.5}", "true5-1.5"),
            ("{.items[0].ports}", r#"[{"p":1},{"p":2}]"#),
            ("{.items[1].extra}", "é\u{1b}"),
            ("{.items[1]}", r#"{"name":"b c","size":5,"on":false,"labels":{},"ports":[],"extra":"é\u001b"}"#),
        ] {
            assert_eq!(found(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn beyond_kubectl_it_finds_what_can_be_meant_by_nothing_else() {
        for (template, expected) in [
            (".items[0].name", "a"),
            ("kind", "List"),
            ("$.kind", "List"),
            ("{.items.[0].name}", "a"),
            ("{.items[0].labels['run.ai/x']}", "1"),
            ("{.items[0].labels[*]}", "1 2"),
            ("{.items[?(@.extra!=null)].name}", "b c"),
            ("{.items[?(@.name!=5)].name}", "a b c d"),
            ("{.items[?(@.name==5)].name}", ""),
        ] {
            assert_eq!(found(template).as_deref(), Ok(expected), "{template}");
        }
        assert_eq!(found("{.}"), found("{@}"));
        assert_eq!(found("{}"), found("{@}"));
    }

    #[test]
    fn a_malformed_template_is_told_what_is_wrong_with_it() {
        for (template, expected) in [
            ("{.a", "has no closing }"),
            ("{.a[0", "has no closing ]"),
            ("{.a['b]}", "has no closing '"),
            ("{\"b}", "has no closing \""),
            ("{hello}", "as in {.hello}"),
            ("{range .a}{.b}", "has no {end}"),
            ("{.a}{end}", "{end} without {range"),
            ("{.a[b]}", "is no index, slice or key"),
            ("{.a[1:x]}", "is no index, slice or key"),
            ("{.a[::0]}", "step"),
            ("{.a[99999999999999999999]}", "is no index, slice or key"),
            ("{....a}", "one after the other"),
            ("{.a[?(@.b=~'c')]}", "== != < <= > >="),
            ("{.a[?(@.b=='c' && @.d)]}", "one comparison"),
            ("{.a[?(@.b[?(@.c)])]}", "inside a filter"),
            ("{.a[?@.b]}", "[?(…)]"),
            ("{.a[?(@.b)}", "has no closing ]"),
            ("{|}", "'|'"),
            ("{\"\\q\"}", "backslash"),
            ("{\"\\xfg\"}", "backslash"),
            ("a}", "}"),
        ] {
            let told = found(template).unwrap_err();
            assert!(told.contains(expected), "{template}: {told}");
        }
        let deep = "{range .a[*]}".repeat(1000);
        assert!(found(&deep).unwrap_err().contains("inside another"));
        for (word, expected) in [
            ("go-template={{.x}}", "jsonpath='{.metadata.name}'"),
            ("jsonpath-file=x", "$(cat FILE)"),
            ("jsonpath", "needs a template"),
            ("jsonpath=", "needs a template"),
            ("custom-columns=", "needs columns"),
            ("custom-columns=NAME", "HEADER:PATH"),
            ("custom-columns=NAME:", "HEADER:PATH"),
            ("custom-columns=NAME:.a,", "HEADER:PATH"),
            ("custom-columns=NAME:.a[", "has no closing ]"),
        ] {
            let told = Fields::of(word).unwrap().err().unwrap();
            assert!(told.contains(expected), "{word}: {told}");
        }
        assert!(Fields::of("json").is_none() && Fields::of("wide").is_none());
    }

    #[test]
    fn a_step_that_has_no_meaning_there_is_named_without_the_content() {
        for (template, expected) in [
            ("{.items[3].name}", "index 3 is outside of a list of 3"),
            ("{.items[-4].name}", "index -4 is outside of a list of 3"),
            ("{.items[?(@.ports[0].p==3)].name}", "index 0 is outside of a list of 0"),
            ("{.items[:4].name}", "a slice is outside of a list of 3"),
            ("{.kind[0]}", "no list"),
            ("{.items[0].labels[?(@.x)]}", "no list"),
            ("{.items[?(@..p==1)]}", "one with one"),
        ] {
            let told = found(template).unwrap_err();
            assert!(told.contains(expected) && !told.contains("List"), "{template}: {told}");
        }
    }

    #[test]
    fn what_grows_without_end_ends() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        for template in [format!("{{{}}}", "[*,*]".repeat(90)), format!("{{{}}}", "..[*,*]".repeat(30))] {
            let Some(Ok(fields)) = Fields::of(&format!("jsonpath={template}")) else { panic!("{template}") };
            let told = fields.chosen_from(deep.as_bytes()).err().unwrap().to_string();
            assert!(told.contains("too often"), "{told}");
        }
    }

    fn absent(word: &str) -> Option<String> {
        Fields::of(word).unwrap().ok().unwrap().chosen_from(JSON.as_bytes()).unwrap().absent
    }

    #[test]
    fn a_field_that_is_not_there_is_told_where_nothing_was_found() {
        let told = absent("jsonpath={.secrets[*].name}").unwrap();
        assert_eq!(told, "the JSON has no field \"secrets\"; its fields are: kind, n, none and items");
        assert_eq!(absent("jsonpath={range .secrets[*]}{.name}{end}"), Some(told));
        assert_eq!(absent("jsonpath={.secrets}{.kind}"), None);
        assert_eq!(absent("jsonpath={.items[*].nothing}"), None);
        assert_eq!(absent("jsonpath=text {\"x\"}"), None);
        assert!(absent("custom-columns=A:.name,B:.nothing").unwrap().contains("has no field \"nothing\""));
        assert_eq!(absent("custom-columns=A:.name,B:.extra"), None);
    }

    #[test]
    fn columns_have_a_row_for_each_entry_of_the_first_list() {
        let fields = Fields::of("custom-columns=NAME:.name,SIZE:size,P:{.ports[*].p},L:.labels")
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(fields.headers(), ["NAME", "SIZE", "P", "L"]);
        let rows = |json: &str| match fields.chosen_from(json.as_bytes()).unwrap().content {
            Content::Rows(rows) => rows,
            Content::Text(_) => unreachable!("columns"),
        };
        let expected = [
            ["a", "4", "1,2", r#"{"run.ai/x":"1","b-c":"2"}"#],
            ["b c", "5", "<none>", "{}"],
            ["d", "40", "3", "<none>"],
        ];
        assert_eq!(rows(JSON), expected);
        // A Kubernetes object is one row, whatever lists it has.
        assert_eq!(rows(r#"{"kind":"ServiceAccount","secrets":[{"name":"x"}],"name":"s"}"#)[0][0], "s");
        assert_eq!(rows(r#"{"name":"s","secrets":[]}"#), Vec::<Vec<String>>::new());
        assert_eq!(rows(r#"{"name":"s"} {"name":"t"}"#).len(), 2);
    }

    #[test]
    fn what_is_asked_of_kubectls_secret_is_known_before_anything_is_read() {
        let key = |word: &str, is_key: bool| {
            Fields::of(word).unwrap().ok().unwrap().key_of_data(is_key).map(str::to_owned)
        };
        assert_eq!(key("jsonpath={.data.HF_TOKEN}", false).as_deref(), Some("HF_TOKEN"));
        assert_eq!(key("jsonpath={.data['tls\\.crt']}{\"\\n\"}", false).as_deref(), Some("tls.crt"));
        assert_eq!(key("jsonpath={.data}", false).as_deref(), Some(""));
        assert_eq!(key("jsonpath={.data}", true), None);
        assert_eq!(key("jsonpath={.data.a}{.name}", false), None);
        assert_eq!(key("jsonpath=text", false), None);
        assert_eq!(key("custom-columns=A:.data.a", false).as_deref(), Some("a"));
    }
}
