//! Why a terminal socket closes: WebSocket close codes and their reason texts (contract of the published socket).

/// A reason to close, with its code and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The viewer left on purpose.
    UserDisconnected,
    /// The shell exited.
    SessionEnded,
    /// Access, account or token was withdrawn.
    AccessRevoked,
    /// A frame over its bound.
    FrameTooLarge,
    /// A frame that breaks the protocol beyond repair, such as a first frame that is not `hello`.
    ProtocolError,
    /// A defect of ours.
    InternalError,
    /// The agent was away longer than the grace.
    AgentOffline,
    /// Nothing that counts said whose the socket is. Only of sockets that say it in a frame.
    Unauthorized,
    /// The session that a socket names is none. Only of those, too.
    SessionNotFound,
    /// Nobody typed for longer than the organization lets a terminal be idle.
    IdleTimeout,
    /// The runner that was to open an SSH connection is not there. Only of the published sockets for those.
    RunnerOffline,
    /// As many sessions run, or guests are there, as may, so there is no place for this socket.
    SessionLimit,
    /// The machine gave no shell, for reasons that do not pass by themselves, such as an account that it does not have.
    ShellRefused,
    /// The owner or an administrator closed the session, or the machine was deleted.
    SessionTerminated,
    /// The same client attached again elsewhere.
    Replaced,
}

impl Close {
    /// The number in the close frame.
    pub fn code(self) -> u16 {
        match self {
            Self::UserDisconnected | Self::SessionEnded => 1000,
            Self::ProtocolError => 1002,
            Self::AccessRevoked | Self::ShellRefused => 1008,
            Self::FrameTooLarge => 1009,
            Self::InternalError => 1011,
            Self::AgentOffline => 1013,
            Self::IdleTimeout => 4000,
            Self::Unauthorized => 4001,
            Self::SessionNotFound => 4004,
            Self::SessionTerminated => 4008,
            Self::Replaced => 4009,
            Self::SessionLimit => 4029,
            Self::RunnerOffline => 4503,
        }
    }

    /// The text in the close frame.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UserDisconnected => "User disconnected",
            Self::SessionEnded => "Session ended",
            Self::ProtocolError => "Protocol error",
            Self::AccessRevoked => "Access revoked",
            Self::FrameTooLarge => "Frame too large",
            Self::InternalError => "Internal error",
            Self::AgentOffline => "Agent offline",
            Self::IdleTimeout => "Idle timeout",
            Self::Unauthorized => "Unauthorized",
            Self::SessionNotFound => "Session not found",
            Self::SessionTerminated => "Session terminated",
            Self::Replaced => "Replaced by another connection",
            Self::SessionLimit => "Session limit reached",
            Self::RunnerOffline => "Runner offline",
            Self::ShellRefused => "Shell refused",
        }
    }

    /// A short name for programs, used as `code` of a `disconnect` frame.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserDisconnected => "user_disconnected",
            Self::SessionEnded => "session_ended",
            Self::ProtocolError => "protocol_error",
            Self::AccessRevoked => "access_revoked",
            Self::FrameTooLarge => "frame_too_large",
            Self::InternalError => "internal_error",
            Self::AgentOffline => "agent_offline",
            Self::IdleTimeout => super::limits::IDLE_TIMEOUT,
            Self::Unauthorized => "unauthorized",
            Self::SessionNotFound => "session_not_found",
            Self::SessionTerminated => "session_terminated",
            Self::Replaced => "replaced",
            Self::SessionLimit => "session_limit",
            Self::RunnerOffline => "runner_offline",
            Self::ShellRefused => "shell_refused",
        }
    }
}

/// Whether a close code says that the other side left on purpose: closed by it (1000) or its page went away (1001).
pub fn left_on_purpose(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}
