//! Standard output, from a thread of its own: a terminal that was stopped, or a slow pipe, must not stop the connection's
//! keep-alive.
use std::io::{IsTerminal, Write};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::restore::{ENTER, LEAVE};

/// Soft reset, home, clear: what a screen snapshot is drawn on. Scrollback stays.
const BLANK: &[u8] = b"\x1b[!p\x1b[H\x1b[2J";

/// What is shown, in order. How much waits here is bounded by who hands it over: [`super::run`] stops reading the
/// connection when too much does.
pub struct Screen {
    pieces: mpsc::UnboundedSender<Piece>,
    thread: JoinHandle<()>,
    is_terminal: bool,
}

struct Piece {
    bytes: Bytes,
    /// The offset to report once it is shown.
    end: Option<u64>,
}

impl Screen {
    /// Starts showing; the receiver is told the offset up to which output has been shown. It ends when nobody reads
    /// our output any more.
    pub fn start() -> (Self, mpsc::UnboundedReceiver<u64>) {
        let (pieces, mut waiting) = mpsc::unbounded_channel::<Piece>();
        let (shown, receiver) = mpsc::unbounded_channel();
        let is_terminal = std::io::stdout().is_terminal();
        let thread = std::thread::spawn(move || {
            // Locked for each piece only: a panic elsewhere must be able to give the terminal back.
            let mut stdout = std::io::stdout();
            while let Some(piece) = waiting.blocking_recv() {
                if stdout.write_all(&piece.bytes).and_then(|()| stdout.flush()).is_err() {
                    break;
                }
                if piece.end.is_some_and(|end| shown.send(end).is_err()) {
                    break;
                }
            }
        });
        let screen = Self {
            pieces,
            thread,
            is_terminal,
        };
        if is_terminal {
            screen.push(Bytes::from_static(ENTER), None);
        }
        (screen, receiver)
    }

    /// Shows output that ends at `end`.
    pub fn show(&self, bytes: Bytes, end: u64) {
        self.push(bytes, Some(end));
    }

    /// Clears the screen, if there is one.
    pub fn clear(&self) {
        if self.is_terminal {
            self.push(Bytes::from_static(BLANK), None);
        }
    }

    /// Shows a piece of a snapshot, which is no output.
    pub fn draw(&self, bytes: Bytes) {
        self.push(bytes, None);
    }

    fn push(&self, bytes: Bytes, end: Option<u64>) {
        // A screen that is gone is noticed by the end of the receiver.
        let _ = self.pieces.send(Piece { bytes, end });
    }

    /// Waits until everything is shown, and gives the terminal back.
    pub fn finish(self) {
        if self.is_terminal {
            self.push(Bytes::from_static(LEAVE), None);
        }
        drop(self.pieces);
        let _ = self.thread.join();
    }
}

/// Gives the terminal back in the middle of everything.
pub fn restore() {
    let mut stdout = std::io::stdout();
    if stdout.is_terminal() {
        let _ = stdout.write_all(LEAVE).and_then(|()| stdout.flush());
    }
}
