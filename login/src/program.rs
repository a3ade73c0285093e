//! What is run.
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// A program, as `execve` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Where it lies; absolute.
    pub path: OsString,
    /// What it is told that it is called, if not by its path.
    pub name: Option<OsString>,
    /// What follows its name.
    pub arguments: Vec<OsString>,
    /// All of its environment. Of a name that comes twice, the last counts.
    pub environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// A command that runs it, with this process's own input and outputs unless others are set.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).env_clear();
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        if let Some(name) = &self.name {
            command.arg0(name);
        }
        command
    }
}
