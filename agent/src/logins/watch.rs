//! Being woken when the system writes down a login.
#![allow(unsafe_code)]
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

/// What happens to a record, whether it is a file or a folder with one for each login.
const CHANGES: AddWatchFlags = AddWatchFlags::IN_MODIFY
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF);

/// What says that there will be no more.
const ENDS: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_IGNORED);

/// An [`Inotify`] by its descriptor, for the runtime.
#[derive(Debug)]
pub struct Descriptor(Inotify);

impl Descriptor {
    /// Has the runtime say when there is something to read.
    pub fn register(inotify: Inotify) -> io::Result<AsyncFd<Self>> {
        // SAFETY: the descriptor is owned by the value that is registered and stays open until that is dropped.
        unsafe { AsyncFd::register_with_interest(Self(inotify), Interest::READABLE) }.map_err(io::Error::from)
    }

    /// Itself.
    pub fn inotify(&self) -> &Inotify {
        &self.0
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Watches one file or folder.
#[derive(Debug)]
pub struct Watch {
    events: AsyncFd<Descriptor>,
    /// Until when nobody wants to know.
    rests_until: Option<Instant>,
    /// What was watched is gone.
    gone: bool,
}

impl Watch {
    /// Begins. Must be called within a tokio runtime.
    pub fn of(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        inotify.add_watch(path, CHANGES)?;
        Ok(Self {
            events: Descriptor::register(inotify)?,
            rests_until: None,
            gone: false,
        })
    }

    /// Nobody wants to know before.
    pub fn rest_until(&mut self, at: Instant) {
        self.rests_until = Some(at);
    }

    /// Waits for a change. The error is that there will be none. Nothing is lost if this is dropped before it is done.
    pub async fn changed(&mut self) -> io::Result<()> {
        if self.gone {
            return Err(io::Error::other("what was watched is gone"));
        }
        if let Some(at) = self.rests_until {
            sleep_until(at).await;
            self.rests_until = None;
        }
        let mut changed = false;
        while !changed {
            let mut ready = self.events.readable().await?;
            loop {
                match self.events.get_ref().0.read_events() {
                    Ok(events) => {
                        self.gone |= events.iter().any(|event| event.mask.intersects(ENDS));
                        changed |= !events.is_empty();
                    }
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
