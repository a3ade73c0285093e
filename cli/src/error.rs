//! What can go wrong, in words for whoever typed the command.
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use thiserror::Error;

/// Exit status of a command that could not do what it was asked.
pub const FAILED: i32 = 1;

/// Exit status of a command that must be said more precisely, like that of a wrong argument.
pub const UNCLEAR: i32 = 2;

/// Exit status of a command whose output nobody reads any more: what shells say of programs that the signal of it (13,
/// SIGPIPE) ends.
const BROKEN_PIPE: i32 = 128 + 13;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no sign-in.
    #[error("not signed in; run: vsay login <URL>")]
    SignedOut,
    /// The sign-in is no longer good.
    #[error("the server no longer accepts this sign-in ({0}); run: vsay login <URL>")]
    SignInRefused(String),
    /// The file of the sign-in.
    #[error("{}: {problem}", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An argument that clap cannot judge.
    #[error("{0}")]
    Argument(String),
    /// No answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Whom.
        url: String,
        /// The innermost cause.
        reason: String,
    },
    /// An answer other than success.
    #[error("{0}")]
    Refused(String),
    /// An answer that is not what the API promises.
    #[error("the server answered something this version does not understand ({0})")]
    Unexpected(String),
    /// No machine of that name.
    #[error("there is no machine named {0}; see: vsay list")]
    NoMachine(String),
    /// Several machines of that name.
    #[error("{count} machines are named {name}; say which by its agent id:\n{candidates}")]
    Ambiguous {
        /// The name.
        name: String,
        /// How many.
        count: usize,
        /// A line for each.
        candidates: String,
    },
    /// The terminal ended otherwise than by its shell.
    #[error("{0}")]
    Terminal(String),
    /// The local terminal or a pipe.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// Whether somebody has read as much of our output as they wanted, as `head` does. Nothing is to be said about that.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == ErrorKind::BrokenPipe)
    }

    /// The status to exit with.
    pub fn exit_status(&self) -> i32 {
        match self {
            _ if self.is_broken_pipe() => BROKEN_PIPE,
            Self::Argument(_) | Self::Ambiguous { .. } => UNCLEAR,
            _ => FAILED,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::Io(kind.into())
    }
}

/// Writes to standard error. That nobody may be there to read it is no reason to fail, as `eprintln!` does.
pub fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// The innermost cause: "connection refused" says more than "error sending request".
pub fn root_cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
