//! Being told that something may have changed below the services directory. It is a hint and no more: the kernel drops events, and says
//! nothing of a directory that another was renamed over.
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;

use crate::logins::Descriptor;

/// What changes a catalog. A file that is being written all the time, as a log is, wakes nobody before it is closed.
const CHANGES: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_ONLYDIR)
    .union(AddWatchFlags::IN_DONT_FOLLOW);

/// Watches the services directory, those in it, and what their runs gave.
#[derive(Debug)]
pub struct Watch {
    events: AsyncFd<Descriptor>,
}

impl Watch {
    /// Begins, without anything to watch. Must be called within a tokio runtime.
    pub fn new() -> std::io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        Ok(Self {
            events: Descriptor::register(inotify)?,
        })
    }

    /// Watches these besides; what is watched already stays so. One that cannot be watched is listed in time anyway.
    pub fn add(&self, folders: &HashSet<PathBuf>) {
        for folder in folders {
            if let Err(error) = self.events.get_ref().inotify().add_watch(folder.as_path(), CHANGES)
                && !matches!(error, Errno::ENOENT | Errno::ENOTDIR)
            {
                return tracing::debug!(%error, "a services directory is not watched");
            }
        }
    }

    /// Waits until something may have changed. Nothing is lost if this is dropped before it is done.
    pub async fn changed(&self) -> std::io::Result<()> {
        let mut changed = false;
        while !changed {
            let mut ready = self.events.readable().await?;
            loop {
                match self.events.get_ref().inotify().read_events() {
                    Ok(events) => changed |= !events.is_empty(),
                    Err(Errno::EINTR) => {}
                    Err(Errno::EAGAIN) => break,
                    Err(error) => return Err(error.into()),
                }
            }
            ready.clear_ready();
        }
        Ok(())
    }
}

/// What is worth watching of a services directory.
pub fn folders<'a>(root: &Path, services: impl Iterator<Item = &'a str>) -> HashSet<PathBuf> {
    let below = services.flat_map(|name| {
        let service = root.join(name);
        [service.join("outputs"), service]
    });
    below.chain([root.to_owned()]).collect()
}
