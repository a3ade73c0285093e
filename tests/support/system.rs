//! The accounts that a machine of the tests has. Shells run as one of this computer's, but read nobody's start-up files: what
//! those do is no business of tests, and it may well not bear being killed.
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;

/// Called like an ordinary shell, so that commands go to bash as on any machine.
const SHELL: &str = "#!/bin/sh\nexec /bin/bash --noprofile --norc -i\n";

/// Makes the files of a system below a folder of its own, with `user` and root.
pub async fn make(user: &str) -> TempDir {
    // Not below the tests' own folder: one above that may be closed to others.
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for folder in ["etc", "home", "bin"] {
        fs::create_dir(root.join(folder)).expect("a folder");
    }
    fs::set_permissions(root, Permissions::from_mode(0o755)).expect("it is ours");
    let (uid, gid) = (id("-u", user).await, id("-g", user).await);
    chown(root.join("home"), Some(uid), Some(gid)).expect("it is ours to give");
    let shell = root.join("bin/sh");
    fs::write(&shell, SHELL).expect("it is ours");
    fs::set_permissions(&shell, Permissions::from_mode(0o755)).expect("it is ours");
    let line = |name: &str, uid: u32, gid: u32| line(name, uid, gid, &root.join("home"), &shell);
    let passwd = line(user, uid, gid) + &line("root", 0, 0);
    fs::write(root.join("etc/passwd"), passwd).expect("it is ours");
    fs::write(root.join("etc/shells"), format!("{}\n", shell.display())).expect("it is ours");
    fs::write(root.join("etc/group"), "tty:x:5:\n").expect("it is ours");
    folder
}

fn line(name: &str, uid: u32, gid: u32, home: &Path, shell: &Path) -> String {
    format!("{name}:x:{uid}:{gid}::{}:{}\n", home.display(), shell.display())
}

async fn id(option: &str, user: &str) -> u32 {
    let output = Command::new("id").args([option, user]).output().await.expect("id runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.trim().parse().expect("a number")
}
