//! Where the files of the operating system lie that a login reads and writes.
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the file system that holds them. Tests put another in its place, as `useradd --root` does for images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    root: PathBuf,
}

impl Default for System {
    /// The system that the agent runs on.
    fn default() -> Self {
        Self::at(PathBuf::from("/"))
    }
}

impl System {
    /// The system whose files lie below `root`.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Whether this is the system that the agent runs on, whose programs answer for it.
    pub fn is_own(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The place of a file, which is named without a slash at its beginning.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// What is in a file; nothing where there is none, or none that may be read.
    pub fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap_or_default()
    }
}
