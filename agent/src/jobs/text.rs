//! What a job writes as text: whole characters, no more than is kept, and what its lines say that people must not overlook.
use protocol::terminal::jobs::{MAX_DEPLOYMENT_ID, MAX_JOB_OUTPUT};
use protocol::terminal::published::Utf8Stream;

use super::recap::Recap;

/// What a line says that names a deployment (contract of the published API).
const DEPLOYMENT: &str = "DEPLOYMENT_ID=";

/// Longest part of a line that is looked at, in bytes.
const LOOKED_AT: usize = 4096;

/// Lines that say that a run which succeeds did nothing, or did not ask, and what is made of them. Ansible ends with 0 all the same.
const REMARKS: [(&str, &str); 5] = [
    (
        "no hosts matched",
        "Warning: no hosts matched, so nothing was done there",
    ),
    (
        "Could not match supplied host pattern",
        "Warning: a group or host that was named is not in the inventory",
    ),
    (
        "provided hosts list is empty",
        "Warning: there was no inventory but this computer itself",
    ),
    (
        "Not prompting",
        "Warning: a question was not asked, as nobody can answer it here",
    ),
    (
        "Not waiting for response",
        "Warning: a pause was not waited for, as nobody can end it here",
    ),
];

/// How a line begins that Ansible writes for each play.
const PLAY: &str = "PLAY [";

/// A job's output as it becomes text.
#[derive(Debug, Default)]
pub struct Text {
    decoder: Utf8Stream,
    /// The line that has not ended, as far as it is looked at.
    line: String,
    /// How much was kept…
    kept: u64,
    /// …and whether there was more.
    is_cut: bool,
    /// Whether the last that was kept ends a line.
    mid_line: bool,
    deployment_id: Option<String>,
    remarks: [bool; REMARKS.len()],
    plays: bool,
    recap: Recap,
}

impl Text {
    /// The text that is to be kept of these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let text = self.decoder.push(bytes);
        self.keep(text)
    }

    /// What the agent itself says, on a line of its own. It is not cut.
    pub fn say(&mut self, line: &str) -> String {
        let begin = if std::mem::take(&mut self.mid_line) { "\n" } else { "" };
        format!("{begin}{line}\n")
    }

    /// What is left when nothing follows, and what people must not overlook.
    pub fn finish(&mut self) -> String {
        let rest = self.decoder.finish();
        let mut text = self.keep(rest);
        let line = std::mem::take(&mut self.line);
        self.look_at_line(&line);
        let said = REMARKS.iter().zip(self.remarks).filter(|(_, seen)| *seen);
        for line in said.map(|((_, remark), _)| format!("[{remark}]")).collect::<Vec<_>>() {
            text.push_str(&self.say(&line));
        }
        if let Some(words) = self.recap.words() {
            text.push_str(&self.say(&format!("[{words}]")));
        }
        text
    }

    /// What the deployment calls itself, if it has said so since this was asked.
    pub fn take_deployment_id(&mut self) -> Option<String> {
        self.deployment_id.take().filter(|id| !id.is_empty())
    }

    /// Whether Ansible ran.
    pub fn has_plays(&self) -> bool {
        self.plays
    }

    fn keep(&mut self, text: String) -> String {
        // No JSON reader or database is to stumble over it.
        let mut text = text.replace('\0', "\u{fffd}");
        // Also what is kept no more: how it ended is at its end.
        self.look_at(&text);
        if self.is_cut {
            return String::new();
        }
        let room = usize::try_from(MAX_JOB_OUTPUT.saturating_sub(self.kept)).unwrap_or(usize::MAX);
        let is_more = text.len() > room;
        if is_more {
            text.truncate(text.floor_char_boundary(room));
        }
        self.kept += text.len() as u64;
        if let Some(last) = text.bytes().last() {
            self.mid_line = last != b'\n';
        }
        if is_more {
            self.is_cut = true;
            let line = self.say(&format!(
                "[Warning: the output is longer than {} MiB and cut here]",
                MAX_JOB_OUTPUT >> 20
            ));
            text.push_str(&line);
        }
        text
    }

    fn look_at(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let room = LOOKED_AT.saturating_sub(self.line.len());
            self.line.push_str(&piece[..piece.floor_char_boundary(room)]);
            if piece.ends_with('\n') {
                let line = std::mem::take(&mut self.line);
                self.look_at_line(&line);
            }
        }
    }

    fn look_at_line(&mut self, line: &str) {
        self.plays |= line.contains(PLAY);
        self.recap.line(line);
        for ((words, _), seen) in REMARKS.iter().zip(&mut self.remarks) {
            *seen |= line.contains(words);
        }
        if self.deployment_id.is_none()
            && let Some((_, after)) = line.split_once(DEPLOYMENT)
        {
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
            let id: String = after.chars().take_while(|c| is_part(*c)).collect();
            self.deployment_id = (1..=MAX_DEPLOYMENT_ID).contains(&id.len()).then_some(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_text_is_shown_as_such_and_a_character_may_come_in_two_writes() {
        let mut text = Text::default();
        assert_eq!(text.push(b"a\xc3"), "a");
        assert_eq!(text.push(b"\xa4\xff\0b"), "ä\u{fffd}\u{fffd}b");
        assert_eq!(text.push(b"\xe2\x82"), "");
        assert_eq!(text.finish(), "\u{fffd}");
        assert_eq!(text.say("[EXIT CODE: 2]"), "\n[EXIT CODE: 2]\n");
        assert_eq!(text.say("next"), "next\n");
    }

    #[test]
    fn the_first_line_that_names_a_deployment_counts() {
        let mut text = Text::default();
        text.push(b"a DEPLOYMENT_");
        assert_eq!(text.take_deployment_id(), None);
        text.push(b"ID=web-1_x.y\nDEPLOYMENT_ID=");
        assert_eq!(text.take_deployment_id().as_deref(), Some("web-1_x"));
    }

    #[test]
    fn what_must_not_be_overlooked_is_said_once_at_the_end() {
        let mut text = Text::default();
        text.push(b"PLAY [all] **\nskipping: no hosts matched\nskipping: no hosts matched\n[WARNING]: Not prompting as we are not in interactive mode\n");
        assert!(text.has_plays());
        text.push(
            b"Pausing (output is hidden)\n[WARNING]: Not waiting for response to prompt as stdin is not interactive\n",
        );
        text.push(b"PLAY RECAP ****\nweb-1 : ok=1 changed=0 unreachable=0 failed=0\n");
        assert_eq!(
            text.finish().lines().collect::<Vec<_>>(),
            [
                "[Warning: no hosts matched, so nothing was done there]",
                "[Warning: a question was not asked, as nobody can answer it here]",
                "[Warning: a pause was not waited for, as nobody can end it here]",
                "[Hosts: 1 ok]",
            ]
        );
    }

    #[test]
    fn no_more_than_the_bound_is_kept_and_the_output_says_so() {
        let mut text = Text::default();
        let chunk = "ä".repeat(512 * 1024);
        let mut kept = String::new();
        for _ in 0..10 {
            kept.push_str(&text.push(chunk.as_bytes()));
        }
        let (output, rest) = kept.split_at(MAX_JOB_OUTPUT as usize);
        assert_eq!(output.len(), MAX_JOB_OUTPUT as usize);
        assert_eq!(rest, "\n[Warning: the output is longer than 4 MiB and cut here]\n");
        assert_eq!(text.push(b"more"), "");
        assert_eq!(text.push(b"\nPLAY RECAP **\nweb : ok=1 failed=2\n"), "");
        assert_eq!(text.finish(), "[Hosts: 1 failed]\n");
        assert_eq!(text.say("[EXIT CODE: 1]"), "[EXIT CODE: 1]\n");
    }

    proptest! {
        #[test]
        fn where_writes_end_does_not_show(bytes: Vec<u8>, cuts in proptest::collection::vec(1usize..8, 0..40)) {
            let mut at_once = Text::default();
            let mut expected = at_once.push(&bytes);
            expected.push_str(&at_once.finish());
            let mut text = Text::default();
            let mut shown = String::new();
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                shown.push_str(&text.push(part));
                rest = after;
            }
            shown.push_str(&text.push(rest));
            shown.push_str(&text.finish());
            prop_assert_eq!(shown, expected);
        }
    }
}
