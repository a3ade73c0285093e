//! The system that a machine of the tests has: nobody's start-up files are run, and nobody's home is touched.
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use vsay_agent::system::System;

use super::shell_account;

/// Reads no file of anybody's. Called like an ordinary shell, so that commands go to bash as on any machine.
const SHELL: &str = "#!/bin/sh\nexec /bin/bash --noprofile --norc -i\n";

/// Makes a system below `directory`, with the account of the tests' shells, and root.
pub fn make(directory: &Path) -> System {
    let account = shell_account();
    let system = System::at(directory.join("system"));
    for folder in ["etc", "home", "bin"] {
        fs::create_dir_all(system.path(folder)).unwrap();
    }
    // For accounts that are not ours.
    for folder in [directory.to_owned(), system.path("")] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    chown(
        system.path("home"),
        Some(account.uid.as_raw()),
        Some(account.gid.as_raw()),
    )
    .unwrap();
    program(&system.path("bin/sh"), SHELL);
    fs::write(
        system.path("etc/shells"),
        format!("{}\n", system.path("bin/sh").display()),
    )
    .unwrap();
    fs::write(system.path("etc/group"), "tty:x:5:\n").unwrap();
    set_shell(&system, &system.path("bin/sh"));
    system
}

/// Gives the accounts another login shell.
pub fn set_shell(system: &System, shell: &Path) {
    let account = shell_account();
    let line = |name: &str, uid: u32, gid: u32| {
        let (home, shell) = (system.path("home"), shell.display());
        format!("{name}:x:{uid}:{gid}::{}:{shell}\n", home.display())
    };
    let mut passwd = line(&account.name, account.uid.as_raw(), account.gid.as_raw());
    if !account.uid.is_root() {
        passwd += &line("root", 0, 0);
    }
    fs::write(system.path("etc/passwd"), passwd).unwrap();
}

/// Makes a program of `text`.
pub fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}
