//! Imports lead down only: `router → scheduled → features → auth → audit → http → platform`, and nowhere in a circle.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::graph::{Edges, in_loops};
use crate::paths::{of_item, of_use};
use crate::source::{Crate, files_below};

/// The layers from the top. What is in none of these folders (`lib.rs`, `openapi.rs`, `router.rs`) is above them.
const LAYERS: [&str; 6] = ["scheduled", "features", "auth", "audit", "http", "platform"];

/// Which file takes something from which.
fn imports(source: &Crate) -> Edges {
    let mut edges = Edges::new();
    for (path, module) in &source.modules {
        let used = module.items.iter().flat_map(|item| match item {
            syn::Item::Use(item) => of_use(&item.tree, Vec::new()),
            other => of_item(other),
        });
        let declared_in = used.flat_map(|used| source.declared_in(path, &used));
        let files = declared_in.map(|of| source.modules[&of].file.clone());
        let others: BTreeSet<String> = files.filter(|file| *file != module.file).collect();
        edges.entry(module.file.clone()).or_default().extend(others);
    }
    edges
}

/// How far up a file is.
fn height(file: &str) -> usize {
    let layer = file.split(['/', '.']).next().unwrap_or_default();
    let depth = LAYERS.iter().position(|name| *name == layer);
    depth.map_or(LAYERS.len(), |depth| LAYERS.len() - 1 - depth)
}

/// The noun that a file of `features/` is about.
fn feature(file: &str) -> Option<String> {
    let (noun, _) = file.strip_prefix("features/")?.split_once('/')?;
    Some(noun.to_owned())
}

/// The arrows that lead up.
fn upward(edges: &Edges) -> Vec<String> {
    let arrows = edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to)));
    arrows
        .filter(|(from, to)| height(to) > height(from))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect()
}

/// The features that take something from each other.
fn feature_loops(edges: &Edges) -> Vec<String> {
    let mut nouns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        for to in to {
            if let (Some(from), Some(to)) = (feature(from), feature(to))
                && from != to
            {
                nouns.entry(from).or_default().insert(to);
            }
        }
    }
    in_loops(&nouns)
}

/// What is wrong with the imports of a crate.
fn faults(files: &BTreeMap<String, String>) -> Vec<String> {
    let edges = imports(&Crate::parse(files));
    let named = |what: &str, faults: Vec<String>| {
        faults
            .into_iter()
            .map(|fault| format!("{what}: {fault}"))
            .collect::<Vec<_>>()
    };
    [
        named("upward", upward(&edges)),
        named("features in a loop", feature_loops(&edges)),
        named("files in a loop", in_loops(&edges)),
    ]
    .concat()
}

#[test]
fn imports_of_the_rest_side_lead_down_and_in_no_circle() {
    let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let faults = faults(&files);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A crate whose layers are one file each, and `text` in one of them.
fn with(file: &str, text: &str) -> Vec<String> {
    let base = [
        ("lib.rs", "mod router; mod features; mod http; mod platform;"),
        ("router.rs", ""),
        ("features/mod.rs", "pub mod a; pub mod b;"),
        ("features/a/mod.rs", "pub mod store; pub use store::{find, Row};"),
        ("features/a/store.rs", "pub fn find() {} pub struct Row;"),
        ("features/b/mod.rs", "pub mod store;"),
        (
            "features/b/store.rs",
            "use crate::features::a::find; pub fn make() { find() }",
        ),
        ("http.rs", "pub struct Page;"),
        ("platform.rs", "pub fn db() {}"),
    ];
    let mut files: BTreeMap<String, String> = base.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    let file = files.get_mut(file).unwrap();
    file.push('\n');
    file.push_str(text);
    faults(&files)
}

#[test]
fn what_leads_down_is_let_pass() {
    assert_eq!(with("router.rs", "use crate::features::{a::find, b};"), [""; 0]);
    assert_eq!(
        with("features/a/store.rs", "fn read() { crate::platform::db() }"),
        [""; 0]
    );
    assert_eq!(
        with(
            "platform.rs",
            "#[cfg(test)] mod tests { use crate::features::a::find; }"
        ),
        [""; 0]
    );
}

#[test]
fn an_arrow_against_the_order_is_found_however_it_is_written() {
    for (written, text) in [
        ("a use tree", "use crate::{http::{Page as P}, features::a};"),
        ("super::", "use super::http::Page;"),
        ("a full path in a body", "fn f() { let _ = crate::http::Page; }"),
        ("a full path in a type", "struct S(crate::http::Page);"),
        ("a use in a body", "fn f() { use crate::http::Page; }"),
        (
            "a macro that is called",
            "fn f() { println!(\"{}\", crate::http::Page); }",
        ),
        (
            "a macro that is declared",
            "macro_rules! m { () => { $crate::http::Page } }",
        ),
        ("an attribute", "#[doc(alias(crate::http::Page))] fn f() {}"),
        ("an inline module", "mod inner { use super::super::http::Page; }"),
    ] {
        assert_eq!(
            with("platform.rs", text)[0],
            "upward: platform.rs -> http.rs",
            "{written}"
        );
    }
}

#[test]
fn a_re_export_hides_nothing() {
    let text = "pub use crate::features::a::Row as Page2;";
    assert_eq!(with("http.rs", text), ["upward: http.rs -> features/a/store.rs"]);
    let through = "use crate::features::a; fn f() { a::find() }";
    assert_eq!(
        with("platform.rs", through),
        ["upward: platform.rs -> features/a/store.rs"]
    );
    let everything = with("platform.rs", "use crate::features::a::*; fn f(_: Row) {}");
    assert_eq!(
        everything,
        [
            "upward: platform.rs -> features/a/mod.rs",
            "upward: platform.rs -> features/a/store.rs"
        ]
    );
}

#[test]
fn features_and_files_in_a_loop_are_found() {
    let loops = with("features/a/store.rs", "fn f() { crate::features::b::store::make() }");
    assert_eq!(
        loops,
        [
            "features in a loop: a -> b",
            "features in a loop: b -> a",
            "files in a loop: features/a/store.rs -> features/b/store.rs",
            "files in a loop: features/b/store.rs -> features/a/store.rs",
        ]
    );
}
