//! What commands may run: the lists of programs of the machine's organization and of the machine.
//!
//! [`programs`] reads a command as bash would and finds every program that it could run, by [`words`] what is literally there, by
//! [`wrappers`] programs that run others, by [`builtins`] what the shell itself does; [`names`] finds out which files those are; and
//! [`rules`] says what the lists have to say of them. All that is pure, but for looking at files. [`reader`] has it done by a process of
//! its own: a text that breaks the one that reads it breaks nothing else, and is refused.
mod builtins;
mod documents;
mod names;
mod programs;
pub mod reader;
mod rules;
mod words;
mod wrappers;

#[cfg(test)]
mod against_bash;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use protocol::api::command_policy::Policies;
use serde::{Deserialize, Serialize};

/// What comes of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may run.
    Allowed,
    /// It must not, for this reason.
    Refused(String),
    /// Somebody has to approve it, for this reason.
    NeedsApproval(String),
}

/// Where a command runs, as far as it matters for which programs names are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where programs are looked for.
    pub path: Vec<PathBuf>,
    /// The directory that it begins in.
    pub directory: PathBuf,
}

/// What the policies have to say of a text that bash is to run.
pub fn judge(text: &str, policies: &Policies, place: &Place) -> Verdict {
    if policies.are_empty() {
        return Verdict::Allowed;
    }
    match programs::of(text) {
        Ok(uses) => {
            let named: Vec<_> = uses.iter().map(|used| names::resolve(used, place)).collect();
            rules::decide(&named, policies)
        }
        Err(why) => rules::unreadable(&why, policies),
    }
}
