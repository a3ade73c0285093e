//! Bodies of JSON. Those that the database made go out as they came, neither decoded nor encoded on the way.
//!
//! SQL that makes them names each published field in one `json_object`, of 16 at most. JSON that comes out of a subquery is
//! mere text to the function around it and needs a `json(…)`.
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::page::Paging;
use crate::platform::error::ApiError;

/// SQL: a truth value as JSON has it. SQLite itself has none.
macro_rules! json_flag {
    ($condition:literal) => {
        concat!("json(iif(", $condition, ", 'true', 'false'))")
    };
}
pub(crate) use json_flag;

/// SQL: a stored time as bodies have it. They leave out the fraction of a whole second.
macro_rules! json_time {
    ($column:literal) => {
        concat!("replace(", $column, ", '.000Z', 'Z')")
    };
}
pub(crate) use json_time;

/// A row that is a body: `json_object(…) AS body`.
#[derive(Debug, Deserialize)]
pub struct BodyRow {
    pub body: String,
}

/// JSON text.
#[derive(Debug)]
pub struct JsonText(pub String);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// What becomes JSON. It is written into the same memory as all other JSON: axum's own type has another, and with it each type
/// that can be written would be compiled once more.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        answer(serde_json::to_string(&self.0))
    }
}

fn answer(written: serde_json::Result<String>) -> Response {
    match written {
        Ok(text) => JsonText(text).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

impl JsonText {
    /// A page of a list, under the name of what it lists.
    pub fn page(name: &str, rows: &[BodyRow], paging: Paging) -> Self {
        let length: usize = rows.iter().map(|row| row.body.len() + 1).sum();
        let mut text = String::with_capacity(length + 128);
        text.extend(["{\"", name, "\":["]);
        for (index, row) in rows.iter().enumerate() {
            text.extend([if index == 0 { "" } else { "," }, &row.body]);
        }
        let Paging {
            total,
            page,
            limit,
            total_pages,
        } = paging;
        text.push_str(&format!(
            "],\"total\":{total},\"page\":{page},\"limit\":{limit},\"total_pages\":{total_pages}}}"
        ));
        Self(text)
    }

    /// All of a list, under the name of what it lists.
    pub fn all(name: &str, rows: &[BodyRow]) -> Self {
        let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
        Self(["{\"", name, "\":[", &bodies.join(","), "]}"].concat())
    }

    /// An object both under a name and flat.
    pub fn wrapped_and_flat(name: &str, body: &str) -> Self {
        let fields = body.strip_prefix('{').unwrap_or_default();
        Self(["{\"", name, "\":", body, ",", fields].concat())
    }
}
