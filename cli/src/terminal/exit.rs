//! The shell's end as an exit status of ours.
use protocol::terminal::ExitStatus;

use crate::error::FAILED;

/// Signals by the numbers they have everywhere, as shells count them.
const SIGNALS: [(&str, i32); 14] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGSEGV", 11),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
];

/// The shell's exit code; 128 and its number for a signal, as shells say it; failure if the machine did not say.
pub fn status(exit: &ExitStatus) -> i32 {
    let signal = |name: &str| {
        SIGNALS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(FAILED, |(_, number)| 128 + number)
    };
    exit.code
        .or_else(|| exit.signal.as_deref().map(signal))
        .unwrap_or(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_passed_on_and_a_signal_is_counted_as_shells_do() {
        let status = |code: Option<i32>, signal: Option<&str>| {
            super::status(&ExitStatus {
                code,
                signal: signal.map(str::to_owned),
                reason: None,
            })
        };
        assert_eq!(status(Some(0), None), 0);
        assert_eq!(status(Some(7), None), 7);
        assert_eq!(status(None, Some("SIGKILL")), 137);
        assert_eq!(status(None, Some("SIGNEW")), FAILED);
        assert_eq!(status(None, None), FAILED);
    }
}
