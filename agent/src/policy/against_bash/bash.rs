//! Bash itself, in a folder of its own where no program but the test's can be found.
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Programs that say their names and end well.
const YES: &[&str] = &["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"];

/// How many more there are: `p0`, `p1`, …
const MORE: usize = 24;

/// One that says its name and fails.
pub const NO: &str = "no";

/// One that runs what follows its options, as sudo does; it says nothing.
const SUDO: &str = r#"#!/bin/sh
while :; do
  case $1 in
    -u) shift 2 ;;
    -n | --) shift ;;
    *=*) shift ;;
    *) break ;;
  esac
done
exec "$@"
"#;

/// Programs of the system that run others, as they are here. One that is missing is one that bash does not find.
const RUNNERS: &[&str] = &[
    "chrt", "env", "find", "flock", "ionice", "nice", "nohup", "setsid", "stdbuf", "taskset", "time", "timeout",
    "xargs",
];

/// Descriptor that programs say their names to, each with a zero behind it. What a text does to its outputs leaves it alone, and it ends
/// with the last process that the text has started.
const SAYS: &str = r#"#!/bin/sh
printf '%s\0' "${0##*/}" >&9
"#;

/// Bash calls it for a program that it does not find.
const NOT_FOUND: &str = r#"() { printf '%s\0' "$1" >&9; return 127; }"#;

/// Runs bash with that descriptor, and with bounds: seconds of processor, and blocks of a file.
const BEGIN: &str = r#"ulimit -t 5 -f 64; exec "$0" --norc --noprofile -c "$1" 9>&1 >/dev/null 2>&1 </dev/null"#;

/// How deep functions may call each other, so that one that calls itself ends.
const FUNCTIONS: &str = "8";

pub struct Bash {
    program: PathBuf,
    folder: TempDir,
}

impl Bash {
    pub fn new() -> Self {
        let program = on_path("bash").expect("bash is what this test compares with, and this machine has none");
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("bin")).unwrap();
        fs::create_dir(place("home")).unwrap();
        let more = (0..MORE).map(|number| format!("p{number}"));
        for name in YES.iter().map(|name| (*name).to_owned()).chain(more) {
            write(&place("bin").join(name), SAYS);
        }
        write(&place("bin").join(NO), &format!("{SAYS}exit 1\n"));
        write(&place("bin").join("sudo"), SUDO);
        for name in RUNNERS {
            if let Some(file) = on_path(name) {
                symlink(file, place("bin").join(name)).unwrap();
            }
        }
        Self { program, folder }
    }

    /// The names of the programs that bash starts, or would if they were there.
    pub fn run(&self, text: &str) -> BTreeSet<String> {
        let home = self.folder.path().join("home");
        // What texts before it wrote.
        fs::remove_dir_all(&home).unwrap();
        fs::create_dir(&home).unwrap();
        write(&home.join("aa"), SAYS);
        let output = Command::new(&self.program)
            .args(["--norc", "--noprofile", "-c", BEGIN])
            .arg(&self.program)
            .arg(text)
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("HOME", &home)
            .env("FUNCNEST", FUNCTIONS)
            .env("BASH_FUNC_command_not_found_handle%%", NOT_FOUND)
            .current_dir(&home)
            .stderr(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        said.split_terminator('\0').map(str::to_owned).collect()
    }
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
