//! From a path as it is written to the file that declares what it names.
use crate::paths::EVERYTHING;
use crate::source::{Crate, ModulePath, Name};

/// Most imports followed from one name: those that lead back to themselves end there.
const MAX_IMPORTS: usize = 32;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// Something declared in this module.
    Declared(ModulePath),
    /// A module.
    Module(ModulePath),
}

impl Crate {
    /// The modules that declare what a path means that is written in module `within`. A module that is named alone gives nothing:
    /// what is taken out of it is named elsewhere.
    pub fn declared_in(&self, within: &ModulePath, path: &[String]) -> Vec<ModulePath> {
        let target = match path.split_last() {
            Some((last, module)) if last == EVERYTHING => match self.resolve(within, module) {
                Some(Target::Module(of)) => return self.everything_of(&of),
                other => other,
            },
            _ => self.resolve(within, path),
        };
        match target {
            Some(Target::Declared(of)) => vec![of],
            Some(Target::Module(_)) | None => Vec::new(),
        }
    }

    /// The module and those whose things it passes on.
    fn everything_of(&self, module: &ModulePath) -> Vec<ModulePath> {
        let names = self.modules.get(module).into_iter().flat_map(|module| &module.names);
        let passed_on = names.filter_map(|(_, name)| match name {
            Name::Imported(path) => self.resolve(module, path),
            Name::Declared | Name::Module => None,
        });
        let declared = passed_on.filter_map(|target| match target {
            Target::Declared(of) => Some(of),
            Target::Module(_) => None,
        });
        std::iter::once(module.clone()).chain(declared).collect()
    }

    /// What a path means that is written in module `within`; nothing if it leads out of the crate.
    fn resolve(&self, within: &ModulePath, path: &[String]) -> Option<Target> {
        self.follow(within, path, MAX_IMPORTS)
    }

    fn follow(&self, within: &ModulePath, path: &[String], left: usize) -> Option<Target> {
        let left = left.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let parent = |of: &ModulePath| of.split_last().map(|(_, above)| above.to_vec());
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, left),
            "self" => self.descend(within.clone(), rest, left),
            "super" => match rest.first().is_some_and(|next| next == "super") {
                true => self.follow(&parent(within)?, rest, left),
                false => self.descend(parent(within)?, rest, left),
            },
            _ => self.lookup(within, first, rest, left),
        }
    }

    fn descend(&self, module: ModulePath, path: &[String], left: usize) -> Option<Target> {
        match path.split_first() {
            None => Some(Target::Module(module)),
            // What a module does not name is something of a macro's making.
            Some((first, rest)) => self
                .lookup(&module, first, rest, left)
                .or(Some(Target::Declared(module))),
        }
    }

    /// What `name` in a module, and `rest` behind it, leads to.
    fn lookup(&self, module: &ModulePath, name: &str, rest: &[String], left: usize) -> Option<Target> {
        let here = self.modules.get(module)?;
        match here.names.get(name) {
            Some(Name::Declared) => Some(Target::Declared(module.clone())),
            Some(Name::Module) => self.descend(module.iter().cloned().chain([name.to_owned()]).collect(), rest, left),
            Some(Name::Imported(path)) => {
                let path: Vec<String> = path.iter().chain(rest).cloned().collect();
                self.follow(module, &path, left)
            }
            None => here.globs.iter().find_map(|glob| {
                let Some(Target::Module(of)) = self.follow(module, glob, left) else {
                    return None;
                };
                self.modules.get(&of)?.names.get(name)?;
                self.lookup(&of, name, rest, left)
            }),
        }
    }
}
