//! A line of asciicast v2 as text: its time, and what is behind it.

/// The time of an event in milliseconds, and what follows.
pub fn split(line: &[u8]) -> Option<(u64, &[u8])> {
    let line = line.strip_prefix(b"[")?;
    let comma = line.iter().position(|byte| *byte == b',')?;
    let (time, rest) = line.split_at(comma);
    let (seconds, millis) = std::str::from_utf8(time).ok()?.split_once('.')?;
    if millis.len() != 3 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    Some((seconds.checked_mul(1000)?.checked_add(millis.parse().ok()?)?, rest))
}

/// Whether an event is for readers of ours: bytes that are no text, or a screen.
pub fn is_ours(rest: &[u8]) -> bool {
    rest.starts_with(b",\"b\",") || rest.starts_with(b",\"s\",")
}
