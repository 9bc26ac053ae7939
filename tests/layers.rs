//! The plan of the house: what imports what. docs/architecture.md says what each room is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The storeys from the ground up. A room may import from its own storey's files and from those below it.
const STOREYS: [&[&str]; 14] = [
    &[
        "age",
        "date",
        "error",
        "fields",
        "history",
        "memory",
        "metadata",
        "moment",
        "printable",
        "private_files",
        "programs",
        "random",
        "render",
        "wording",
    ],
    &["command_line", "flags", "typed_line"],
    &["secret", "project"],
    &["logins", "manifest", "propagation", "workload"],
    &["findings", "ui"],
    &["cluster"],
    &["complete", "session"],
    &["sharing", "sources"],
    &["change"],
    &["uses"],
    &["commands"],
    &["cli"],
    &["guide"],
    &["main"],
];

/// A module's path from the crate's root, as `commands::create`.
type Module = String;

/// The crate's modules with what each imports; tests and fuzz targets are left out.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut files);
    let modules: BTreeSet<&Module> = files.keys().collect();
    let module_of = |path: &str| {
        let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
        let parts: Vec<&str> = ends.map(|end| &path[..end]).collect();
        parts.into_iter().rev().find(|part| modules.contains(&(*part).to_owned())).map(ToOwned::to_owned)
    };
    let of_file = |module: &Module, text: &str| {
        let paths = paths(text).into_iter().map(|path| absolute(&path, module));
        paths.filter_map(|path| module_of(&path)).filter(|other| other != module).collect()
    };
    files.iter().map(|(module, text)| (module.clone(), of_file(module, text))).collect()
}

fn read(folder: &Path, room: &str, files: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = match (room, name.as_str()) {
            (room, "mod") => room.to_owned(),
            ("", name) => name.to_owned(),
            (room, name) => format!("{room}::{name}"),
        };
        if path.is_dir() {
            read(&path, &module, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&module) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            files.insert(module, lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

fn is_test(module: &str) -> bool {
    module.split("::").any(|name| ["fuzz", "properties", "reference", "tests"].contains(&name))
        && module != "workload::reference"
}

/// Every path that begins at the crate, at the module above or at the module itself, with nested ones taken apart.
fn paths(code: &str) -> Vec<String> {
    let starts = ["crate::", "super::", "self::"];
    let found = starts.iter().flat_map(|start| code.match_indices(start).map(|(at, _)| at));
    let whole = |at: &usize| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    found.filter(whole).flat_map(|at| tree(&code[at..]).0).collect()
}

/// The paths of a tree such as `a::{b, c::d}` at the start of a text, and what follows it.
fn tree(text: &str) -> (Vec<String>, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
    let (stem, mut rest) = text.split_at(end);
    if !stem.ends_with("::") || !rest.starts_with('{') {
        return (vec![stem.trim_end_matches("::").to_owned()], rest);
    }
    let mut paths = Vec::new();
    while let Some(inner) = rest.strip_prefix(['{', ',']) {
        let (leaves, after) = tree(inner.trim_start());
        paths.extend(leaves.iter().map(|leaf| format!("{stem}{leaf}")));
        rest = after.split_once([',', '}']).map_or("", |(skipped, _)| &after[skipped.len()..]);
    }
    (paths, rest.trim_start_matches('}'))
}

fn absolute(path: &str, module: &Module) -> Module {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut base: Vec<&str> = if module == "main" { Vec::new() } else { module.split("::").collect() };
    match parts.remove(0) {
        "crate" => base.clear(),
        "super" => base.truncate(base.len().saturating_sub(1)),
        _ => {}
    }
    while parts.first() == Some(&"super") {
        parts.remove(0);
        base.pop();
    }
    base.extend(parts);
    base.join("::")
}

fn storey(module: &str) -> usize {
    let room = module.split("::").next().unwrap();
    let storey = STOREYS.iter().position(|rooms| rooms.contains(&room));
    storey.unwrap_or_else(|| panic!("{room} has no storey: add it to the plan"))
}

#[test]
fn no_room_imports_from_a_storey_above_it() {
    let up: Vec<String> = imports()
        .iter()
        .flat_map(|(module, others)| others.iter().map(move |other| (module, other)))
        .filter(|(module, other)| storey(other) > storey(module))
        .map(|(module, other)| format!("{module} imports {other}"))
        .collect();
    assert!(up.is_empty(), "{up:#?}");
}

#[test]
fn no_verb_knows_another() {
    let verb = |module: &str| {
        module.strip_prefix("commands::").map(|rest| rest.split("::").next().unwrap().to_owned())
    };
    let imports = imports();
    let known: Vec<String> = imports
        .iter()
        .flat_map(|(module, others)| others.iter().map(move |other| (module, other)))
        .filter(|(module, other)| match (verb(module), verb(other)) {
            (Some(one), Some(another)) => one != another,
            (None, Some(_)) => *module != "commands",
            _ => false,
        })
        .map(|(module, other)| format!("{module} imports {other}"))
        .collect();
    assert!(known.is_empty(), "{known:#?}");
    let verbs: BTreeSet<String> = imports.keys().filter_map(|module| verb(module)).collect();
    assert!(verbs.len() >= 17, "{verbs:?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut imports = imports();
    // Whoever imports nothing that is left, or is imported by nobody that is left, stands on no circle.
    loop {
        let imported: BTreeSet<Module> = imports.values().flatten().cloned().collect();
        let before = imports.len();
        imports.retain(|module, others| !others.is_empty() && imported.contains(module));
        let left: BTreeSet<Module> = imports.keys().cloned().collect();
        for others in imports.values_mut() {
            others.retain(|other| left.contains(other));
        }
        if imports.len() == before {
            break;
        }
    }
    assert!(imports.is_empty(), "{imports:#?}");
}
