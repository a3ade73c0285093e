//! From a shell's marks to records of its commands.
use std::time::Instant;

use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::stream::{Mark, Typed};
use protocol::terminal::Size;
use protocol::terminal::command_record::{CommandRecord, Outcome, Seen, Text};

use super::continued;
use crate::emulator::Terminal;

/// What is remembered of the output between a prompt and the command typed at it, in bytes. It is looked at only where the
/// history does not say what was typed.
const SHOWN: usize = 16 * 1024;

/// When something happened.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// In milliseconds since the Unix epoch, by the machine's clock.
    pub wall: u64,
    /// By a clock that nobody sets.
    pub steady: Instant,
}

/// What becomes of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It began. The record is as it stays if nobody sees the end.
    Began(CommandRecord),
    /// It ended.
    Ended(CommandRecord),
}

/// Makes records of one shell's commands. A record opens with [`Mark::Begin`] and closes with [`Mark::End`] or the next
/// `Begin`, and with nothing else: programs draw prompts of their own, and prompts come without a command.
#[derive(Debug)]
pub struct Recorder {
    session_id: SessionId,
    stream: StreamId,
    size: Size,
    open: Option<(CommandRecord, Instant)>,
    /// Output since the prompt; nothing while a command is open, or when it is too much.
    shown: Option<Vec<u8>>,
    /// What stood before the last text that was known.
    prompt: Option<String>,
    ready: bool,
}

impl Recorder {
    /// For a shell that has written nothing yet.
    pub fn new(session_id: SessionId, stream: StreamId, size: Size) -> Self {
        Self {
            session_id,
            stream,
            size,
            open: None,
            shown: None,
            prompt: None,
            ready: false,
        }
    }

    /// Whether the shell has shown, by a prompt, that its hooks work.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// The command that has begun and not ended.
    pub fn running(&self) -> Option<&CommandRecord> {
        self.open.as_ref().map(|(record, _)| record)
    }

    /// The terminal's size changed.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        // What is shown now was drawn for another width.
        self.shown = None;
    }

    /// The shell, or what runs in it, wrote something.
    pub fn output(&mut self, bytes: &[u8]) {
        let Some(shown) = &mut self.shown else { return };
        if shown.len() + bytes.len() > SHOWN {
            self.shown = None;
        } else {
            shown.extend_from_slice(bytes);
        }
    }

    /// The shell wrote a mark, at `offset` in the stream. `id` gives the number of a new record.
    pub fn mark(&mut self, mark: Mark, offset: u64, at: Moment, id: impl FnOnce() -> Option<ObjectId>) -> Vec<Event> {
        match mark {
            Mark::Prompt => {
                self.ready = true;
                if self.open.is_none() {
                    self.shown = Some(Vec::new());
                }
                Vec::new()
            }
            Mark::End(outcome) => self.close(outcome, offset, at).into_iter().collect(),
            Mark::Begin { before, cwd, typed } => {
                let outcome = before.map_or(Outcome::Unknown, |exit_code| Outcome::Exited { exit_code });
                let closed = self.close(outcome, offset, at);
                let text = self.text(typed);
                let opened = id().map(|id| {
                    let record = self.record(id, Seen::Announced, text, cwd, offset, at);
                    self.open = Some((record.clone(), at.steady));
                    Event::Began(record)
                });
                closed.into_iter().chain(opened).collect()
            }
            Mark::Unannounced { cwd, typed } => {
                let text = match typed {
                    Typed::Text { text, cut: true } => (Text::Cut, text),
                    Typed::Text { text, cut: false } => (Text::Whole, text),
                    Typed::NotKept { .. } | Typed::Hidden => (Text::NotKept, String::new()),
                };
                let record = id().map(|id| self.record(id, Seen::Unannounced, text, cwd, offset, at));
                record.map(Event::Ended).into_iter().collect()
            }
        }
    }

    /// A line was seen on the screen, which ended at `offset` in the stream. Nobody will say how it went.
    pub fn line(
        &self,
        text: (Text, String),
        cwd: String,
        offset: u64,
        at: Moment,
        id: Option<ObjectId>,
    ) -> Option<Event> {
        id.map(|id| Event::Ended(self.record(id, Seen::Screen, text, cwd, offset, at)))
    }

    fn record(
        &self,
        id: ObjectId,
        seen: Seen,
        (text, command): (Text, String),
        cwd: String,
        offset: u64,
        at: Moment,
    ) -> CommandRecord {
        CommandRecord {
            id,
            session_id: self.session_id.clone(),
            seen,
            text,
            command,
            cwd,
            outcome: Outcome::Unknown,
            started_at: at.wall,
            duration_ms: 0,
            stream: self.stream,
            from: offset,
            to: offset,
            missing: 0,
            against_policy: false,
        }
    }

    /// The shell ended. If a command was what ended it, such as `exit 3`, its number is the command's.
    pub fn ended(&mut self, code: Option<i32>, offset: u64, at: Moment) -> Option<Event> {
        let outcome = code.map_or(Outcome::Unknown, |exit_code| Outcome::Exited { exit_code });
        self.close(outcome, offset, at)
    }

    fn close(&mut self, outcome: Outcome, offset: u64, at: Moment) -> Option<Event> {
        let (mut record, began) = self.open.take()?;
        record.outcome = outcome;
        record.duration_ms = u64::try_from(at.steady.saturating_duration_since(began).as_millis()).unwrap_or(u64::MAX);
        record.to = offset;
        Some(Event::Ended(record))
    }

    fn text(&mut self, typed: Typed) -> (Text, String) {
        let shown = self.shown.take();
        match typed {
            Typed::Hidden => (Text::Hidden, String::new()),
            Typed::Text { text, cut: true } => (Text::Cut, text),
            Typed::Text { text, cut: false } => (Text::Whole, self.whole(text, shown)),
            Typed::NotKept { newest } => {
                let again = newest.filter(|newest| {
                    let expected = self
                        .prompt
                        .as_ref()
                        .map(|prompt| format!("{prompt}{}", newest.trim_end()));
                    let line = shown.and_then(|shown| self.lines(&shown).pop());
                    expected.is_some() && line == expected
                });
                match again {
                    Some(again) => (Text::Whole, again),
                    None => (Text::NotKept, String::new()),
                }
            }
        }
    }

    /// A text of the history as it was typed. What stands before it on the screen is remembered for the next.
    fn whole(&mut self, text: String, shown: Option<Vec<u8>>) -> String {
        let lines = shown.map_or_else(Vec::new, |shown| self.lines(&shown));
        if let Some(prompt) = &self.prompt
            && let Some(typed) = continued::as_typed(&text, &lines, prompt)
        {
            return typed;
        }
        let first = lines.len().checked_sub(text.trim_end().lines().count().max(1));
        let line = first.and_then(|first| lines.get(first));
        let begin = text.lines().next().unwrap_or_default().trim_end();
        self.prompt = line.and_then(|line| line.strip_suffix(begin)).map(str::to_owned);
        text
    }

    /// The lines that output draws, but for empty ones at the end.
    fn lines(&self, output: &[u8]) -> Vec<String> {
        let mut terminal = Terminal::new(self.size);
        terminal.process(output);
        terminal.lines()
    }
}

#[cfg(test)]
mod tests;
