//! What bash does itself, without a program.

/// Those that can do no more harm than a redirection: they print, look, and change the shell that ends with the command.
const HARMLESS: &[&str] = &[
    ":",
    "[",
    "break",
    "cd",
    "continue",
    "declare",
    "dirs",
    "echo",
    "exit",
    "export",
    "false",
    "getopts",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "test",
    "times",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unset",
    "wait",
];

/// The others.
const OTHERS: &[&str] = &[
    ".", "alias", "bg", "bind", "builtin", "caller", "command", "compgen", "complete", "compopt", "coproc", "disown",
    "enable", "eval", "exec", "fc", "fg", "hash", "help", "history", "jobs", "kill", "let", "source", "suspend",
    "trap", "unalias",
];

/// Those that run texts, or change what names mean: what follows cannot be told by reading the command.
const OPAQUE: &[&str] = &[
    ".", "alias", "bind", "compgen", "complete", "compopt", "coproc", "enable", "eval", "fc", "hash", "history",
    "source", "trap", "unalias",
];

/// Those whose arguments name variables. Where one is `a[…]`, what is in the brackets is worked out, and may run something.
const NAME_VARIABLES: &[&str] = &[
    "declare",
    "export",
    "getopts",
    "local",
    "mapfile",
    "read",
    "readarray",
    "readonly",
    "typeset",
    "unset",
    "wait",
];

/// Those that say what kind of variable one is: `-i` has values worked out, and `-n` has them name others.
const DECLARE: &[&str] = &["declare", "export", "local", "readonly", "typeset"];

/// Variables that say which program a name is, or what programs do before they begin.
const DECISIVE: &[&str] = &[
    "BASHOPTS",
    "BASH_ALIASES",
    "BASH_CMDS",
    "BASH_ENV",
    "BASH_LOADABLES_PATH",
    "ENV",
    "EXECIGNORE",
    "PATH",
    "POSIXLY_CORRECT",
    "PROMPT_COMMAND",
    "PS4",
    "SHELLOPTS",
];

/// Variables that are numbers from the beginning, in one bash or another: what they are set to is worked out.
const NUMBERS: &[&str] = &[
    "BASHPID",
    "EPOCHSECONDS",
    "HISTCMD",
    "LINENO",
    "OPTIND",
    "RANDOM",
    "SECONDS",
    "SRANDOM",
];

/// Whether bash does something of this name itself.
pub fn is_builtin(name: &str) -> bool {
    HARMLESS.contains(&name) || OTHERS.contains(&name)
}

/// Whether it need not be named to run.
pub fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
}

/// Whether it runs what cannot be told by reading.
pub fn is_opaque(name: &str) -> bool {
    OPAQUE.contains(&name)
}

/// Whether its arguments name variables.
pub fn names_variables(name: &str) -> bool {
    NAME_VARIABLES.contains(&name)
}

/// Whether it says what kind of variable one is.
pub fn declares(name: &str) -> bool {
    DECLARE.contains(&name)
}

/// Whether a variable of this name says what is run.
pub fn is_decisive(variable: &str) -> bool {
    DECISIVE.contains(&variable) || variable.starts_with("LD_") || variable.starts_with("BASH_FUNC_")
}

/// Whether what a variable of this name is set to is worked out, and may run something.
pub fn is_number(variable: &str) -> bool {
    NUMBERS.contains(&variable)
}
