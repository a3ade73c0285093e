//! Programs that run another, which stands among their arguments.

/// How one is called.
#[derive(Debug)]
pub struct Wrapper {
    /// Its names.
    names: &'static [&'static str],
    /// Options without a value: letters, and long ones.
    flags: (&'static str, &'static [&'static str]),
    /// Options with a value, which is glued to them or the next argument.
    valued: (&'static str, &'static [&'static str]),
    /// Arguments before the program.
    positions: usize,
    /// Whether variables may be set before the program.
    assigns: bool,
    /// What it runs if no program is named; nothing if it runs none then.
    default: Option<&'static str>,
}

const PLAIN: Wrapper = Wrapper {
    names: &[],
    flags: ("", &[]),
    valued: ("", &[]),
    positions: 0,
    assigns: false,
    default: None,
};

/// Options that are not here are not understood, and what is run then is not either.
const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        names: &["env"],
        flags: ("i0v", &["ignore-environment", "null", "debug"]),
        valued: ("uC", &["unset", "chdir"]),
        assigns: true,
        ..PLAIN
    },
    Wrapper {
        names: &["sudo"],
        flags: (
            "AbEHknNPS",
            &[
                "askpass",
                "background",
                "preserve-env",
                "set-home",
                "non-interactive",
                "preserve-groups",
                "stdin",
            ],
        ),
        valued: (
            "CDghpRrTtuU",
            &["close-from", "chdir", "group", "host", "prompt", "chroot", "user"],
        ),
        assigns: true,
        ..PLAIN
    },
    Wrapper {
        names: &["doas"],
        flags: ("n", &[]),
        valued: ("u", &[]),
        ..PLAIN
    },
    Wrapper {
        names: &["nice"],
        valued: ("n", &["adjustment"]),
        ..PLAIN
    },
    Wrapper {
        names: &["timeout"],
        flags: ("fpv", &["foreground", "preserve-status", "verbose"]),
        valued: ("ks", &["kill-after", "signal"]),
        positions: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["xargs"],
        flags: (
            "0prtxo",
            &[
                "null",
                "no-run-if-empty",
                "verbose",
                "exit",
                "interactive",
                "open-tty",
                // With its value behind a `=`, or without one.
                "max-lines",
            ],
        ),
        valued: (
            "adEILnPs",
            &["arg-file", "delimiter", "max-args", "max-procs", "max-chars"],
        ),
        default: Some("echo"),
        ..PLAIN
    },
    Wrapper {
        names: &["exec"],
        flags: ("cl", &[]),
        valued: ("a", &[]),
        ..PLAIN
    },
    Wrapper {
        names: &["command"],
        flags: ("p", &[]),
        ..PLAIN
    },
    Wrapper {
        names: &["nohup", "setsid", "builtin"],
        flags: ("cfw", &["ctty", "fork", "wait"]),
        ..PLAIN
    },
    Wrapper {
        names: &["stdbuf"],
        valued: ("ioe", &["input", "output", "error"]),
        ..PLAIN
    },
    Wrapper {
        names: &["time"],
        flags: ("apqv", &["append", "portability", "quiet", "verbose"]),
        valued: ("fo", &["format", "output"]),
        ..PLAIN
    },
    Wrapper {
        names: &["flock"],
        flags: (
            "sexnuoFv",
            &[
                "shared",
                "exclusive",
                "nonblock",
                "unlock",
                "close",
                "no-fork",
                "verbose",
            ],
        ),
        valued: ("wE", &["timeout", "conflict-exit-code"]),
        positions: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["ionice"],
        flags: ("t", &["ignore"]),
        valued: ("cn", &["class", "classdata"]),
        ..PLAIN
    },
    Wrapper {
        names: &["chrt"],
        flags: ("bfior", &["batch", "fifo", "idle", "other", "rr"]),
        positions: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["taskset"],
        flags: ("c", &["cpu-list"]),
        positions: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["chroot"],
        valued: ("", &["userspec", "groups"]),
        positions: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["busybox", "toybox"],
        ..PLAIN
    },
];

/// Shells, and programs that hand what they are given to one: what they run is in texts that are not read here.
const SHELLS: &[&str] = &[
    "ash",
    "at",
    "bash",
    "batch",
    "capsh",
    "cgexec",
    "csh",
    "dash",
    "dbus-run-session",
    "fakeroot",
    "fish",
    "gosu",
    "ksh",
    "ltrace",
    "mksh",
    "nsenter",
    "parallel",
    "prlimit",
    "rbash",
    "runuser",
    "script",
    "setarch",
    "setpriv",
    "sh",
    "ssh-agent",
    "start-stop-daemon",
    "strace",
    "su",
    "su-exec",
    "systemd-run",
    "tcsh",
    "unshare",
    "watch",
    "yash",
    "zsh",
];

/// What a wrapper runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrapped {
    /// The program at this place of the arguments; before it, variables are set by the arguments at these.
    Program { at: usize, assignments: Vec<usize> },
    /// This program, without arguments of the text.
    Default(&'static str),
    /// Nothing.
    Nothing,
    /// It is called in a way that is not understood.
    Unknown,
}

/// Whether a program runs texts.
pub fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// How a program runs another, if it does.
pub fn find(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&name))
}

impl Wrapper {
    /// What is run by these arguments; one that is not plainly there is nothing.
    pub fn program(&self, arguments: &[Option<String>]) -> Wrapped {
        let mut at = 0;
        let mut options = true;
        let mut positions = self.positions;
        let mut assignments = Vec::new();
        while let Some(argument) = arguments.get(at) {
            let Some(text) = argument.as_deref() else {
                // Whatever it becomes, it may be an option, or several words.
                return match positions == 0 && !options {
                    true => Wrapped::Program { at, assignments },
                    false => Wrapped::Unknown,
                };
            };
            if options && text == "--" {
                options = false;
            } else if text == "-" && self.names.contains(&"env") && assignments.is_empty() {
                // It is `-i`, and the last of the options.
                options = false;
            } else if options && text.len() > 1 && text.starts_with('-') {
                match self.option(text) {
                    // A value that comes from an expansion may be no word, or several.
                    Some(true) if matches!(arguments.get(at + 1), Some(None)) => return Wrapped::Unknown,
                    Some(true) => at += 1,
                    Some(false) => {}
                    None => return Wrapped::Unknown,
                }
            } else if self.assigns && is_assignment(text) {
                options = false;
                assignments.push(at);
            } else if positions > 0 {
                options = false;
                positions -= 1;
            } else {
                return Wrapped::Program { at, assignments };
            }
            at += 1;
        }
        match self.default {
            Some(program) => Wrapped::Default(program),
            None => Wrapped::Nothing,
        }
    }

    /// Whether the next argument is an option's value; nothing if the option is not known.
    fn option(&self, text: &str) -> Option<bool> {
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, false), |(name, _)| (name, true));
            // `--preserve-env=…` is a flag that may have a value.
            return match (self.flags.1.contains(&name), self.valued.1.contains(&name)) {
                (true, _) => Some(false),
                (_, true) => Some(!value),
                _ => None,
            };
        }
        let letters = text.get(1..)?;
        // `nice -5`
        if self.names.contains(&"nice")
            && letters
                .trim_start_matches(['-', '+'])
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        {
            return Some(false);
        }
        for (index, letter) in letters.char_indices() {
            if self.valued.0.contains(letter) {
                return Some(index + letter.len_utf8() == letters.len());
            }
            if !self.flags.0.contains(letter) {
                return None;
            }
        }
        Some(false)
    }
}

/// Whether a word begins something else than a program's name where the shell reads a command. `time` is a word of the shell's own there,
/// which the parser does not take for one behind `!`.
pub fn begins_otherwise(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "!", "[[", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
        "in", "select", "then", "until", "while",
    ];
    RESERVED.contains(&word) || is_assignment(word)
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> String {
        let mut words = line.split(' ');
        let wrapper = find(words.next().unwrap()).expect("a wrapper");
        let arguments: Vec<_> = words.map(|word| (word != "?").then(|| word.to_owned())).collect();
        match wrapper.program(&arguments) {
            Wrapped::Program { at, .. } => arguments[at].clone().unwrap_or("?".into()),
            Wrapped::Default(program) => format!("default {program}"),
            Wrapped::Nothing => "nothing".into(),
            Wrapped::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn the_program_is_found_behind_options_values_and_variables() {
        for (line, expected) in [
            ("env rm", "rm"),
            ("env -i A=b C=d rm -rf", "rm"),
            ("env -u HOME rm", "rm"),
            ("env -uHOME rm", "rm"),
            ("env --unset=HOME rm", "rm"),
            ("env --unset HOME rm", "rm"),
            ("env -S rm", "unknown"),
            ("env --split-string=rm", "unknown"),
            ("env -iS rm", "unknown"),
            ("env", "nothing"),
            ("env - rm", "rm"),
            ("env -u HOME - A=b rm", "rm"),
            ("env -- - rm", "rm"),
            ("env ?", "unknown"),
            ("env -- ?", "?"),
            ("sudo -n -u root rm", "rm"),
            ("sudo -nu root rm", "rm"),
            ("sudo -nuroot rm", "rm"),
            ("sudo -u root -- rm", "rm"),
            ("sudo A=b rm", "rm"),
            ("sudo -u ? rm", "unknown"),
            ("sudo -s", "unknown"),
            ("sudo -i rm", "unknown"),
            ("sudo -e /etc/passwd", "unknown"),
            ("sudo -k", "nothing"),
            ("nice rm", "rm"),
            ("nice -n 5 rm", "rm"),
            ("nice -5 rm", "rm"),
            ("timeout 5 rm", "rm"),
            ("timeout -k 1 5 rm", "rm"),
            ("timeout --kill-after=1 5 rm", "rm"),
            ("timeout -s KILL 5 rm", "rm"),
            ("timeout ? rm", "unknown"),
            ("xargs", "default echo"),
            ("xargs -0 -n 1 rm", "rm"),
            ("xargs -n1 -I {} rm {}", "rm"),
            ("xargs -I{} rm", "rm"),
            ("xargs --max-lines rm", "rm"),
            ("xargs --max-lines=1 rm", "rm"),
            ("exec -a ls rm", "rm"),
            ("exec", "nothing"),
            ("command -p rm", "rm"),
            ("nohup rm", "rm"),
            ("stdbuf -oL rm", "rm"),
            ("chroot /mnt rm", "rm"),
            ("busybox rm", "rm"),
        ] {
            assert_eq!(run(line), expected, "{line}");
        }
    }
}
