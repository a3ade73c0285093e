//! The source of a crate as modules: which file each is in, and what it names.
use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Item, ItemMod, Macro, UseTree};

/// The names from the root of the crate down to a module.
pub type ModulePath = Vec<String>;

/// What a name in a module stands for.
#[derive(Debug, Clone)]
pub enum Name {
    /// Something that is declared there.
    Declared,
    /// A module below.
    Module,
    /// What a `use` brings in: the path as it is written.
    Imported(Vec<String>),
}

/// A module that is part of the build, tests aside.
pub struct Module {
    /// Its file, from the root of the source.
    pub file: String,
    /// What is declared and imported in it, by name.
    pub names: BTreeMap<String, Name>,
    /// Paths of which it imports everything.
    pub globs: Vec<Vec<String>>,
    /// Its items, those of inline modules aside.
    pub items: Vec<Item>,
}

/// All modules of a crate.
#[derive(Default)]
pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    /// The crate with the given files, of which `lib.rs` is the root.
    pub fn parse(files: &BTreeMap<String, String>) -> Self {
        let mut found = Self::default();
        found.add_file(files, "lib.rs", Vec::new());
        found
    }

    fn add_file(&mut self, files: &BTreeMap<String, String>, file: &str, path: ModulePath) {
        let text = files.get(file).unwrap_or_else(|| panic!("no file {file}"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add_module(files, file, path, parsed.items);
    }

    fn add_module(&mut self, files: &BTreeMap<String, String>, file: &str, path: ModulePath, items: Vec<Item>) {
        let mut module = Module {
            file: file.to_owned(),
            names: BTreeMap::new(),
            globs: Vec::new(),
            items: Vec::new(),
        };
        for item in items.into_iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Mod(inner) => {
                    module.names.insert(inner.ident.to_string(), Name::Module);
                    self.add_inner(files, file, &path, inner);
                }
                other => {
                    module.declare(&other);
                    module.items.push(other);
                }
            }
        }
        self.modules.insert(path, module);
    }

    fn add_inner(&mut self, files: &BTreeMap<String, String>, file: &str, parent: &ModulePath, inner: ItemMod) {
        let path: ModulePath = parent.iter().cloned().chain([inner.ident.to_string()]).collect();
        match inner.content {
            Some((_, items)) => self.add_module(files, file, path, items),
            None => {
                let stem = path.join("/");
                let candidates = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
                let found = candidates.iter().find(|file| files.contains_key(*file));
                let found = found.unwrap_or_else(|| panic!("{file} declares a module {stem} that has no file"));
                self.add_file(files, found, path);
            }
        }
    }
}

impl Module {
    fn declare(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Macro(item) => match &item.ident {
                Some(name) => name,
                None => return self.declare_constants(&item.mac),
            },
            Item::Use(item) => return self.import(&item.tree, Vec::new()),
            _ => return,
        };
        self.names.insert(name.to_string(), Name::Declared);
    }

    /// What a macro is given may declare names: `FIND = …` of `statements!`, for one.
    fn declare_constants(&mut self, declared: &Macro) {
        let mut tokens = declared.tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            let followed_by_value =
                matches!(tokens.peek(), Some(proc_macro2::TokenTree::Punct(mark)) if mark.as_char() == '=');
            if let (proc_macro2::TokenTree::Ident(name), true) = (token, followed_by_value) {
                self.names.insert(name.to_string(), Name::Declared);
            }
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: Vec<String>) {
        let with = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        let (name, path) = match tree {
            UseTree::Path(part) => return self.import(&part.tree, with(&part.ident)),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(tree, prefix.clone())),
            UseTree::Glob(_) => return self.globs.push(prefix),
            UseTree::Name(leaf) if leaf.ident == "self" => (prefix.last().cloned().unwrap_or_default(), prefix),
            UseTree::Name(leaf) => (leaf.ident.to_string(), with(&leaf.ident)),
            UseTree::Rename(leaf) if leaf.ident == "self" => (leaf.rename.to_string(), prefix),
            UseTree::Rename(leaf) => (leaf.rename.to_string(), with(&leaf.ident)),
        };
        // `pub(crate) use name;` makes a macro of the same module known under its path.
        if path != [name.clone()] {
            self.names.insert(name, Name::Imported(path));
        }
    }
}

/// The Rust files below a folder, by their path from there.
pub fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Whether an item is compiled for tests only.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|cfg| cfg.is_ident("test"))
    })
}

/// What stands before an item.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
