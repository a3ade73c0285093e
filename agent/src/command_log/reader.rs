//! What is typed into shells without hooks, as the screen shows it. Keys are not looked at but for those that end a line: what is
//! typed unseen is on no screen, and so in no record.
//!
//! A line is taken if the shell waited for keys at a prompt before its first key and still did when Return was pressed: what
//! then stands behind the prompt, when the terminal goes on to the next line, is what was typed. What is typed ahead, or into
//! anything else, is nothing.
use std::path::PathBuf;

use protocol::terminal::command_record::{MAX_COMMAND_TEXT, Text, within};

use crate::emulator::Line;
use crate::process::Waiting;

/// What is written at most between Return and the end of the line, in bytes: what an editor redraws of it.
const ECHO: usize = 16 * 1024;

/// A text that is pasted begins with this where an editor asks for it. Its lines need not be run.
const PASTE: &[u8] = b"\x1b[200~";

/// Reads the lines of one shell.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    /// What the shell is: `exec` makes another program of it.
    program: Option<PathBuf>,
    /// The prompt of the last line that was taken.
    known: Option<String>,
}

/// A shell that waits, and what it waits behind.
#[derive(Debug)]
pub struct Before {
    directory: PathBuf,
    prompt: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// A line may begin.
    #[default]
    Between,
    /// One has begun, behind this.
    At(String),
    /// What is typed is nothing, up to the next Return, or until there is a prompt that is known, and nothing behind it.
    Elsewhere,
    /// Return was pressed.
    Entered {
        prompt: String,
        directory: PathBuf,
        /// Written since.
        written: usize,
        /// Whether another line has begun in the meantime.
        ahead: bool,
    },
}

impl Reader {
    /// Keys are about to be written while the shell waits for some. Nothing if it is not the program that it was.
    pub fn before(&mut self, waiting: Waiting, line: impl FnOnce() -> Option<Line>) -> Option<Before> {
        let Waiting { program, directory } = waiting;
        if *self.program.get_or_insert_with(|| program.clone()) != program {
            return None;
        }
        let matters = matches!(self.state, State::Between | State::Elsewhere);
        let line = if matters { line() } else { None };
        // Without a prompt nothing tells that the shell has come so far.
        let prompt = line.map(|line| line.before).filter(|before| !before.trim().is_empty());
        Some(Before { directory, prompt })
    }

    /// Keys were written, before which this held; nothing if the shell did not wait for them.
    pub fn typed(&mut self, keys: &[u8], before: Option<Before>) {
        let (waited, mut prompt) = before.map_or((None, None), |before| (Some(before.directory), before.prompt));
        if keys.windows(PASTE.len()).any(|part| part == PASTE) {
            prompt = None;
            if matches!(self.state, State::At(_)) {
                self.state = State::Elsewhere;
            }
        }
        if self.state == State::Elsewhere && prompt.is_some() && prompt == self.known {
            self.state = State::Between;
        }
        for key in keys {
            if self.state == State::Between {
                self.state = prompt.take().map_or(State::Elsewhere, State::At);
            }
            match key {
                b'\r' | b'\n' => self.enter(waited.as_ref()),
                // Ctrl-C and Ctrl-\: whatever was typed is gone, and a prompt comes.
                0x03 | 0x1c => self.state = State::Between,
                _ => {
                    if let State::Entered { ahead, .. } = &mut self.state {
                        *ahead = true;
                    }
                }
            }
        }
    }

    /// Return was pressed, while the shell waited in a directory.
    fn enter(&mut self, waited: Option<&PathBuf>) {
        if let State::Entered { ahead, .. } = &mut self.state {
            *ahead = false;
            return;
        }
        self.state = match (std::mem::take(&mut self.state), waited) {
            (State::At(prompt), Some(directory)) => {
                self.known = Some(prompt.clone());
                State::Entered {
                    prompt,
                    directory: directory.clone(),
                    written: 0,
                    ahead: false,
                }
            }
            _ => State::Between,
        };
    }

    /// The terminal writes something. Answers how much of it belongs to a line that ends within it.
    pub fn ends_in(&mut self, output: &[u8]) -> Option<usize> {
        let State::Entered { written, ahead, .. } = &mut self.state else {
            return None;
        };
        let end = output.iter().position(|byte| *byte == b'\n');
        *written += output.len();
        if end.is_none() && *written > ECHO {
            self.state = State::after(*ahead);
        }
        end
    }

    /// What was typed, and where, in the cursor's line as it is when that ends. Nothing if nothing is to be seen of it.
    pub fn line(&mut self, line: Option<Line>) -> Option<((Text, String), String)> {
        let State::Entered {
            prompt,
            directory,
            ahead,
            ..
        } = std::mem::take(&mut self.state)
        else {
            return None;
        };
        self.state = State::after(ahead);
        let Line { text, fills, .. } = line?;
        let typed = text.strip_prefix(prompt.trim_end()).unwrap_or(&text).trim();
        if typed.is_empty() {
            return None;
        }
        let kept = within(typed, MAX_COMMAND_TEXT);
        let text = match fills || kept.len() < typed.len() {
            true => Text::Cut,
            false => Text::Whole,
        };
        Some(((text, kept.to_owned()), directory.to_string_lossy().into_owned()))
    }
}

impl State {
    /// What follows a line, behind which another may have begun that no prompt was seen for.
    fn after(ahead: bool) -> Self {
        if ahead { Self::Elsewhere } else { Self::Between }
    }
}

#[cfg(test)]
mod tests;
