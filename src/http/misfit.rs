//! What is wrong with a JSON body, in words for whoever sent it. The decoder speaks of types of ours, which mean nothing outside.
use std::borrow::Cow;

use protocol::json::Misfit;

use crate::platform::error::ApiError;

/// Why a body is no JSON.
pub fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(format!("The body is not valid JSON: {error}"))
}

/// Why a body was not decoded: a field does not fit.
pub fn misfit(Misfit { error, path }: &Misfit) -> ApiError {
    let fault = error.to_string();
    let missing = fault.strip_prefix("missing field `");
    match missing.and_then(|rest| rest.strip_suffix('`')) {
        Some(field) => ApiError::invalid_field(field, "is required"),
        None if path.is_empty() => ApiError::bad_request("The body must be a JSON object"),
        None => ApiError::invalid_field(path, in_words(&fault)),
    }
}

/// What is allowed instead.
fn in_words(fault: &str) -> Cow<'static, str> {
    // What was sent stands before it, and may have the same words.
    if let Some((_, expected)) = fault.rsplit_once(", expected ") {
        return match fault.starts_with("unknown variant") {
            true => format!("must be {}", expected.replace('`', "")).into(),
            false => wanted(expected),
        };
    }
    // Of a type of ours, which says it in words, such as `id must be 24 lowercase hex characters`.
    match fault.split_once(" must ") {
        Some((_, rule)) => format!("must {rule}").into(),
        None if fault.starts_with("duplicate field") => "must be given once".into(),
        None => "has the wrong form".into(),
    }
}

fn wanted(expected: &str) -> Cow<'static, str> {
    match expected {
        "a boolean" => "must be true or false".into(),
        "u8" => below(u64::from(u8::MAX)),
        "u16" => below(u64::from(u16::MAX)),
        "u32" => below(u64::from(u32::MAX)),
        "u64" | "usize" => "must be a whole number and not negative".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "must be a whole number".into(),
        "f32" | "f64" => "must be a number".into(),
        "a sequence" => "must be a list".into(),
        "a string" | "a borrowed string" => "must be a string".into(),
        "a map" => "must be an object".into(),
        _ if expected.starts_with("struct ") => "must be an object".into(),
        _ if expected.contains("date and time") => "must be a time such as 2026-01-31T12:00:00Z".into(),
        _ => "has the wrong form".into(),
    }
}

fn below(limit: u64) -> Cow<'static, str> {
    format!("must be a whole number from 0 to {limit}").into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use protocol::ids::ObjectId;
    use protocol::json::{Value, explain};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
        Three,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Either {
        This,
        That,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoded")]
    struct Part {
        a: String,
        b: String,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code, reason = "only decoded")]
    struct Body {
        text: String,
        flag: bool,
        tiny: u8,
        port: u16,
        count: Option<u32>,
        size: u64,
        whole: i64,
        ratio: f64,
        list: Vec<String>,
        map: BTreeMap<String, String>,
        part: Option<Part>,
        parts: Vec<Part>,
        word: Option<Word>,
        either: Option<Either>,
        id: Option<ObjectId>,
        time: Option<DateTime<Utc>>,
    }

    fn said(json: &str) -> String {
        match Value::parse(json.as_bytes()) {
            Ok(value) => misfit(&explain::<Body>(&value).unwrap_err()).text().to_owned(),
            Err(error) => malformed(&error).text().to_owned(),
        }
    }

    #[test]
    fn what_does_not_fit_is_said_without_a_word_of_rust() {
        for (json, words) in [
            (r#"{"text":5}"#, "text must be a string"),
            (r#"{"text":null}"#, "text must be a string"),
            (r#"{"flag":"yes"}"#, "flag must be true or false"),
            (r#"{"tiny":256}"#, "tiny must be a whole number from 0 to 255"),
            (r#"{"port":-1}"#, "port must be a whole number from 0 to 65535"),
            (r#"{"count":1.5}"#, "count must be a whole number from 0 to 4294967295"),
            (r#"{"size":"1"}"#, "size must be a whole number and not negative"),
            (r#"{"whole":1e300}"#, "whole must be a whole number"),
            (r#"{"ratio":"1"}"#, "ratio must be a number"),
            (r#"{"list":{}}"#, "list must be a list"),
            (r#"{"list":["a",5]}"#, "list[1] must be a string"),
            (r#"{"map":[]}"#, "map must be an object"),
            (r#"{"map":5}"#, "map must be an object"),
            (r#"{"part":"x"}"#, "part must be an object"),
            (r#"{"parts":["x"]}"#, "parts[0] must be an object"),
            (r#"{"parts":[["x"]]}"#, "parts[0] must be an object"),
            (r#"{"part":{"a":"x"}}"#, "b is required"),
            (r#"{"word":"four"}"#, "word must be one of one, two, three"),
            (r#"{"word":", expected u8"}"#, "word must be one of one, two, three"),
            (r#"{"word":" at line 1"}"#, "word must be one of one, two, three"),
            (r#"{"either":"x"}"#, "either must be this or that"),
            (r#"{"word":5}"#, "word has the wrong form"),
            (r#"{"word":["one"]}"#, "word has the wrong form"),
            (r#"{"id":"x"}"#, "id must be 24 lowercase hex characters"),
            (r#"{"id":5}"#, "id must be a string"),
            (r#"{"time":5}"#, "time must be a time such as 2026-01-31T12:00:00Z"),
            (r#"{"time":"soon"}"#, "time has the wrong form"),
            (r#"{"text":"a","text":"b"}"#, "text must be given once"),
            (r#"{"text":", expected u8","flag":1}"#, "flag must be true or false"),
        ] {
            assert_eq!(said(json), words, "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        for json in [
            "{",
            r#"{"word":}"#,
            r#"{"text":"\ud800"}"#,
            r#"{"ratio":1e}"#,
            r#"{"ratio":1e999}"#,
        ] {
            let text = said(json);
            assert!(
                text.starts_with("The body is not valid JSON: ") && text.contains("line 1"),
                "{text}"
            );
        }
    }
}
