//! Asking the operating system for accounts and groups.
//!
//! `getent` and `id` ask whatever the machine is set up to ask, directories on the network included. The C library would, too,
//! but not one that is linked statically. Where the two programs are missing there are only the files.
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid};

use crate::process::output;
use crate::system::System;

/// Where the programs of a system are, whatever the environment of the agent says.
const PROGRAMS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// The answer of `getent` when it found nothing.
const NOT_FOUND: i32 = 2;

/// A line of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell; may be empty.
    pub shell: PathBuf,
}

/// The account of a login name, or of a user id in decimal digits.
pub fn user(system: &System, key: &str) -> io::Result<Option<User>> {
    let fits = |user: &User| user.name == key || user.uid.to_string() == key;
    let database = entries(system, "passwd", key)?;
    Ok(database.lines().filter_map(parse_user).find(fits))
}

/// The id of a group.
pub fn group(system: &System, name: &str) -> io::Result<Option<Gid>> {
    let database = entries(system, "group", name)?;
    let found = database
        .lines()
        .filter_map(parse_group)
        .find(|group| group.name == name);
    Ok(found.map(|group| group.gid))
}

/// All groups of an account, the primary one included.
pub fn groups(system: &System, user: &User) -> io::Result<Vec<Gid>> {
    if let Some(id) = system.is_own().then(|| program("id")).flatten() {
        let answer = run(Command::new(id).args(["-G", "--", &user.name]), "id")?.unwrap_or_default();
        let ids = answer
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<Vec<u32>, _>>();
        let ids = ids.map_err(|_| io::Error::other(format!("id said {answer:?}")))?;
        return Ok(ids.into_iter().map(Gid::from_raw).collect());
    }
    let database = String::from_utf8_lossy(&system.read("etc/group")).into_owned();
    let member =
        |group: &Group<'_>| group.gid != user.gid && group.members.split(',').any(|member| member == user.name);
    let others = database
        .lines()
        .filter_map(parse_group)
        .filter(member)
        .map(|group| group.gid);
    Ok([user.gid].into_iter().chain(others).collect())
}

/// The lines of a database that may be about `key`.
fn entries(system: &System, database: &'static str, key: &str) -> io::Result<String> {
    if let Some(getent) = system.is_own().then(|| program("getent")).flatten() {
        // Nobody is called like an option.
        if key.is_empty() || key.starts_with('-') {
            return Ok(String::new());
        }
        return Ok(run(Command::new(getent).args([database, key]), "getent")?.unwrap_or_default());
    }
    let file = format!("etc/{database}");
    Ok(String::from_utf8_lossy(&system.read(&file)).into_owned())
}

fn program(name: &str) -> Option<PathBuf> {
    PROGRAMS
        .iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.is_file())
}

/// What a program says; nothing if it says that there is nothing.
fn run(command: &mut Command, name: &str) -> io::Result<Option<String>> {
    // Messages are shown to people who may know no other language than the rest of the agent speaks.
    let output = output(command.env("LC_ALL", "C").stdin(Stdio::null()))?;
    match output.status.code() {
        Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        Some(NOT_FOUND) => Ok(None),
        _ => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let words = if words.is_empty() {
                output.status.to_string()
            } else {
                words
            };
            Err(io::Error::other(format!("{name}: {words}")))
        }
    }
}

fn parse_user(line: &str) -> Option<User> {
    let [name, _, uid, gid, _, home, shell] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
    Some(User {
        name: name.to_owned(),
        uid: Uid::from_raw(uid.parse().ok()?),
        gid: Gid::from_raw(gid.parse().ok()?),
        home: home.into(),
        shell: shell.into(),
    })
}

struct Group<'a> {
    name: &'a str,
    gid: Gid,
    members: &'a str,
}

fn parse_group(line: &str) -> Option<Group<'_>> {
    let [name, _, gid, members] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
    Some(Group {
        name,
        gid: Gid::from_raw(gid.parse().ok()?),
        members,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn system() -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/bash\n+::::::\nann:x:1000:1000:Ann,,,:/home/ann:/opt/shells/limited\nbob:x:1001:1000:::\n";
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        let group = "tty:x:5:\nann:x:1000:ann\nstaff:x:50:bob,ann\nmean:x:51:joann\n";
        fs::write(root.path().join("etc/group"), group).unwrap();
        let system = System::at(root.path().to_owned());
        (root, system)
    }

    #[test]
    fn where_no_program_answers_the_files_do() {
        let (_root, system) = system();
        let ann = user(&system, "ann").unwrap().unwrap();
        assert_eq!(
            (ann.uid.as_raw(), ann.shell.as_path()),
            (1000, Path::new("/opt/shells/limited"))
        );
        assert_eq!(user(&system, "1000").unwrap(), Some(ann.clone()));
        assert_eq!(user(&system, "an").unwrap(), None);
        assert_eq!(user(&system, "bob").unwrap().unwrap().shell, Path::new(""));
        assert_eq!(group(&system, "tty").unwrap(), Some(Gid::from_raw(5)));
        assert_eq!(groups(&system, &ann).unwrap(), [1000, 50].map(Gid::from_raw));
    }

    #[test]
    fn the_own_system_answers_as_the_c_library_does() {
        let system = System::default();
        let root = user(&system, "root").unwrap().unwrap();
        assert_eq!(
            (root.uid, user(&system, "0").unwrap()),
            (Uid::from_raw(0), Some(root.clone()))
        );
        let name = std::ffi::CString::new("root").unwrap();
        let mut expected = nix::unistd::getgrouplist(&name, root.gid).unwrap();
        let mut told = groups(&system, &root).unwrap();
        expected.sort_unstable_by_key(|gid| gid.as_raw());
        told.sort_unstable_by_key(|gid| gid.as_raw());
        assert_eq!(told, expected);
        for nobody in ["no-such-user-here", "-x", ""] {
            assert_eq!(user(&system, nobody).unwrap(), None, "{nobody:?}");
        }
    }
}
