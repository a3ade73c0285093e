//! Who may call what, as a page for people: `docs/reference/permissions.md`. It is made of what the features declare.
use std::fmt::Write;

use crate::auth::rule::{Effect, Operation, Rule};

const HEAD: &str = "\
# Who may call what

Made from what each feature declares, by `cargo run --example permissions >docs/reference/permissions.md`; a test compares the two.

| Who | |
|---|---|
| anybody | without a token. What the operation needs to know of its caller, such as a password or a mailed token, is in the request |
| the agent | of a machine, with its own kind of token |
| signed in | it concerns nobody but the caller, or gives each caller what that caller may see |
| in person | signed in, and not by an API key |
| by object | signed in, as far as the object that the request names allows; another organization's is as good as absent |
| `permission` | whoever holds it in the organization; administrators hold all |
| administrator | of the organization |
| super administrator | of the server |

An API key of scope `read` may call what reads, and opens no WebSocket; one of scope `full` may not call what says *people*, which
takes one of scope `people:admin`. No API key may call what says *in person*. An account whose password somebody else chose may
call what says *early*, and nothing else until it has chosen one itself.

| Operation | Who | | |
|---|---|---|---|
";

/// The page.
pub fn page() -> String {
    let mut lines = Vec::new();
    for operation in crate::router::api().into_described() {
        let (_, paths) = &operation.description;
        for (path, item) in &paths.paths {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            for (method, _) in methods.into_iter().filter(|(_, operation)| operation.is_some()) {
                let own = (path.clone(), method, line(method, path, None, operation.declared));
                let alias = |other: &&str| {
                    (
                        (*other).to_owned(),
                        method,
                        line(method, other, Some(path), operation.declared),
                    )
                };
                lines.push(own);
                lines.extend(operation.aliases.iter().map(alias));
            }
        }
    }
    lines.sort();
    lines
        .into_iter()
        .fold(HEAD.to_owned(), |page, (_, _, line)| page + &line)
}

fn line(method: &str, path: &str, alias_of: Option<&str>, declared: Operation) -> String {
    let effect = match declared.effect {
        Effect::Reads => "reads",
        Effect::Writes => "writes",
    };
    let mut notes = Vec::new();
    if declared.before_password_change {
        notes.push("early".to_owned());
    }
    if declared.in_person {
        notes.push("in person".to_owned());
    }
    if declared.of_people {
        notes.push("people".to_owned());
    }
    if let Some(path) = alias_of {
        notes.push(format!("as `{path}`"));
    }
    let mut line = String::new();
    // Writing to a text does not fail.
    let _ = writeln!(
        line,
        "| `{method} {path}` | {} | {effect} | {} |",
        who(declared.rule),
        notes.join(", ")
    );
    line
}

fn who(rule: Rule) -> String {
    match rule {
        Rule::Open => "anybody".to_owned(),
        Rule::Agent => "the agent".to_owned(),
        Rule::SignedIn => "signed in".to_owned(),
        Rule::InPerson => "in person".to_owned(),
        Rule::Object => "by object".to_owned(),
        Rule::Needs(permission) | Rule::AdminOr(permission) => format!("`{}`", permission.codename()),
        Rule::Admin => "administrator".to_owned(),
        Rule::SuperAdmin => "super administrator".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_of_permissions_is_that_of_the_features() {
        assert!(
            include_str!("../docs/reference/permissions.md") == super::page(),
            "out of date: cargo run --example permissions >docs/reference/permissions.md"
        );
    }
}
