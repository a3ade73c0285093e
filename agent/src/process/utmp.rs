//! Records of who is logged in, which `who` and `w` read, and of who was, which `last` does. The C library that we may be
//! linked with has no such records, so they are written here as the GNU C library lays them out. A machine without the files,
//! or an agent without the right to write them, has none.
#![allow(unsafe_code)]
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::unistd::Pid;

use crate::system::System;

/// Who is logged in.
pub(crate) const UTMP: &str = "var/run/utmp";

/// Who was.
const WTMP: &str = "var/log/wtmp";

/// Somebody's processes run on the line.
pub(crate) const USER_PROCESS: u16 = 7;

/// They have ended.
const DEAD_PROCESS: u16 = 8;

/// The bytes of a record. Where 64-bit programs have 32-bit ones beside them, both write times of 32 bits.
pub(crate) const RECORD: usize = if WIDE { 400 } else { 384 };

/// Whether session and time take twice the room.
pub(crate) const WIDE: bool = cfg!(any(target_arch = "aarch64", target_arch = "loongarch64"));

/// How often a file that somebody else has locked is tried again, and after which pause. Others hold it for microseconds.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// A login that is on record until this is dropped.
#[derive(Debug)]
pub struct Record {
    system: System,
    line: String,
    process: Pid,
}

impl Record {
    /// Puts a login on record: `user` on the terminal `/dev/<line>`, from `host`.
    pub fn begin(system: System, line: String, process: Pid, user: &str, host: &str) -> Self {
        let record = Self { system, line, process };
        record.write(&Entry {
            kind: USER_PROCESS,
            user,
            host,
        });
        record
    }

    fn write(&self, entry: &Entry<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let bytes = entry.encode(&self.line, self.process, now);
        for written in [self.replace(&bytes), self.append(&bytes)] {
            if let Err(error) = written {
                tracing::debug!(%error, "a login is not on record");
            }
        }
    }

    /// Into the place of whoever was on this line before.
    fn replace(&self, bytes: &[u8; RECORD]) -> io::Result<()> {
        let file = open(&self.system, UTMP)?;
        let mut other = [0; RECORD];
        let mut at = 0;
        while file.read_exact_at(&mut other, at).is_ok() && other[LINE..ID] != bytes[LINE..ID] {
            at += RECORD as u64;
        }
        file.write_all_at(bytes, at)
    }

    fn append(&self, bytes: &[u8; RECORD]) -> io::Result<()> {
        let file = open(&self.system, WTMP)?;
        // After the last whole record, should a full disk have cut one.
        let end = file.metadata()?.len();
        file.write_all_at(bytes, end - end % RECORD as u64)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.write(&Entry {
            kind: DEAD_PROCESS,
            user: "",
            host: "",
        });
    }
}

struct Entry<'a> {
    kind: u16,
    user: &'a str,
    host: &'a str,
}

// Where the fields lie, and how long they are.
pub(crate) const PROCESS: usize = 4;
pub(crate) const LINE: usize = 8;
pub(crate) const LINE_LEN: usize = 32;
const ID: usize = LINE + LINE_LEN;
const ID_LEN: usize = 4;
pub(crate) const USER: usize = ID + ID_LEN;
pub(crate) const USER_LEN: usize = 32;
pub(crate) const HOST: usize = USER + USER_LEN;
pub(crate) const HOST_LEN: usize = 256;
/// Behind the exit status, which nobody writes.
pub(crate) const SESSION: usize = HOST + HOST_LEN + 4;

impl Entry<'_> {
    fn encode(&self, line: &str, process: Pid, now: Duration) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let cut = |text: &str, len: usize| text.as_bytes()[..text.len().min(len)].to_vec();
        put(0, &self.kind.to_ne_bytes());
        put(PROCESS, &process.as_raw().to_ne_bytes());
        put(LINE, &cut(line, LINE_LEN));
        // What tells lines apart, in four bytes: the end of their names.
        put(ID, &line.as_bytes()[line.len().saturating_sub(ID_LEN)..]);
        put(USER, &cut(self.user, USER_LEN));
        put(HOST, &cut(self.host, HOST_LEN));
        if WIDE {
            put(SESSION, &i64::from(process.as_raw()).to_ne_bytes());
            put(SESSION + 8, &now.as_secs().to_ne_bytes());
            put(SESSION + 16, &u64::from(now.subsec_micros()).to_ne_bytes());
        } else {
            put(SESSION, &process.as_raw().to_ne_bytes());
            // Cut as everybody's is: these records end in 2106.
            put(SESSION + 4, &(now.as_secs() as u32).to_ne_bytes());
            put(SESSION + 8, &now.subsec_micros().to_ne_bytes());
        }
        bytes
    }
}

/// Opens a file that is there and locks it against others who write it, until it is closed.
fn open(system: &System, file: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(system.path(file))?;
    // SAFETY: all zeros are a value of this plain structure: from the beginning, to the end, of no process.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as i16;
    lock.l_whence = libc::SEEK_SET as i16;
    for _ in 1..TRIES {
        if fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)).is_ok() {
            return Ok(file);
        }
        thread::sleep(PAUSE);
    }
    Err(io::Error::other("somebody else keeps it locked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    fn system() -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().unwrap();
        for file in [UTMP, WTMP] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let system = System::at(root.path().to_owned());
        (root, system)
    }

    /// What a program of the system reads in a file.
    fn who(system: &System, file: &str) -> String {
        let output = Command::new("who")
            .arg(system.path(file))
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn who_shows_a_login_while_it_lasts_and_the_files_stay_in_order() {
        let (_root, system) = system();
        // `who` leaves out lines whose process is gone.
        let process = Pid::this();
        let first = Record::begin(system.clone(), "pts/7".into(), process, "ann", "vsay:bea");
        let second = Record::begin(system.clone(), "pts/12".into(), process, &"x".repeat(40), "");
        let lines = who(&system, UTMP);
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(
            lines.starts_with("ann ") && lines.contains("pts/7") && lines.contains("(vsay:bea)"),
            "{lines}"
        );
        assert!(lines.contains("pts/12"), "{lines}");
        drop(first);
        assert!(!who(&system, UTMP).contains("pts/7"));
        // The line is used again, and the record with it.
        let third = Record::begin(system.clone(), "pts/7".into(), process, "cleo", "");
        assert!(who(&system, UTMP).starts_with("cleo "));
        assert_eq!(fs::metadata(system.path(UTMP)).unwrap().len(), 2 * RECORD as u64);
        drop((second, third));
        assert_eq!(who(&system, UTMP), "");
        assert_eq!(fs::metadata(system.path(WTMP)).unwrap().len(), 6 * RECORD as u64);
    }

    #[test]
    fn a_machine_that_keeps_no_records_gets_none() {
        let root = tempfile::tempdir().unwrap();
        drop(Record::begin(
            System::at(root.path().to_owned()),
            "pts/1".into(),
            Pid::this(),
            "ann",
            "",
        ));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_somebody_keeps_locked_is_left_alone() {
        let (_root, system) = system();
        let locked = open(&system, UTMP).unwrap();
        let record = Record::begin(system.clone(), "pts/1".into(), Pid::this(), "ann", "");
        assert_eq!(fs::metadata(system.path(UTMP)).unwrap().len(), 0);
        drop(locked);
        drop(record);
    }
}
