//! Pseudoterminals: opening one, moving bytes, and hanging it up. With what waits for orphans and locks records in
//! [`crate::process`], and what waits for logins in [`crate::logins`], the only part of the agent that may use `unsafe`.
#![allow(unsafe_code)]
mod hang_up;
mod line_mode;
mod through;

pub use hang_up::hang_up;
pub use through::Through;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::sys::termios::{InputFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::{Pid, tcgetpgrp};
use protocol::terminal::Size;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

nix::ioctl_write_ptr_bad!(
    /// Sets a terminal's size.
    set_window_size,
    libc::TIOCSWINSZ,
    libc::winsize
);

nix::ioctl_read_bad!(
    /// How many bytes a read would give without waiting for the kernel to bring more.
    readable_bytes,
    libc::FIONREAD,
    libc::c_int
);

/// A read of this much says that the terminal is written to faster than it is read: the kernel's buffer of 4 KiB was full,
/// less what it leaves free.
pub const FULL: usize = 4000;

/// How long [`Pty::refill`] waits at most. A program that only writes has filled the buffer again after some tens of
/// microseconds, in which the kernel wakes its own thread and the program.
const REFILLED_WITHIN: Duration = Duration::from_micros(100);

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
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let master = posix_openpt(flags).map_err(no_terminal)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname_r(&master)?;
        let slave = open(
            name.as_str(),
            OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        // All else is as the kernel makes it, which is as terminal emulators have it.
        let mut attributes = tcgetattr(&slave)?;
        attributes.input_flags |= InputFlags::IUTF8;
        tcsetattr(&slave, SetArg::TCSANOW, &attributes)?;
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

    /// Waits, for a tenth of a millisecond at most and without sleeping, until the kernel has [`FULL`] bytes again, after
    /// it had so many. A read that comes before that sleeps until the kernel's thread has run, which takes longer than
    /// what it waits for: looking first gives twice the rate for less processor time.
    pub fn refill(&self) {
        let until = Instant::now() + REFILLED_WITHIN;
        while self.readable_bytes() < FULL && Instant::now() < until {
            thread::yield_now();
        }
    }

    fn readable_bytes(&self) -> usize {
        let mut count = 0;
        // SAFETY: the descriptor is open for as long as `self` lives, and FIONREAD only writes the number it is given.
        let known = unsafe { readable_bytes(self.fd().as_raw_fd(), &mut count) };
        known.map_or(FULL, |_| usize::try_from(count).unwrap_or(FULL))
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

/// Why there is no terminal, in words for whoever wanted one.
fn no_terminal(error: Errno) -> io::Error {
    let words = match error {
        Errno::ENOSPC | Errno::EAGAIN => {
            "all terminals of this machine are in use (kernel.pty.max says how many there are)"
        }
        Errno::ENOENT | Errno::ENXIO | Errno::ENODEV => {
            "this machine has no terminals: /dev/ptmx or /dev/pts is missing"
        }
        Errno::EMFILE | Errno::ENFILE => "no more files can be opened on this machine, so there is no terminal",
        other => return other.into(),
    };
    io::Error::other(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::termios::{BaudRate, LocalFlags, OutputFlags, cfgetospeed};

    #[tokio::test]
    async fn a_terminal_begins_as_that_of_an_emulator() {
        let (_pty, slave) = Pty::open(Size::default()).unwrap();
        let attributes = tcgetattr(&slave).unwrap();
        let input = InputFlags::IUTF8 | InputFlags::ICRNL | InputFlags::IXON;
        assert!(attributes.input_flags.contains(input), "{attributes:?}");
        let local = LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::ECHO | LocalFlags::IEXTEN;
        assert!(attributes.local_flags.contains(local), "{attributes:?}");
        assert!(
            attributes
                .output_flags
                .contains(OutputFlags::OPOST | OutputFlags::ONLCR)
        );
        assert_eq!(cfgetospeed(&attributes), BaudRate::B38400);
    }

    #[test]
    fn whoever_gets_no_terminal_hears_why() {
        for error in [Errno::ENOSPC, Errno::ENOENT, Errno::EMFILE] {
            assert!(no_terminal(error).to_string().contains("terminal"));
        }
        assert_eq!(no_terminal(Errno::EPERM).raw_os_error(), Some(Errno::EPERM as i32));
    }

    #[tokio::test]
    async fn waiting_for_a_refill_ends_although_nothing_comes() {
        let (pty, _slave) = Pty::open(Size::default()).unwrap();
        let began = Instant::now();
        pty.refill();
        assert!(began.elapsed() >= REFILLED_WITHIN);
        assert_eq!(pty.readable_bytes(), 0);
    }

    #[tokio::test]
    async fn a_terminal_that_was_flooded_has_a_full_buffer() {
        let (pty, slave) = Pty::open(Size::default()).unwrap();
        assert_eq!(nix::unistd::write(&slave, &[b'x'; FULL + 1000]), Ok(FULL + 1000));
        let deadline = Instant::now() + Duration::from_secs(5);
        while pty.readable_bytes() < FULL {
            assert!(Instant::now() < deadline, "the kernel's buffer is smaller than thought");
            pty.refill();
        }
        let mut buffer = [0; 2 * FULL];
        let Read::Bytes(count) = pty.read(&mut buffer).unwrap() else {
            panic!("a flooded terminal has nothing to read");
        };
        assert!(count >= FULL);
    }
}
