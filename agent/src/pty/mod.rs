//! Pseudoterminals: opening one, starting a shell on it, moving bytes, and ending it. The only module of the agent that
//! may use `unsafe`.
#![allow(unsafe_code)]
mod child;
mod signal;

pub use child::{Shell, raise_file_limit};
pub use signal::{hang_up, kill_session};

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, tcgetpgrp};
use protocol::terminal::Size;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

nix::ioctl_write_ptr_bad!(
    /// Sets a terminal's size.
    set_window_size,
    libc::TIOCSWINSZ,
    libc::winsize
);

/// The agent's end of a terminal. Reads and writes never block; dropping it hangs the terminal up.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<PtyMaster>,
}

/// What came of reading a terminal.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// This many bytes.
    Bytes(usize),
    /// There is nothing now.
    Nothing,
    /// Every process has closed the terminal; there will be nothing more.
    HungUp,
}

impl Pty {
    /// Opens a terminal of `size`. The second value is the end that the shell gets; while it is open the terminal is not
    /// hung up. Both are closed on exec. Must be called within a tokio runtime.
    pub fn open(size: Size) -> io::Result<(Self, OwnedFd)> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname_r(&master)?;
        let slave = open(
            name.as_str(),
            OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        // SAFETY: the descriptor is owned by the value that is registered and stays open until that is dropped.
        let master = unsafe { AsyncFd::register(master) }?;
        let pty = Self { master };
        pty.resize(size)?;
        Ok((pty, slave))
    }

    /// Sets the size; the foreground processes get a `SIGWINCH` if it differs.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let size = libc::winsize {
            ws_row: size.rows,
            ws_col: size.cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the descriptor is open for as long as `self` lives, and TIOCSWINSZ only reads the structure it is given.
        unsafe { set_window_size(self.fd().as_raw_fd(), &size) }?;
        Ok(())
    }

    /// Waits until a read may find something.
    pub async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, PtyMaster>> {
        self.master.readable().await
    }

    /// Waits until a write may find room.
    pub async fn writable(&self) -> io::Result<AsyncFdReadyGuard<'_, PtyMaster>> {
        self.master.writable().await
    }

    /// Reads what is there.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        loop {
            return match nix::unistd::read(self.fd(), buffer) {
                // Linux says EIO when the other end is closed by all, other systems end of file.
                Ok(0) | Err(Errno::EIO) => Ok(Read::HungUp),
                Ok(count) => Ok(Read::Bytes(count)),
                Err(Errno::EAGAIN) => Ok(Read::Nothing),
                Err(Errno::EINTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Writes as much as there is room for, which may be nothing.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            return match nix::unistd::write(self.fd(), bytes) {
                Ok(count) => Ok(count),
                Err(Errno::EAGAIN) => Ok(0),
                Err(Errno::EINTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }

    /// The process group that the terminal's keys go to.
    pub fn foreground_group(&self) -> Option<Pid> {
        tcgetpgrp(self.fd()).ok().filter(|group| group.as_raw() > 0)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.master.get_ref().as_fd()
    }
}
