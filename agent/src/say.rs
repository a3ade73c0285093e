//! Words for people and for the log, on outputs that may be gone. Whoever read them has ended, a disk is full, a terminal was
//! closed: that ends neither the agent nor what it is doing.
use std::fmt;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::libc::PIPE_BUF;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing_subscriber::fmt::MakeWriter;

/// A line for people, like `println!`, which would panic where nobody reads it.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(std::io::stdout(), format_args!($($text)*)) };
}

/// Writes a line, or not.
pub fn line(mut to: impl Write, text: fmt::Arguments<'_>) {
    let _ = writeln!(to, "{text}");
}

/// A log that loses lines rather than fail or wait: everything the agent does is on one thread, and would wait with it. It
/// says afterwards how many were lost.
#[derive(Debug, Default)]
pub struct Log<W> {
    to: W,
    lost: AtomicU64,
}

impl<W: Fn() -> T, T: Write + AsFd> Log<W> {
    /// A log into what `to` gives.
    pub fn new(to: W) -> Self {
        let lost = AtomicU64::new(0);
        Self { to, lost }
    }

    fn write(&self, line: &[u8]) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let note = format!("{lost} lines of this log could not be written\n");
        let written = match lost {
            0 => write_at_once((self.to)(), line),
            _ => write_at_once((self.to)(), note.as_bytes()).and_then(|()| write_at_once((self.to)(), line)),
        };
        if written.is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

impl<'a, W: Fn() -> T + 'a, T: Write + AsFd + 'a> MakeWriter<'a> for Log<W> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self)
    }
}

/// Takes lines whole, and never fails: a subscriber that is told of an error says so on standard error, and panics.
pub struct Line<'a, W>(&'a Log<W>);

impl<W: Fn() -> T, T: Write + AsFd> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes everything, unless that would wait: something that can be written to has room for so much.
fn write_at_once(mut to: impl Write + AsFd, bytes: &[u8]) -> io::Result<()> {
    for part in bytes.chunks(PIPE_BUF) {
        let mut ready = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut ready, PollTimeout::ZERO)? == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        to.write_all(part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{PipeReader, PipeWriter, Read, pipe};
    use std::sync::Arc;

    fn logger(to: PipeWriter) -> impl tracing::Subscriber {
        let to = Arc::new(to);
        let log = Log::new(move || to.try_clone().unwrap());
        tracing_subscriber::fmt().with_ansi(false).with_writer(log).finish()
    }

    fn read_some(mut from: &PipeReader) -> String {
        let mut buffer = vec![0; 1 << 20];
        let count = from.read(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    #[test]
    fn a_log_whose_reader_is_gone_is_lost_and_nothing_else() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        tracing::subscriber::with_default(logger(writer), || tracing::warn!("nobody hears this"));
        line(
            File::options().write(true).open("/dev/full").unwrap(),
            format_args!("nor this"),
        );
    }

    #[test]
    fn a_log_that_cannot_be_written_says_later_how_much_is_missing() {
        let full = Log::new(|| File::options().write(true).open("/dev/full").unwrap());
        full.write(b"one\n");
        full.write(b"two\n");
        assert_eq!(full.lost.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn nobody_waits_for_a_reader_who_does_not_read() {
        let (reader, writer) = pipe().unwrap();
        let long = "x".repeat(1000);
        tracing::subscriber::with_default(logger(writer), || {
            // More than any pipe holds.
            for _ in 0..2000 {
                tracing::warn!("{long}");
            }
            let begun = read_some(&reader);
            assert!(begun.contains("WARN"), "{begun}");
            tracing::warn!("heard again");
            let rest = read_some(&reader);
            assert!(
                rest.contains("lines of this log could not be written") && rest.contains("heard again"),
                "{rest}"
            );
        });
    }
}
