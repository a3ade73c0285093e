//! The file itself: that of the account whose shells the agent runs, read and written as that account. An agent that is root follows no
//! link of the account's to where the account may not read or write.
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;

use nix::unistd::{Uid, setfsgid, setfsuid};

use crate::account::Account;

/// Largest file that is read: that of somebody with some ten thousand hosts.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Modes of what is made, as `ssh` makes them.
const NEW_FILE: u32 = 0o600;
const NEW_FOLDER: u32 = 0o700;

/// Where an account's `ssh` keeps which hosts it knows.
pub fn path(account: &Account) -> PathBuf {
    account.home.join(".ssh/known_hosts")
}

/// What is there: nothing if there is no such file. Whatever else keeps it from being read is an error.
pub fn read(account: &Account) -> io::Result<Vec<u8>> {
    let path = path(account);
    by(account, move || read_file(&path))
}

/// Adds a line at the end of it.
pub fn append(account: &Account, line: String) -> io::Result<()> {
    let path = path(account);
    by(account, move || append_to(&path, &line))
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // Without O_NONBLOCK opening a pipe waits for who writes into it.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_FILE {
        true => Err(io::Error::other(format!("it is longer than {MAX_FILE} bytes"))),
        false => Ok(bytes),
    }
}

fn append_to(path: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        match DirBuilder::new().mode(NEW_FOLDER).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(NEW_FILE)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    // In one piece: others write there, too.
    let whole = match ends_a_line(&mut file)? {
        true => line.to_owned(),
        false => format!("\n{line}"),
    };
    file.write_all(whole.as_bytes())?;
    file.sync_all()
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Does something with files as an account may. What a thread may is its own on Linux, so one of its own does it.
fn by<T: Send + 'static>(account: &Account, act: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (uid, gid) = (account.uid, account.gid);
    let act = move || {
        if uid != Uid::effective() {
            setfsgid(gid);
            setfsuid(uid);
            // The calls say nothing but who it was before.
            if setfsgid(gid) != gid || setfsuid(uid) != uid {
                return Err(io::Error::from(ErrorKind::PermissionDenied));
            }
        }
        act()
    };
    let done = thread::Builder::new().name("known_hosts".to_owned()).spawn(act)?.join();
    done.unwrap_or_else(|_| Err(io::Error::other("it could not be looked at")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn at(home: &Path) -> Account {
        Account {
            home: home.to_owned(),
            ..Account::current().unwrap()
        }
    }

    #[test]
    fn a_file_that_is_missing_says_nothing_and_is_made_private() {
        let home = tempfile::tempdir().unwrap();
        let account = at(home.path());
        assert_eq!(read(&account).unwrap(), b"");
        append(&account, "a ssh-ed25519 x\n".into()).unwrap();
        append(&account, "b ssh-ed25519 x\n".into()).unwrap();
        assert_eq!(read(&account).unwrap(), b"a ssh-ed25519 x\nb ssh-ed25519 x\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = path(&account);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (NEW_FILE, NEW_FOLDER));
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_last_line_without_an_end_its_own_line() {
        let home = tempfile::tempdir().unwrap();
        let account = at(home.path());
        let path = path(&account);
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "a ssh-ed25519 x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        append(&account, "b ssh-ed25519 x\n".into()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a ssh-ed25519 x\nb ssh-ed25519 x\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_no_empty_list() {
        let home = tempfile::tempdir().unwrap();
        let account = at(home.path());
        let path = path(&account);
        fs::create_dir_all(&path).unwrap();
        assert!(read(&account).is_err() && append(&account, "x\n".into()).is_err());
        fs::remove_dir(&path).unwrap();
        fs::write(&path, vec![b'#'; MAX_FILE as usize + 1]).unwrap();
        assert!(read(&account).unwrap_err().to_string().contains("longer"));
    }

    #[test]
    fn an_agent_that_is_root_reads_and_writes_nothing_that_the_account_may_not() {
        if !Uid::effective().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let account = Account {
            uid: Uid::from_raw(65534),
            gid: nix::unistd::Gid::from_raw(65534),
            ..at(home.path())
        };
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let secret = home.path().join("secret");
        fs::write(&secret, "s").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let path = path(&account);
        fs::create_dir(path.parent().unwrap()).unwrap();
        symlink(&secret, &path).unwrap();
        for error in [read(&account).unwrap_err(), append(&account, "x\n".into()).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        }
        assert_eq!(fs::read_to_string(&secret).unwrap(), "s");
    }
}
