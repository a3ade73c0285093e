//! The environment that a login begins with: what `sshd` sets, and over it what the administrator has put into the files that
//! `pam_env` reads.
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::account::Account;
use crate::system::System;

/// Search path of a program before it or a file of the administrator changes it (contract of the published terminal).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Character encoding on a machine that names none. Without one a program is in the `C` locale, where most show text
/// beyond ASCII as question marks.
const FALLBACK_LANG: &str = "C.UTF-8";

/// Where mail of the machine itself lies.
const MAIL: &str = "/var/mail";

/// What of the agent's own environment a program gets: the machine's, if whoever starts the agent knows better than files.
const PASSED_ON: [&str; 2] = ["LANG", "TZ"];

/// Later files win. The first is where systemd keeps the machine's locale, the others are read by `pam_env` as the common
/// distributions set it up.
const FILES: [&str; 3] = ["etc/locale.conf", "etc/environment", "etc/default/locale"];

/// Variables by name.
pub type Environment = BTreeMap<OsString, OsString>;

/// What every program of an account begins with.
pub fn environment(account: &Account, system: &System) -> Environment {
    let mut mail = OsString::from(MAIL);
    mail.push("/");
    mail.push(&account.name);
    let mut environment = Environment::from([
        ("HOME".into(), account.home.clone().into()),
        ("LANG".into(), FALLBACK_LANG.into()),
        ("LOGNAME".into(), account.name.clone().into()),
        ("MAIL".into(), mail),
        ("PATH".into(), PATH.into()),
        ("SHELL".into(), account.shell.clone().into()),
        ("USER".into(), account.name.clone().into()),
    ]);
    let own = |name: &&str| Some((OsString::from(name), std::env::var_os(name)?));
    environment.extend(PASSED_ON.iter().filter_map(own));
    for file in FILES {
        read_file(&system.read(file), &mut environment);
    }
    environment
}

/// Where programs of an account are looked for.
pub fn search_path(account: &Account, system: &System) -> Vec<PathBuf> {
    let environment = environment(account, system);
    let path = environment.get(OsStr::new("PATH"));
    path.map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default()
}

/// Reads a file as `pam_env` does, whose manual says less than its source: there is no escaping, `#` ends a line even within
/// quotes, a quote at the beginning of a value goes and so does one at the end, and a name without `=` takes a variable away.
fn read_file(content: &[u8], environment: &mut Environment) {
    for line in joined_lines(content) {
        let line = line.strip_prefix(b"export ").unwrap_or(&line);
        let line = line
            .split(|byte| *byte == b'#')
            .next()
            .unwrap_or_default()
            .trim_ascii_end();
        let (name, value) = match line.iter().position(|byte| *byte == b'=') {
            Some(at) => (&line[..at], Some(&line[at + 1..])),
            None => (line, None),
        };
        // A NUL, which no variable can hold, would keep the program from starting.
        let odd = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
        if name.is_empty() || name.iter().any(odd) || line.contains(&0) {
            continue;
        }
        let name = OsStr::from_bytes(name).to_owned();
        match value {
            Some(value) => environment.insert(name, OsString::from_vec(unquoted(value))),
            None => environment.remove(&name),
        };
    }
}

/// Lines without the blanks around them; a backslash at the end joins the next.
fn joined_lines(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut joined = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        match line.strip_suffix(b"\\") {
            Some(begun) if !line.starts_with(b"#") => joined.extend_from_slice(begun),
            _ => {
                joined.extend_from_slice(line);
                lines.push(std::mem::take(&mut joined));
            }
        }
    }
    lines.push(joined);
    lines
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    match value.split_first() {
        Some((first, rest)) if quote(first) => match rest.split_last() {
            Some((last, inside)) if quote(last) => inside.to_vec(),
            _ => rest.to_vec(),
        },
        _ => value.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(content: &str) -> Vec<(String, String)> {
        let mut environment = Environment::from([("SET".into(), "before".into())]);
        read_file(content.as_bytes(), &mut environment);
        let text = |text: OsString| text.into_string().unwrap();
        environment
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn a_file_is_read_as_pam_env_reads_it() {
        for (line, expected) in [
            ("A=1", Some(("A", "1"))),
            ("  export A=two words  ", Some(("A", "two words"))),
            ("A=\"quoted\"", Some(("A", "quoted"))),
            ("A='single'", Some(("A", "single"))),
            ("A=\"begun", Some(("A", "begun"))),
            ("A=\"it's\"", Some(("A", "it's"))),
            ("A=in\"side\"", Some(("A", "in\"side\""))),
            ("A=$HOME/x", Some(("A", "$HOME/x"))),
            ("A=x=y", Some(("A", "x=y"))),
            ("A=1 # a comment", Some(("A", "1"))),
            ("A=\"1 # a comment\"", Some(("A", "1"))),
            ("A=one\\\n two", Some(("A", "onetwo"))),
            ("A=", Some(("A", ""))),
            ("# A=1", None),
            ("# A=1\\", None),
            ("A-B=1", None),
            ("=1", None),
            ("A=\0", None),
            ("", None),
        ] {
            let read = read(line);
            let read: Vec<(&str, &str)> = read
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let expected: Vec<(&str, &str)> = expected.into_iter().chain([("SET", "before")]).collect();
            assert_eq!(read, expected, "{line:?}");
        }
        assert_eq!(read("SET\nGONE"), []);
        assert_eq!(read("SET=1\nSET=2"), [("SET".into(), "2".into())]);
    }

    #[test]
    fn files_of_the_administrator_win_over_what_a_login_begins_with() {
        let root = tempfile::tempdir().unwrap();
        let system = System::at(root.path().to_owned());
        let account = Account::current().unwrap();
        let plain = environment(&account, &system);
        let mail = format!("/var/mail/{}", account.name);
        assert_eq!(
            (&plain[OsStr::new("MAIL")], &plain[OsStr::new("PATH")]),
            (&mail.into(), &PATH.into())
        );

        fs::create_dir_all(root.path().join("etc/default")).unwrap();
        fs::write(system.path("etc/locale.conf"), "LANG=de_DE.UTF-8\nLC_TIME=C\n").unwrap();
        fs::write(
            system.path("etc/environment"),
            "PATH=/opt/tools/bin\nLANG=fr_FR.UTF-8\n",
        )
        .unwrap();
        fs::write(system.path("etc/default/locale"), "LANG=ja_JP.UTF-8\n").unwrap();
        let set = environment(&account, &system);
        for (name, value) in [("PATH", "/opt/tools/bin"), ("LANG", "ja_JP.UTF-8"), ("LC_TIME", "C")] {
            assert_eq!(set[OsStr::new(name)], value);
        }
    }
}
