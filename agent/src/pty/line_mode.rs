//! What the kernel does with the input of a terminal.
use std::io;

use nix::sys::termios::{InputFlags, LocalFlags, SpecialCharacterIndices as Key, Termios, tcgetattr};

use super::Pty;
use crate::session::{LineMode, Terminal};

impl Terminal for Pty {
    fn mode(&self) -> LineMode {
        // The attributes are the terminal's, asked for at either end. They can be had as long as we have ours.
        tcgetattr(self.fd())
            .map(|attributes| line_mode(&attributes))
            .unwrap_or_default()
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes)
    }
}

impl Pty {
    /// Whether the terminal collects a line and shows nothing of it, not even its end.
    pub fn hides_lines(&self) -> bool {
        let shows = LocalFlags::ECHO | LocalFlags::ECHONL;
        tcgetattr(self.fd()).is_ok_and(|attributes| {
            let local = attributes.local_flags;
            local.contains(LocalFlags::ICANON) && !local.intersects(shows)
        })
    }
}

fn line_mode(attributes: &Termios) -> LineMode {
    let (input, local) = (attributes.input_flags, attributes.local_flags);
    // A NUL means that there is no such key.
    let key = |key: Key| Some(attributes.control_chars[key as usize]).filter(|byte| *byte != 0);
    let signal = |signal: Key| key(signal).filter(|_| local.contains(LocalFlags::ISIG));
    let extended = |extended: Key| key(extended).filter(|_| local.contains(LocalFlags::IEXTEN));
    LineMode {
        whole_lines: local.contains(LocalFlags::ICANON),
        return_ends: input.contains(InputFlags::ICRNL) && !input.contains(InputFlags::IGNCR),
        newline_ends: !input.contains(InputFlags::INLCR),
        utf8: input.contains(InputFlags::IUTF8),
        signals_keep_line: local.contains(LocalFlags::NOFLSH),
        ends: [key(Key::VEOF), key(Key::VEOL), extended(Key::VEOL2)],
        signals: [signal(Key::VINTR), signal(Key::VQUIT), signal(Key::VSUSP)],
        erase: key(Key::VERASE),
        kill: key(Key::VKILL),
        quote: extended(Key::VLNEXT),
    }
}
