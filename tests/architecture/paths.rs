//! Every path that stands in an item: in types, in bodies, in attributes, and in what macros are given.
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Macro, UseTree};

use crate::source::is_test;

/// The paths of an item, `use` aside; one of a single name only where it calls a macro.
pub fn of_item(item: &Item) -> Vec<Vec<String>> {
    let mut found = Found::default();
    found.visit_item(item);
    found.0
}

/// The end of a path that takes everything a module has.
pub const EVERYTHING: &str = "*";

/// The paths that a `use` names.
pub fn of_use(tree: &UseTree, prefix: Vec<String>) -> Vec<Vec<String>> {
    let with = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(part) => of_use(&part.tree, with(&part.ident)),
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|tree| of_use(tree, prefix.clone()))
            .collect(),
        UseTree::Glob(_) => vec![prefix.into_iter().chain([EVERYTHING.to_owned()]).collect()],
        UseTree::Name(leaf) if leaf.ident == "self" => vec![prefix],
        UseTree::Rename(leaf) if leaf.ident == "self" => vec![prefix],
        UseTree::Name(leaf) => vec![with(&leaf.ident)],
        UseTree::Rename(leaf) => vec![with(&leaf.ident)],
    }
}

#[derive(Default)]
struct Found(Vec<Vec<String>>);

impl Found {
    /// Paths in text that is not parsed: names joined by `::`. Of `$crate::a`, the names behind the `$`.
    fn read(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.end(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.read(group.stream());
                    }
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.0.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 && path.leading_colon.is_none() {
            self.0
                .push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.0.push(
            called
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        );
        self.read(called.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Ok(list) = attribute.meta.require_list() {
            self.read(list.tokens.clone());
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.0.extend(of_use(&item.tree, Vec::new()));
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
}
