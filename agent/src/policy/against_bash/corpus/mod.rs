//! Texts as people and programs write them, and as nobody does.
mod commands;
mod tools;
mod untold;
mod words;

pub use commands::{COMMANDS, COMPOUNDS};
pub use tools::TOOLS;
pub use untold::{UNREAD, UNTOLD};
pub use words::{DOCUMENTS, SUBSTITUTIONS, WORDS};

/// Texts that are read: all that bash starts of them is found, and they are not refused. Each starts something.
pub const READ: &[&[&str]] = &[COMMANDS, COMPOUNDS, WORDS, SUBSTITUTIONS, DOCUMENTS];

/// Texts of which bash starts nothing.
pub const NOTHING: &[&str] = &[
    "",
    " ",
    "\n",
    "\t\n\n",
    "#",
    "# aa",
    "  # aa; bb",
    ":",
    "true; # aa",
    ": '$(aa)'",
    ": \\$\\(aa\\)",
    ": \"\\$(aa)\" '`bb`'",
    "A=aa",
    ">aa",
    "f() { aa; }",
    "echo aa bb",
    "if false; then aa; fi",
    "while false; do aa; done",
    "case x in y) aa;; esac",
    "for x in; do aa; done",
    "cd .; pwd; type aa; command -v aa",
    ": <<'X'\n$(aa)\nX",
    "[[ aa == bb ]]",
    "[ aa = aa ] && true",
    "A=(aa bb)",
    "exec >out",
    "printf '%s' aa",
    "(:)",
    "{ :; }",
    "! :",
    "time :",
];
