//! What each fuzz target does with its bytes: decode them, and hold what was decoded to its promises. `tests/seeds.rs` of
//! the protocol crate runs the committed seeds through the same functions.
use std::fmt::Debug;

use bytes::Bytes;
use protocol::ids::{AgentId, BootId, CommandId, JournalId, ObjectId, SessionId, ViewerId};
use protocol::limits::COMMAND_SECONDS;
use protocol::relay_contract::{
    AgentContext, CommandAnswer, NamedCommand, NamedSession, RunCommand, SignIn, Status, ViewerContext,
};
use protocol::stream::{Applied, InputApplier, Marked, Marks, OutputReader};
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::{Frame, MAX_FRAME};
use protocol::terminal::published::{FromClient, Utf8Stream};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A target: takes any bytes and must not panic.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus folder.
pub const TARGETS: [(&str, Target); 10] = [
    ("frame", frame),
    ("from_viewer", from_viewer),
    ("to_viewer", to_viewer),
    ("from_agent", from_agent),
    ("to_agent", to_agent),
    ("from_client", from_client),
    ("utf8_stream", utf8_stream),
    ("relay_context", relay_context),
    ("stream", stream),
    ("marks", marks),
];

/// A binary frame, and the parts the relay cuts from it.
pub fn frame(data: &[u8]) {
    let Ok(frame) = Frame::decode(Bytes::copy_from_slice(data)) else {
        return;
    };
    assert_eq!(&frame.bytes()[..], data);
    assert!(data.len() <= MAX_FRAME);
    assert_eq!(frame.end() - frame.offset, frame.payload().len() as u64);
    let _ = frame.window();
    let middle = frame.offset + frame.payload().len() as u64 / 2;
    for from in [0, frame.offset, middle, frame.end(), u64::MAX] {
        if let Some(part) = frame.starting_at(from) {
            assert_eq!((part.offset, part.end()), (from, frame.end()));
        }
    }
}

/// A control message of our own viewers.
pub fn from_viewer(data: &[u8]) {
    message::<FromViewer>(data);
}

/// A control message to our own viewers.
pub fn to_viewer(data: &[u8]) {
    message::<ToViewer>(data);
}

/// A control message of an agent.
pub fn from_agent(data: &[u8]) {
    match round_trip::<FromAgent>(data) {
        // Metrics are read to within the last bit.
        Some((FromAgent::Heartbeat { .. }, FromAgent::Heartbeat { .. })) | None => {}
        Some((FromAgent::History { series, .. }, FromAgent::History { series: again, .. })) => {
            assert_eq!(series, again)
        }
        Some((message, again)) => assert_eq!(message, again),
    }
}

/// A control message to an agent.
pub fn to_agent(data: &[u8]) {
    message::<ToAgent>(data);
}

/// A frame of a client of the published socket.
pub fn from_client(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match FromClient::decode(text) {
        Ok(FromClient::Resize(size)) => {
            assert!(size.cols >= 1 && size.cols <= 1000 && size.rows >= 1 && size.rows <= 1000)
        }
        // A control frame can say a character in six of its own, never in fewer bytes than it takes.
        Ok(FromClient::Input(bytes)) => assert!(bytes.len() <= data.len()),
        Ok(FromClient::Command {
            command,
            timeout_seconds,
        }) => {
            assert!(!command.trim().is_empty() && !command.contains('\0') && command.len() <= data.len());
            assert!(COMMAND_SECONDS.contains(&timeout_seconds));
        }
        Ok(FromClient::Unsupported(_) | FromClient::Ping) => {}
        Err(message) => assert!(!message.is_empty()),
    }
}

/// Terminal output, cut where its first bytes say.
pub fn utf8_stream(data: &[u8]) {
    let Some((&step, bytes)) = data.split_first() else {
        return;
    };
    let mut stream = Utf8Stream::default();
    let cut: String = bytes
        .chunks(usize::from(step).max(1))
        .map(|chunk| stream.push(chunk))
        .collect();
    let whole = String::from_utf8_lossy(bytes);
    // All that may differ is a character that is not complete yet: up to three bytes, one mark in the lossy text.
    let held = whole
        .strip_prefix(cut.as_str())
        .expect("the same text, however it was cut");
    assert!(held.is_empty() || held == "\u{FFFD}", "{held:?}");
}

/// The bodies between the Worker and the relay, and the ids in them.
pub fn relay_context(data: &[u8]) {
    message::<ViewerContext>(data);
    message::<AgentContext>(data);
    message::<NamedSession>(data);
    message::<RunCommand>(data);
    message::<CommandAnswer>(data);
    message::<NamedCommand>(data);
    message::<SignIn>(data);
    round_trip::<Status>(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    id::<ObjectId>(text);
    id::<AgentId>(text);
    id::<SessionId>(text);
    id::<ViewerId>(text);
    id::<BootId>(text);
    id::<CommandId>(text);
    id::<JournalId>(text);
}

/// Both ends of a stream, fed frames at any offset: ten bytes each, eight of offset and two of length.
pub fn stream(data: &[u8]) {
    let (mut reader, mut applier) = (OutputReader::default(), InputApplier::default());
    let payload = vec![7; usize::from(u16::MAX)];
    for (now, step) in data.chunks_exact(10).enumerate() {
        let (offset, len) = step.split_at(8);
        let offset = u64::from_be_bytes(offset.try_into().expect("eight bytes"));
        let payload = &payload[..usize::from(u16::from_be_bytes(len.try_into().expect("two bytes")))];
        // What passed `Frame::decode` never runs past the last offset.
        if offset.checked_add(payload.len() as u64).is_none() {
            continue;
        }
        let before = reader.received();
        if let Ok(new) = reader.receive(offset, payload) {
            assert_eq!(reader.received(), before + new.len() as u64);
            reader.consume(new.len() as u64, now as u64);
        }
        assert!(reader.due_ack(now as u64).is_none_or(|ack| ack <= reader.received()));
        let before = applier.applied();
        match applier.accept(offset, payload) {
            Applied::New(new) => assert_eq!(applier.applied(), before + new.len() as u64),
            Applied::Repeat | Applied::Ahead => assert_eq!(applier.applied(), before),
        }
    }
}

/// The output of a shell, cut where its first byte says: what is no mark comes out as it came, whatever the cuts, and the secret
/// does not.
pub fn marks(data: &[u8]) {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let Some((&step, bytes)) = data.split_first() else {
        return;
    };
    let split = |step: usize| {
        let (mut marks, mut output, mut found) = (Marks::new(SECRET), Vec::new(), Vec::new());
        for chunk in bytes.chunks(step.max(1)) {
            marks.split(chunk, |piece| match piece {
                Marked::Output(bytes) => output.extend_from_slice(bytes),
                Marked::Mark(mark) => found.push((output.len(), mark)),
            });
        }
        output.extend(marks.finish());
        (output, found)
    };
    let (output, found) = split(bytes.len());
    assert!(output.len() <= bytes.len());
    assert_eq!(split(usize::from(step)), (output, found));
}

/// What decodes must encode, and decode to the same again.
fn message<M: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    if let Some((message, again)) = round_trip::<M>(data) {
        assert_eq!(message, again);
    }
}

fn round_trip<M: Serialize + DeserializeOwned>(data: &[u8]) -> Option<(M, M)> {
    let message = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&message).expect("what was decoded can be encoded");
    Some((
        message,
        serde_json::from_str(&text).expect("what was encoded can be decoded"),
    ))
}

/// What is an id is written as it was read.
fn id<I: std::str::FromStr + ToString>(text: &str) {
    if let Ok(id) = text.parse::<I>() {
        assert_eq!(id.to_string(), text);
    }
}
