//! A table is written by one feature, so that one store says what becomes of its rows. What the relay writes is in its own crate
//! (`durable-objects/src/directory.rs`) and not looked at here.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, Lit};

use crate::source::{Crate, files_below};

/// Who writes a table besides the feature that has it: table, writer, and why.
const EXCEPTIONS: [(&str, &str, &str); 4] = [
    // A layer below features, which adds entries to what `audit_log` seals.
    ("audit_log", "audit", "features put entries into their batches"),
    // Each request with a key is written down, and `auth` knows no feature.
    ("api_keys", "auth", "the last use of a key"),
    ("users", "auth", "the last use of an account by a key"),
    // `sessions` lies on `machines`, and no row may refer to a machine that is gone.
    ("terminal_sessions", "machines", "sessions go with their machine"),
];

/// Which writers each table has: features by their noun, anything else by its layer.
type Writers = BTreeMap<String, BTreeSet<String>>;

/// Who writes which table.
fn writers(source: &Crate) -> Writers {
    let mut writers = Writers::new();
    for module in source.modules.values() {
        let parts: Vec<&str> = module.file.split(['/', '.']).collect();
        let writer = match parts.as_slice() {
            ["features", noun, ..] => noun,
            [layer, ..] => layer,
            [] => continue,
        };
        for item in &module.items {
            if let Item::Macro(sql) = item {
                for table in tables(sql.mac.tokens.clone()) {
                    writers.entry(table).or_default().insert((*writer).to_owned());
                }
            }
        }
    }
    writers
}

/// The tables that the SQL in the texts of a macro writes: of `statements!`, or of one that holds a part of a statement.
fn tables(tokens: TokenStream) -> Vec<String> {
    let each = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => tables(group.stream()),
        TokenTree::Literal(literal) => match Lit::new(literal) {
            Lit::Str(text) => written(&text.value()),
            _ => Vec::new(),
        },
        TokenTree::Ident(_) | TokenTree::Punct(_) => Vec::new(),
    });
    each.collect()
}

/// The tables that SQL writes.
fn written(sql: &str) -> Vec<String> {
    let words: Vec<&str> = sql.split(|c: char| c.is_whitespace() || c == '(').collect();
    let named = (0..words.len()).filter_map(|at| match &words[at..] {
        ["INSERT", "OR", _, "INTO", table, ..] | ["INSERT", "INTO", table, ..] | ["DELETE", "FROM", table, ..] => {
            Some(*table)
        }
        // `ON CONFLICT … DO UPDATE SET` is of the table before.
        ["UPDATE", table, ..] if *table != "SET" => Some(*table),
        _ => None,
    });
    named.map(str::to_owned).collect()
}

/// The tables with more than one writer, exceptions aside, and the exceptions that are none.
fn faults(writers: &Writers, exceptions: &[(&str, &str, &str)]) -> Vec<String> {
    let is_writer = |table: &str, writer: &str| writers.get(table).is_some_and(|all| all.contains(writer));
    let shared = writers.iter().filter_map(|(table, all)| {
        let excused = |writer: &&String| exceptions.iter().any(|(of, who, _)| of == table && who == writer);
        let left: Vec<&str> = all
            .iter()
            .filter(|writer| !excused(writer))
            .map(String::as_str)
            .collect();
        (left.len() > 1).then(|| format!("{table} is written by {}", left.join(", ")))
    });
    let idle = exceptions.iter().filter(|(table, writer, _)| !is_writer(table, writer));
    shared
        .chain(idle.map(|(table, writer, _)| format!("{writer} does not write {table}")))
        .collect()
}

#[test]
fn each_table_is_written_by_one_feature() {
    let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let writers = writers(&Crate::parse(&files));
    assert!(writers.len() > 15, "statements are not found any more: {writers:?}");
    let faults = faults(&writers, &EXCEPTIONS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn writing_is_found_however_it_is_written() {
    for (sql, tables) in [
        ("SELECT * FROM a JOIN b ON b.id = a.id", vec![]),
        ("INSERT INTO a (id) SELECT id FROM b", vec!["a"]),
        (
            "INSERT INTO a(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1",
            vec!["a"],
        ),
        ("INSERT OR IGNORE INTO a\n (id) SELECT 1", vec!["a"]),
        ("UPDATE a SET x = (SELECT y FROM b)", vec!["a"]),
        ("DELETE FROM a\n WHERE id = 1", vec!["a"]),
    ] {
        assert_eq!(written(sql), tables, "{sql}");
    }
}

#[test]
fn a_second_writer_is_found_and_an_exception_must_be_one() {
    let files: BTreeMap<String, String> = [
        ("lib.rs", "mod features;"),
        ("features/mod.rs", "mod a; mod b;"),
        (
            "features/a/mod.rs",
            "statements! { SET = concat!(\"UPDATE t SET x = 1\", also!()); }",
        ),
        (
            "features/b/mod.rs",
            "macro_rules! part { () => { \"DELETE FROM t\" } } #[cfg(test)] mod tests { statements! { A = \"DELETE FROM u\"; } }",
        ),
    ]
    .map(|(file, text)| (file.to_owned(), text.to_owned()))
    .into();
    let writers = writers(&Crate::parse(&files));
    assert_eq!(faults(&writers, &[]), ["t is written by a, b"]);
    assert_eq!(faults(&writers, &[("t", "b", "")]), [""; 0]);
    assert_eq!(
        faults(&writers, &[("t", "b", ""), ("u", "b", "")]),
        ["b does not write u"]
    );
}
