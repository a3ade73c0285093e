//! A file of a service as an answer: its parts one behind the other, read at the runner as they are sent, so that its length costs no memory.
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use chrono::DateTime;
use futures_util::stream::try_unfold;
use protocol::terminal::services::Place;
use worker::send::SendFuture;

use super::access::ServiceAccess;
use super::runner;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::relay_stub::FileRead;

/// A file on its way.
struct Reading {
    app: App,
    access: ServiceAccess,
    place: Place,
    /// Its size and version, and what was read and is not sent.
    read: FileRead,
    /// The first byte that is not read.
    from: u64,
}

/// The file, of which the beginning was read. A failure half-way breaks the transfer off.
pub fn answer(
    app: App,
    access: ServiceAccess,
    place: Place,
    name: &str,
    first: FileRead,
) -> Result<Response, ApiError> {
    let from = first.bytes.len() as u64;
    let file = first.file.clone();
    let body = match from >= file.size {
        true => Body::from(first.bytes),
        false => {
            let reading = Reading {
                app,
                access,
                place,
                read: first,
                from,
            };
            Body::from_stream(try_unfold(reading, |reading| SendFuture::new(next(reading))))
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(header::CONTENT_LENGTH, file.size.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    let disposition = disposition(name).parse().map_err(ApiError::internal)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    let modified = i64::try_from(file.modified_ms)
        .ok()
        .and_then(DateTime::from_timestamp_millis);
    let modified = modified.map(|at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    // What the agent says may be no header; the file is one all the same.
    for (name, value) in [
        (header::LAST_MODIFIED, modified),
        (header::ETAG, Some(format!("\"{}\"", file.version))),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

async fn next(mut reading: Reading) -> Result<Option<(Bytes, Reading)>, String> {
    if reading.read.bytes.is_empty() {
        if reading.from >= reading.read.file.size {
            return Ok(None);
        }
        reading.read = reading.more().await.map_err(|error| {
            log::error(&format!("a file broke off: {}", error.cause()));
            error.cause().to_owned()
        })?;
        reading.from += reading.read.bytes.len() as u64;
    }
    let bytes = std::mem::take(&mut reading.read.bytes);
    Ok(Some((bytes.into(), reading)))
}

impl Reading {
    async fn more(&self) -> Result<FileRead, ApiError> {
        let relay = self.app.relay(self.access.machine())?;
        let version = Some(self.read.file.version.clone());
        let read = relay.read_file(self.access.directory(), self.place.clone(), self.from, version);
        let read = read.await?.map_err(|answer| runner::refusal(answer, &self.place))?;
        match read.bytes.is_empty() {
            true => Err(ApiError::internal("a file is shorter than was said")),
            false => Ok(read),
        }
    }
}

/// The kind of a file that its name says. Nothing that a browser runs is among them, and none of them is shown by one: they are attachments.
fn media_type(name: &str) -> &'static str {
    let (_, extension) = name.rsplit_once('.').unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "log" | "md" | "conf" | "ini" | "sh" | "pub" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "yaml" | "yml" => "application/yaml",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// That it is a file to be kept, under its name: as ASCII for old programs, and as it is (RFC 6266).
fn disposition(name: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if ascii == name {
        return format!("attachment; filename=\"{ascii}\"");
    }
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_kind_of_a_file_and_never_one_that_runs() {
        for (name, expected) in [
            ("run.log", "text/plain; charset=utf-8"),
            ("A.YAML", "application/yaml"),
            ("a.json", "application/json"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.html", "application/octet-stream"),
            ("a.svg", "application/octet-stream"),
            ("json", "application/octet-stream"),
            (".", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name), expected, "{name}");
        }
    }

    #[test]
    fn a_file_is_kept_under_its_name_whatever_that_is() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"");
        assert_eq!(
            disposition("ü\"\\;.txt"),
            "attachment; filename=\"___;.txt\"; filename*=UTF-8''%C3%BC%22%5C%3B.txt"
        );
        assert_eq!(
            disposition("100%"),
            "attachment; filename=\"100_\"; filename*=UTF-8''100%25"
        );
        let header: HeaderValue = disposition("\u{2028}é\u{7f}").parse().unwrap();
        assert!(header.to_str().is_ok());
    }
}
