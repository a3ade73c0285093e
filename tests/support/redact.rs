//! Comparing whole bodies: what differs between runs is taken out, and looked at while it is.
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Takes a field out of an object; it must be there.
pub fn take(body: &mut Value, field: &str) -> Value {
    let object = body.as_object_mut().expect("an object");
    object
        .remove(field)
        .unwrap_or_else(|| panic!("no {field} in {object:#?}"))
}

/// Whether a text is so many lowercase hex digits.
pub fn hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// How old what has just happened may be, in minutes: on a computer that does ten other things a test may take some.
const RECENT: i64 = 10;

/// Whether a value is a UTC time of now, written as the API writes times.
pub fn is_recent(value: &Value) -> bool {
    let Some(text) = value.as_str().filter(|text| text.ends_with('Z')) else {
        return false;
    };
    text.parse::<DateTime<Utc>>()
        .is_ok_and(|time| (Utc::now() - time).abs() < TimeDelta::minutes(RECENT))
}
