//! Every SQL text is prepared by a test: it stands in a `statements!`, which hands it in, or in a macro that only those splice.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, ItemMacro, Lit, LitStr, Macro};

use crate::source::{Crate, ModulePath, files_below, is_test};

/// What a text begins with that is SQL by itself.
const VERBS: [&str; 7] = ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "CREATE"];
/// What declares SQL.
const DECLARES: &str = "statements";
/// What a test goes through that prepares what one file declares.
const DECLARED: &str = "STATEMENTS";
/// The tables of the relay's own storage: made each time it opens, and by its tests before they prepare anything.
const OWN_TABLES: (&str, &str) = ("storage.rs", "CREATE TABLE IF NOT EXISTS ");

/// Where SQL is in a module.
#[derive(Default)]
struct Found {
    /// Texts outside of any `statements!`.
    texts: Vec<String>,
    /// Macros called outside of any `statements!`.
    called: Vec<String>,
    /// `statements!`, by the path as it is written.
    declares: Vec<Vec<String>>,
    /// Declared macros, and what is in each.
    macros: BTreeMap<String, Found>,
}

impl Found {
    fn text(&mut self, text: &LitStr) {
        let text = text.value();
        let mut words = text.split_whitespace().map(|word| word.trim_start_matches('('));
        if words.next().is_some_and(|first| VERBS.contains(&first)) && words.next().is_some() {
            self.texts.push(text);
        }
    }

    /// What a macro is given, which is not parsed.
    fn read(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Literal(literal) => {
                    if let Lit::Str(text) = Lit::new(literal) {
                        self.text(&text);
                    }
                }
                TokenTree::Ident(name) if matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!') =>
                {
                    self.called.push(name.to_string());
                }
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.text(text);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let path: Vec<String> = called.path.segments.iter().map(|part| part.ident.to_string()).collect();
        match path.last() {
            Some(name) if name == DECLARES => self.declares.push(path),
            Some(name) => {
                self.called.push(name.clone());
                self.read(called.tokens.clone());
            }
            None => {}
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        match &item.ident {
            Some(name) => {
                let mut body = Found::default();
                body.read(item.mac.tokens.clone());
                self.macros.insert(name.to_string(), body);
            }
            None => visit::visit_item_macro(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Const(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    // Comments are attributes.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// Where SQL is in a crate, by module.
fn find(source: &Crate) -> BTreeMap<&ModulePath, Found> {
    let in_module = |items: &[syn::Item]| {
        let mut found = Found::default();
        items.iter().for_each(|item| found.visit_item(item));
        found
    };
    let modules = source.modules.iter();
    modules.map(|(path, module)| (path, in_module(&module.items))).collect()
}

/// The macros that give SQL: by a text of their own, or by way of another one.
fn giving_sql(found: &BTreeMap<&ModulePath, Found>) -> BTreeSet<String> {
    let mut giving = BTreeSet::new();
    loop {
        let macros = found.values().flat_map(|found| &found.macros);
        let more: BTreeSet<String> = macros
            .filter(|(_, body)| !body.texts.is_empty() || body.called.iter().any(|name| giving.contains(name)))
            .map(|(name, _)| name.clone())
            .collect();
        if more == giving {
            return giving;
        }
        giving = more;
    }
}

/// SQL that no test can know of.
fn escaped(source: &Crate) -> Vec<String> {
    let found = find(source);
    let giving = giving_sql(&found);
    let mut faults = Vec::new();
    for (path, found) in &found {
        let file = &source.modules[*path].file;
        let texts = found
            .texts
            .iter()
            .filter(|text| file != OWN_TABLES.0 || !text.starts_with(OWN_TABLES.1));
        faults.extend(texts.map(|text| format!("{file}: outside of statements!: {text}")));
        let called = found.called.iter().filter(|name| giving.contains(*name));
        faults.extend(called.map(|name| format!("{file}: outside of statements!: {name}!")));
    }
    faults
}

/// Files whose `statements!` is another than that of the crate's module `home`, which hands in what it declares.
fn not_handed_in(source: &Crate, home: &[&str]) -> Vec<String> {
    let elsewhere = |(path, found): (&ModulePath, Found)| {
        let from = |written: &Vec<String>| source.declared_in(path, written);
        let strange = found.declares.iter().any(|written| from(written) != [home.to_vec()]);
        strange.then(|| source.modules[path].file.clone())
    };
    find(source).into_iter().filter_map(elsewhere).collect()
}

/// Files with a `statements!` that no test of their own goes through.
fn not_gone_through(source: &Crate, files: &BTreeMap<String, String>) -> Vec<String> {
    let declaring = find(source).into_iter().filter(|(_, found)| !found.declares.is_empty());
    let named = declaring.map(|(path, _)| source.modules[path].file.clone());
    let tested = |file: &String| {
        let tests = format!("{}/tests.rs", file.trim_end_matches(".rs"));
        let texts = [files.get(file), files.get(&tests)].into_iter().flatten();
        texts.into_iter().any(|text| text.contains(DECLARED))
    };
    named.filter(|file| !tested(file)).collect()
}

fn below(folder: &str) -> BTreeMap<String, String> {
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

#[test]
fn no_sql_of_the_rest_side_escapes_the_test_that_prepares_it() {
    let source = Crate::parse(&below("src"));
    assert_eq!(escaped(&source), [""; 0]);
    assert_eq!(not_handed_in(&source, &["platform", "db"]), [""; 0]);
}

#[test]
fn no_sql_of_the_relay_escapes_the_tests_that_prepare_it() {
    let files = below("durable-objects/src");
    let source = Crate::parse(&files);
    assert_eq!(escaped(&source), [""; 0]);
    assert_eq!(not_gone_through(&source, &files), [""; 0]);
}

/// A crate with a `statements!` of its own, and `text` in one of its files.
fn with(text: &str) -> BTreeMap<String, String> {
    [
        ("lib.rs", "mod db; mod store;"),
        (
            "db.rs",
            "macro_rules! statements { () => {} } pub(crate) use statements;",
        ),
        ("store.rs", text),
    ]
    .map(|(file, text)| (file.to_owned(), text.to_owned()))
    .into()
}

#[test]
fn sql_in_statements_and_in_what_they_splice_and_in_tests_is_let_pass() {
    for text in [
        "use crate::db::statements; statements! { FIND = \"SELECT 1\"; }",
        "macro_rules! found { () => { \"SELECT 1\" } } crate::db::statements! { FIND = found!(); }",
        "#[cfg(test)] mod tests { const FIND: &str = \"SELECT 1\"; }",
        "/// SELECT is not SQL here.\nfn f() -> &'static str { \"SELECT\" }",
        "const WORDS: &str = \"UPDATED by somebody\";",
    ] {
        assert_eq!(escaped(&Crate::parse(&with(text))), [""; 0], "{text}");
    }
}

#[test]
fn sql_anywhere_else_is_found() {
    for text in [
        "const FIND: &str = \"SELECT 1\";",
        "fn f() { run(\"DELETE FROM users\") }",
        "fn f() { run(&format!(\"UPDATE users SET {}\", name)) }",
        "fn f() { run(concat!(\"WITH a AS (\", b!())) }",
        "fn f() { run(r\"\n  (INSERT INTO users\") }",
        "impl S { const FIND: &str = \"CREATE TABLE a (b)\"; }",
        "macro_rules! found { () => { \"SELECT 1\" } } fn f() { run(found!()) }",
        "macro_rules! found { () => { \"SELECT 1\" } } macro_rules! both { () => { found!() } } fn f() { run(both!()) }",
        "macro_rules! found { () => { \"SELECT 1\" } } fn f() { run(concat!(found!(), 2)) }",
    ] {
        assert_eq!(escaped(&Crate::parse(&with(text))).len(), 1, "{text}");
    }
}

#[test]
fn statements_that_nobody_hands_in_or_goes_through_are_found() {
    let own = Crate::parse(&with("use crate::db::statements; statements! { A = \"SELECT 1\"; }"));
    assert_eq!(not_handed_in(&own, &["db"]), [""; 0]);
    let files = with("use protocol::sql::statements; statements! { A = \"SELECT 1\"; }");
    let foreign = Crate::parse(&files);
    assert_eq!(not_handed_in(&foreign, &["db"]), ["store.rs"]);
    assert_eq!(not_gone_through(&foreign, &files), ["store.rs"]);
    let tested = with("protocol::sql::statements! {} #[cfg(test)] mod tests { fn f() { STATEMENTS; } }");
    assert_eq!(not_gone_through(&Crate::parse(&tested), &tested), [""; 0]);
}
