//! Directories that nothing leads out of. A path is walked a component at a time, each below the descriptor of the one before, and no
//! step follows a link: whoever swaps a directory for a link while a request is under way gains nothing by it.
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fsync};
use protocol::terminal::services::{MAX_FILE_NAME, Refusal};

/// No step leaves the directory it begins in, by a name or by a link of any kind.
const BENEATH: ResolveFlag = ResolveFlag::RESOLVE_BENEATH
    .union(ResolveFlag::RESOLVE_NO_SYMLINKS)
    .union(ResolveFlag::RESOLVE_NO_MAGICLINKS);

/// A new directory's mode.
const NEW_FOLDER: Mode = Mode::from_bits_truncate(0o755);

/// A directory, by its descriptor.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens the services directory. It may be a link: whoever writes the configuration says where it leads.
    pub fn root(path: &Path) -> nix::Result<Self> {
        open(
            path,
            OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .map(Self)
    }

    /// A directory in it.
    pub fn folder(&self, name: &str) -> nix::Result<Self> {
        self.open(name, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty())
            .map(Self)
    }

    /// A directory in it, made if there is none.
    pub fn folder_or_new(&self, name: &str) -> nix::Result<Self> {
        match self.folder(name) {
            Err(Errno::ENOENT) => {}
            opened => return opened,
        }
        match mkdirat(&self.0, component(name)?, NEW_FOLDER) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
        let folder = self.folder(name)?;
        own_like(&folder.0, &fstat(&self.0)?);
        fsync(&self.0)?;
        Ok(folder)
    }

    /// A regular file in it, to be read. Whatever else has that name is none.
    pub fn file(&self, name: &str) -> nix::Result<(File, FileStat)> {
        // Without O_NONBLOCK opening a pipe waits for who writes into it.
        let file = self.open(
            name,
            OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY,
            Mode::empty(),
        )?;
        let stat = fstat(&file)?;
        if !is_regular(&stat) {
            return Err(Errno::ENOENT);
        }
        Ok((File::from(file), stat))
    }

    /// A file that was not there.
    pub fn new_file(&self, name: &str) -> nix::Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        self.open(name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map(File::from)
    }

    /// What is known of a name, without following it.
    pub fn stat(&self, name: &str) -> nix::Result<FileStat> {
        fstatat(&self.0, component(name)?, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// Whether there is a regular file of that name.
    pub fn has_file(&self, name: &str) -> bool {
        self.stat(name).is_ok_and(|stat| is_regular(&stat))
    }

    /// What is known of the directory itself.
    pub fn own_stat(&self) -> nix::Result<FileStat> {
        fstat(&self.0)
    }

    /// What tells the directory from any other.
    pub fn id(&self) -> nix::Result<(u64, u64)> {
        self.own_stat().map(|stat| (stat.st_dev, stat.st_ino))
    }

    /// The names in it, sorted; those that are no UTF-8 are nobody's to ask for.
    pub fn names(&self) -> nix::Result<Vec<String>> {
        // A descriptor of its own: reading moves the place from which the next would read.
        let mut dir = Dir::openat(&self.0, ".", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        let mut names = Vec::new();
        for entry in dir.iter() {
            if let Ok(name) = entry?.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Its descriptor, for what is relative to it.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    fn open(&self, name: &str, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        let name = component(name)?;
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let how = OpenHow::new().flags(flags).mode(mode).resolve(BENEATH);
        let opened = match openat2(&self.0, name, how) {
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::ENOSYS | Errno::EPERM) => openat(&self.0, name, flags, mode),
            opened => opened,
        };
        opened.map_err(|error| match error {
            // A link where a directory was to be.
            Errno::ENOTDIR if self.stat(name).is_ok_and(|stat| is_link(&stat)) => Errno::ELOOP,
            error => error,
        })
    }
}

/// Nothing but a name in a directory, whoever checked it before.
fn component(name: &str) -> nix::Result<&str> {
    let fits = (1..=MAX_FILE_NAME).contains(&name.len()) && !name.contains(['/', '\0']) && !matches!(name, "." | "..");
    fits.then_some(name).ok_or(Errno::EXDEV)
}

/// Gives a file to whom something else belongs. An agent that is not root makes files of its own only.
pub fn own_like(file: impl AsFd, like: &FileStat) {
    let (owner, group) = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
    if let Err(error) = fchown(file, Some(owner), Some(group)) {
        tracing::debug!(%error, "a file stays the agent's own");
    }
}

/// Whether it is a regular file.
pub fn is_regular(stat: &FileStat) -> bool {
    kind(stat) == SFlag::S_IFREG
}

/// Whether it is a directory.
pub fn is_folder(stat: &FileStat) -> bool {
    kind(stat) == SFlag::S_IFDIR
}

fn is_link(stat: &FileStat) -> bool {
    kind(stat) == SFlag::S_IFLNK
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// What a failure means to who asked. The words name no path.
pub fn refusal(error: Errno) -> Refusal {
    match error {
        Errno::ELOOP | Errno::EXDEV => Refusal::Traversal,
        Errno::ENOENT | Errno::ENOTDIR => Refusal::NotFound,
        error => Refusal::Failed {
            error: error.desc().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_name_leads_out() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = tempfile::tempdir().unwrap();
        let root = Folder::root(inside.path()).unwrap();
        symlink(outside.path(), inside.path().join("link")).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("file")).unwrap();
        symlink("/proc/self/cwd", inside.path().join("magic")).unwrap();
        for name in ["link", "magic"] {
            assert_eq!(root.folder(name).unwrap_err(), Errno::ELOOP, "{name}");
            assert_eq!(root.folder_or_new(name).unwrap_err(), Errno::ELOOP, "{name}");
        }
        assert_eq!(root.file("file").unwrap_err(), Errno::ELOOP);
        for name in ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\0b"] {
            assert_eq!(root.file(name).unwrap_err(), Errno::EXDEV, "{name:?}");
            assert_eq!(root.folder(name).unwrap_err(), Errno::EXDEV, "{name:?}");
            assert!(root.stat(name).is_err(), "{name:?}");
        }
        assert!(root.new_file("file").is_err());
        assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
    }

    #[test]
    fn what_is_no_regular_file_is_none_and_nobody_waits_for_it() {
        let inside = tempfile::tempdir().unwrap();
        let root = Folder::root(inside.path()).unwrap();
        nix::unistd::mkfifo(&inside.path().join("pipe"), Mode::S_IRWXU).unwrap();
        fs::create_dir(inside.path().join("folder")).unwrap();
        for name in ["pipe", "folder", "missing"] {
            assert_eq!(root.file(name).unwrap_err(), Errno::ENOENT, "{name}");
            assert!(!root.has_file(name), "{name}");
        }
    }
}
