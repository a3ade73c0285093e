//! What may be typed.
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use protocol::ids::SessionId;

/// Reach your machines from the shell.
#[derive(Debug, Parser)]
#[command(name = "vsay", version, disable_help_subcommand = true)]
pub struct Args {
    /// Where the sign-in is kept [default: ~/.vsay-shell-cli/config.json]
    #[arg(long, global = true, value_name = "FILE", env = "VSAY_CONFIG")]
    pub config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in; asks for what is not given
    Login {
        /// Address of the instance, such as https://edge.example.com
        url: String,
        /// Email address or username; the password is then the first line of stdin if that is not a terminal
        #[arg(long, value_name = "EMAIL OR USERNAME")]
        email: Option<String>,
        /// Sign in with a token or personal API key instead of a password
        #[arg(long, conflicts_with = "email")]
        token: Option<String>,
    },
    /// Forget the sign-in
    Logout,
    /// Show all machines
    #[command(alias = "ls")]
    List,
    /// Open a terminal on a machine
    #[command(after_help = "In the terminal, Enter ~ . leaves it running and Enter ~ ~ types one ~.")]
    Connect {
        /// The machine's name or agent id
        machine: String,
        /// Return to a terminal that was left
        #[arg(long, value_name = "ID")]
        session: Option<SessionId>,
    },
    /// Run a command on a machine, without a terminal
    Exec(Exec),
    /// Add a machine
    Machine {
        /// What to do.
        #[command(subcommand)]
        command: Machine,
    },
    /// Delete a machine; ends its terminals
    Delete {
        /// The machine's name or agent id
        machine: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Export the audit log, or check that nobody changed it
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        command: Audit,
    },
    /// Show who is signed in, and where
    Status,
    /// Show the version
    Version,
}

/// A command, and where it runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What it writes is shown once it has ended. If an administrator has to approve it first, this is said, and it is \
                  waited for. Exit status: the command's own; 124 if its time was up; 126 if it must not run, or was rejected; \
                  125 if it did not run for another reason, or nobody knows what came of it; 130 after Ctrl-C, which leaves it \
                  running or waiting."
)]
pub struct Exec {
    /// The machine's name or agent id
    pub machine: String,
    /// After how many seconds it is killed, 1 to 300 [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..=300))]
    pub timeout: Option<u32>,
    /// If the machine is offline, wait for it, for 24 hours at most
    #[arg(long)]
    pub when_online: bool,
    /// What bash is to run there; several words are put together with spaces, as ssh does
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What can be done about machines.
#[derive(Debug, Subcommand)]
pub enum Machine {
    /// Print the one line to run on a computer that is to become a machine, and wait until it is online
    #[command(
        after_help = "The line goes to standard output, everything else to standard error. Exit status: 0 once the \
                            machine is online, or at once with --no-wait; 1 if it failed; 130 after Ctrl-C, which leaves \
                            the machine waiting."
    )]
    Add {
        /// What it is called, unique among your machines
        name: String,
        /// The account that terminals run as [default: whoever runs the line]
        #[arg(long, value_name = "USER", default_value = "", hide_default_value = true)]
        linux_user: String,
        /// Terminals may gain root
        #[arg(long)]
        allow_sudo: bool,
        /// A label to filter by; may be given several times
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// Do not wait for it
        #[arg(long)]
        no_wait: bool,
    },
}

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Write the whole log to standard output, the oldest entry first
    Export {
        /// For programs, or for spreadsheets
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },
    /// Compute every seal anew and say where the log was changed
    Verify {
        /// A JSON export to check, in place of the log as the server has it now
        file: Option<PathBuf>,
        /// A seal that was kept, such as the head that an earlier run printed: it must still be in the log
        #[arg(long, value_name = "SEAL")]
        head: Vec<String>,
        /// An earlier JSON export that was kept: all that is in it must still be in the log, unchanged
        #[arg(long, value_name = "FILE")]
        kept: Option<PathBuf>,
    },
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One array, one entry per line
    Json,
    /// A table; it cannot be verified
    Csv,
}

impl Format {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_machine_is_added_with_as_many_tags_as_are_given() {
        let typed = [
            "vsay",
            "machine",
            "add",
            "web-1",
            "--tag",
            "a",
            "--tag",
            "b",
            "--no-wait",
        ];
        let Command::Machine {
            command: Machine::Add { tags, linux_user, .. },
        } = Args::try_parse_from(typed).unwrap().command
        else {
            panic!("another command")
        };
        assert_eq!(
            (tags, linux_user),
            (vec!["a".to_owned(), "b".to_owned()], String::new())
        );
    }

    #[test]
    fn what_stands_behind_the_machine_is_the_command_with_its_options() {
        let parse = |typed: &[&str]| match Args::try_parse_from(typed).unwrap().command {
            Command::Exec(exec) => (exec.timeout, exec.command.join(" ")),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            parse(&["vsay", "exec", "web", "ls", "-la", "--timeout"]),
            (None, "ls -la --timeout".to_owned())
        );
        assert_eq!(
            parse(&["vsay", "exec", "--timeout", "5", "web", "--", "ls | wc"]),
            (Some(5), "ls | wc".to_owned())
        );
        assert!(Args::try_parse_from(["vsay", "exec", "web"]).is_err());
        assert!(Args::try_parse_from(["vsay", "exec", "--timeout", "301", "web", "ls"]).is_err());
    }

    #[test]
    fn ls_is_list_and_a_bad_session_id_says_the_rule() {
        assert!(matches!(
            Args::try_parse_from(["vsay", "ls"]).unwrap().command,
            Command::List
        ));
        let error = Args::try_parse_from(["vsay", "connect", "m", "--session", "a b"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("1 to 128 characters"), "{error}");
    }
}
