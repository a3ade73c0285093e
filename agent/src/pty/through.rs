//! The end of a terminal that a shell would have, for what is a shell somewhere else: the terminal that does something with keys and lines
//! is there.
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

/// Whatever is written at one end comes out at the other as it is. Reads and writes wait.
#[derive(Debug)]
pub struct Through(AsyncFd<OwnedFd>);

impl Through {
    /// Takes the end that a shell would have. Must be called within a tokio runtime.
    pub fn of(slave: OwnedFd) -> io::Result<Self> {
        let mut attributes = tcgetattr(&slave)?;
        cfmakeraw(&mut attributes);
        tcsetattr(&slave, SetArg::TCSANOW, &attributes)?;
        let flags = OFlag::from_bits_retain(fcntl(&slave, FcntlArg::F_GETFL)?);
        fcntl(&slave, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        // SAFETY: the descriptor is owned by the value that is registered and stays open until that is dropped.
        Ok(Self(unsafe { AsyncFd::register(slave) }?))
    }

    /// Writes all of it, as the other end is read.
    pub async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            match nix::unistd::write(self.0.get_ref().as_fd(), bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads what is there, or waits for something. Nothing is the end.
    pub async fn read(&self, keys: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match nix::unistd::read(self.0.get_ref().as_fd(), keys) {
                Ok(count) => return Ok(count),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pty::{Pty, Read};
    use protocol::terminal::Size;

    #[tokio::test]
    async fn the_terminal_does_nothing_to_what_passes_and_gives_all_of_it_before_its_end() {
        let (pty, slave) = Pty::open(Size::default()).unwrap();
        let other = Through::of(slave).unwrap();
        let everything: Vec<u8> = (0..=255).collect();
        other.write(&everything).await.unwrap();
        let mut buffer = [0; 1000];
        let mut seen = Vec::new();
        while seen.len() < everything.len() {
            drop(pty.readable().await.unwrap());
            if let Read::Bytes(count) = pty.read(&mut buffer).unwrap() {
                seen.extend_from_slice(&buffer[..count]);
            }
        }
        assert_eq!(seen, everything);
        assert_eq!(pty.write(&everything).unwrap(), everything.len());
        let mut keys = Vec::new();
        while keys.len() < everything.len() {
            let count = other.read(&mut buffer).await.unwrap();
            keys.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(keys, everything);
        other.write(b"last words").await.unwrap();
        drop(other);
        let mut last = Vec::new();
        loop {
            match pty.read(&mut buffer).unwrap() {
                Read::Bytes(count) => last.extend_from_slice(&buffer[..count]),
                Read::Nothing => tokio::task::yield_now().await,
                Read::HungUp => break,
            }
        }
        assert_eq!(last, b"last words");
    }
}
