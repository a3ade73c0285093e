//! The end of a file on standard input, said to a terminal. A terminal has no end but a character, Ctrl-D, and only
//! whoever waits for input in that moment takes it for one: a shell that still runs a command, or has not started yet, never
//! sees it. So it is said again, when output suggests that somebody waits now, and now and then in any case.
use tokio::time::{Duration, Instant};

/// Ctrl-D, which terminals take for the end of their input unless told otherwise.
pub const END_OF_FILE: u8 = 4;

/// After so much silence whoever wrote, such as a prompt, is waiting.
const QUIET: Duration = Duration::from_millis(300);

/// Until it is said for the second time without any output.
const FIRST: Duration = Duration::from_millis(500);

/// The longest until it is said again: a command that runs for an hour is not disturbed more than that.
const LONGEST: Duration = Duration::from_secs(30);

/// When to say it again.
#[derive(Debug, Clone, Copy)]
pub struct EndOfInput {
    said: Instant,
    pause: Duration,
    /// When there was output last, if there was any since.
    output: Option<Instant>,
}

impl EndOfInput {
    /// It was said for the first time.
    pub fn said_at(now: Instant) -> Self {
        Self {
            said: now,
            pause: FIRST,
            output: None,
        }
    }

    /// It was said again.
    pub fn said_again(&mut self, now: Instant) {
        self.said = now;
        self.pause = (self.pause * 2).min(LONGEST);
        self.output = None;
    }

    /// Something was written.
    pub fn output(&mut self, now: Instant) {
        self.output = Some(now);
    }

    /// When to say it again.
    pub fn due(&self) -> Instant {
        let anyway = self.said + self.pause;
        self.output.map_or(anyway, |at| anyway.min(at + QUIET))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_again_less_and_less_and_soon_after_output() {
        let start = Instant::now();
        let mut end = EndOfInput::said_at(start);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let due = end.due();
            pauses.push((due - end.said).as_millis());
            end.said_again(due);
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);

        let said = end.said;
        end.output(said + Duration::from_secs(2));
        assert_eq!(end.due(), said + Duration::from_secs(2) + QUIET);
        // A program that never stops writing gets it as well.
        end.output(said + LONGEST);
        assert_eq!(end.due(), said + LONGEST);
        end.said_again(said + LONGEST);
        assert_eq!(end.due(), said + LONGEST * 2);
    }
}
