//! Our hooks in interactive shells, which tell the command log what is run. They are given to bash, zsh and fish in ways that
//! leave the login what it is: its files, its variables and its history are read as without (`docs/command-log.md`).
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

use nix::unistd::Uid;
use protocol::terminal::command_record::MAX_COMMAND_TEXT;
use tempfile::TempDir;

use crate::account::Account;

const BASH: &str = include_str!("hooks.bash");
const ZSH: &str = include_str!("hooks.zsh");
const FISH: &str = include_str!("hooks.fish");

/// Programs that take commands at a prompt, by their names. What is typed into another that an account has in place of a shell, such
/// as a menu, is none.
const SHELLS: [&str; 13] = [
    "sh", "ash", "bash", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "rbash", "tcsh", "yash", "zsh",
];

/// Where the secret is, in the directory of a shell's hooks.
const KEY: &str = "key";

/// Where bash writes down, at each prompt, whether its user has a trap of their own.
const TRAPS: &str = "traps";

/// How many rows there are at one prompt of what bash runs unannounced. A key that is bound to a command makes one or two each time,
/// and a loop from an editor as many as it likes.
const MAX_UNSAID: usize = 50;

/// Whether a program is a shell.
pub fn is_shell(program: &Path) -> bool {
    let name = program.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| SHELLS.contains(&name))
}

/// The hooks of one shell. They lie in a directory that is removed when this is dropped, after the shell has ended.
#[derive(Debug)]
pub struct Hooks {
    /// What the shell gets besides a login's variables.
    pub environment: Vec<(OsString, OsString)>,
    /// What it is called with.
    pub arguments: Vec<OsString>,
    _directory: TempDir,
}

impl Hooks {
    /// Writes hooks for a shell, if there are any for it. `environment` is what it begins with otherwise, `secret` what its marks
    /// carry, and `parent` where its files may be.
    pub fn prepare(
        shell: &Path,
        account: &Account,
        environment: &BTreeMap<OsString, OsString>,
        secret: &str,
        parent: &Path,
    ) -> io::Result<Option<Self>> {
        let given = |name: &str| environment.get(OsStr::new(name)).map(OsString::as_os_str);
        let kind = match shell.file_name().and_then(OsStr::to_str) {
            // An account for which it is in POSIX mode already has no start-up files for us to stand before.
            Some("bash") if given("POSIXLY_CORRECT").is_none() => Kind::Bash,
            Some("zsh") => Kind::Zsh,
            Some("fish") => Kind::Fish,
            _ => return Ok(None),
        };
        let directory = tempfile::Builder::new().prefix("vsay-shell-").tempdir_in(parent)?;
        let path = std::path::absolute(directory.path())?;
        let restore = match kind {
            Kind::Bash => given("ENV").map_or_else(|| Ok(String::new()), |value| export("ENV", value))?,
            Kind::Zsh => {
                given("ZDOTDIR").map_or_else(|| Ok("unset ZDOTDIR".into()), |value| export("ZDOTDIR", value))?
            }
            Kind::Fish => String::new(),
        };
        let script = kind
            .script()
            .replace("__VSAY_KEY_FILE__", within_quotes(path.join(KEY).as_os_str())?)
            .replace("__VSAY_TRAPS_FILE__", within_quotes(path.join(TRAPS).as_os_str())?)
            .replace("__VSAY_MAX_TEXT__", &MAX_COMMAND_TEXT.to_string())
            .replace("__VSAY_MAX_UNSAID__", &MAX_UNSAID.to_string())
            .replace("__VSAY_RESTORE__", &restore);
        let file = path.join(kind.file());
        let key = (path.join(KEY), format!("{secret}\n"));
        let traps = matches!(kind, Kind::Bash).then(|| (path.join(TRAPS), String::new()));
        for (file, text) in [key, (file.clone(), script)].into_iter().chain(traps) {
            write_for(account, &file, &text)?;
        }
        if Uid::effective() != account.uid {
            // The directory stays the agent's, who may lack the right to remove what lies in another's.
            fs::set_permissions(&path, Permissions::from_mode(0o711))?;
        }
        let (environment, arguments) = kind.start(&path, &file)?;
        Ok(Some(Self {
            environment,
            arguments,
            _directory: directory,
        }))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Bash,
    Zsh,
    Fish,
}

impl Kind {
    fn script(self) -> &'static str {
        match self {
            Self::Bash => BASH,
            Self::Zsh => ZSH,
            Self::Fish => FISH,
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Bash | Self::Fish => "hooks",
            Self::Zsh => ".zshenv",
        }
    }

    /// The variables and arguments that make a shell read its hooks.
    #[allow(clippy::type_complexity, reason = "two lists that are taken apart at once")]
    fn start(self, directory: &Path, file: &Path) -> io::Result<(Vec<(OsString, OsString)>, Vec<OsString>)> {
        let text = |path: &Path| path.as_os_str().to_owned();
        Ok(match self {
            Self::Bash => {
                let variables = vec![("ENV".into(), text(file)), ("POSIXLY_CORRECT".into(), "y".into())];
                (variables, Vec::new())
            }
            Self::Zsh => (vec![("ZDOTDIR".into(), text(directory))], Vec::new()),
            Self::Fish => {
                let file = within_quotes(file.as_os_str())?;
                let source = format!("test -r '{file}'; and source '{file}'");
                (Vec::new(), vec!["-C".into(), source.into()])
            }
        })
    }
}

/// A file that the account can read, and nobody else but root.
pub fn write_for(account: &Account, path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    if Uid::effective() != account.uid {
        chown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    }
    Ok(())
}

/// A text that means itself between single quotes, in each of the three.
fn within_quotes(text: &OsStr) -> io::Result<&str> {
    let plain = text.to_str().filter(|text| !text.contains(['\'', '\\', '\n', '\0']));
    plain.ok_or_else(|| io::Error::other(format!("{} cannot be quoted for a shell", text.display())))
}

fn export(name: &str, value: &OsStr) -> io::Result<String> {
    Ok(format!("export {name}='{}'", within_quotes(value)?))
}

/// A secret of one shell, that nobody guesses.
pub fn new_secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(shell: &str, environment: &[(&str, &str)]) -> io::Result<Option<(TempDir, Hooks)>> {
        let parent = tempfile::tempdir().unwrap();
        let account = Account::current().unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let hooks = Hooks::prepare(Path::new(shell), &account, &environment, "abc", parent.path())?;
        Ok(hooks.map(|hooks| (parent, hooks)))
    }

    #[test]
    fn only_shells_that_there_are_hooks_for_get_any() {
        for shell in [
            "/bin/sh",
            "/bin/dash",
            "/usr/bin/rbash",
            "/usr/sbin/nologin",
            "/opt/bash5",
            "/",
        ] {
            assert!(prepared(shell, &[]).unwrap().is_none(), "{shell}");
        }
        assert!(prepared("/bin/bash", &[("POSIXLY_CORRECT", "1")]).unwrap().is_none());
        for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/local/bin/fish"] {
            assert!(prepared(shell, &[]).unwrap().is_some(), "{shell}");
        }
    }

    #[test]
    fn the_secret_is_in_a_file_of_the_accounts_alone_and_nowhere_else() {
        for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"] {
            let (parent, hooks) = prepared(shell, &[]).unwrap().unwrap();
            let said = format!("{:?} {:?}", hooks.environment, hooks.arguments);
            assert!(!said.contains("abc"), "{said}");
            let directory = fs::read_dir(parent.path()).unwrap().next().unwrap().unwrap().path();
            for entry in fs::read_dir(&directory).unwrap() {
                let entry = entry.unwrap();
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                let text = fs::read_to_string(entry.path()).unwrap();
                assert!(!text.contains("__VSAY_"), "{text}");
                assert_eq!(text == "abc\n", entry.file_name() == KEY);
            }
            drop(hooks);
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_cannot_be_quoted_is_an_error_and_no_other_command() {
        assert!(prepared("/bin/bash", &[("ENV", "/home/ann/.shrc")]).unwrap().is_some());
        assert!(prepared("/bin/bash", &[("ENV", "'; rm -rf ~; '")]).is_err());
        assert!(prepared("/usr/bin/zsh", &[("ZDOTDIR", "/home/o'neill")]).is_err());
    }
}
