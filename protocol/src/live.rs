//! The live channel of an organization. Whoever listens is told that something of a kind has changed, and asks for it where rights are
//! looked at: what is told says nothing about anything in particular.

/// The binding of the channels, one object for each organization. Its name is the organization's id.
pub const BINDING: &str = "CHANNEL";

/// The subprotocol of those who listen.
pub const SUBPROTOCOL: &str = "vsay.live.v1";

/// `GET`, an upgrade: somebody listens, whom the Worker has checked, until [`UNTIL_HEADER`].
pub const LISTEN_PATH: &str = "/listen";

/// `POST` of a frame: all who listen are told.
pub const TELL_PATH: &str = "/tell";

/// Until when somebody may listen, in milliseconds since the Unix epoch.
pub const UNTIL_HEADER: &str = "x-vsay-until";

/// Longest frame that is passed on: all topics there are.
pub const MAX_FRAME: usize = 256;

/// How long somebody listens before it is looked at again who they are. What they hear meanwhile is that something has changed.
pub const LISTENS_FOR_MS: u64 = 5 * 60 * 1000;

/// The code with which a channel closes when that time is over: come back, with another ticket.
pub const COME_BACK: u16 = 4012;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Machines: which there are, whether they are online, how they do.
    Machines,
    /// The figures of a machine that somebody has on the screen.
    Figures,
    /// Sessions, who is at them, and recordings.
    Sessions,
    /// Commands that were sent.
    Commands,
    /// Anything else that the audit log has.
    Activity,
}

impl Topic {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machines => "machines",
            Self::Figures => "figures",
            Self::Sessions => "sessions",
            Self::Commands => "commands",
            Self::Activity => "activity",
        }
    }

    /// What a request to the operation with this path may have changed, if it succeeded.
    pub fn of_operation(path: &str) -> &'static [Self] {
        const SESSIONS: [&str; 5] = ["session", "/terminal/", "/share", "/recordings", "/connect"];
        let is_about = |words: &[&str]| words.iter().any(|word| path.contains(word));
        // Listening changes nothing, nor does asking for what opens a socket.
        if path.starts_with("/api/live") || path.ends_with("/ticket") {
            &[]
        } else if is_about(&SESSIONS) {
            &[Self::Sessions, Self::Activity]
        } else if is_about(&["command"]) {
            &[Self::Commands, Self::Activity]
        } else if is_about(&["machine", "/groups", "/access"]) {
            &[Self::Machines, Self::Activity]
        } else {
            &[Self::Activity]
        }
    }
}

/// What those who listen are sent: `{"changed":["machines","activity"]}`.
pub fn frame(topics: &[Topic]) -> String {
    let words: Vec<String> = topics.iter().map(|topic| format!("\"{}\"", topic.as_str())).collect();
    format!("{{\"changed\":[{}]}}", words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_with_all_topics_is_as_short_as_said() {
        use Topic::{Activity, Commands, Figures, Machines, Sessions};
        let all = frame(&[Machines, Figures, Sessions, Commands, Activity]);
        assert!(all.len() <= MAX_FRAME);
        let read: serde_json::Value = serde_json::from_str(&all).unwrap();
        assert_eq!(
            read["changed"],
            serde_json::json!(["machines", "figures", "sessions", "commands", "activity"])
        );
    }

    #[test]
    fn what_an_operation_changes_is_told_by_its_path() {
        for (path, first) in [
            ("/api/machines/{agent_id}", Topic::Machines),
            ("/api/terminal/{agent_id}/ws", Topic::Sessions),
            ("/v1/sessions/{session_id}/terminate", Topic::Sessions),
            ("/api/shares/join", Topic::Sessions),
            ("/api/machines/{agent_id}/command", Topic::Commands),
            ("/api/users/{user_id}", Topic::Activity),
        ] {
            assert_eq!(Topic::of_operation(path)[0], first, "{path}");
        }
        for path in ["/api/live", "/api/live/ticket", "/api/shares/{share_id}/ticket"] {
            assert!(Topic::of_operation(path).is_empty(), "{path}");
        }
    }
}
