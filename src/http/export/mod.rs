//! Lists as files: read from the database a page at a time and sent as they are read, so that their length costs no memory.
mod csv;
mod json;
mod row;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::try_unfold;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};
use worker::send::SendFuture;

use crate::platform::context::App;
use crate::platform::db::Query;
use crate::platform::error::ApiError;
use crate::platform::log;

pub use row::Row;

/// How many rows are read in one round trip, where these have half a kilobyte each: about half a megabyte.
pub const PAGE: i64 = 1000;

/// How a list is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For programs: an array, one row per line.
    #[default]
    Json,
    /// For spreadsheets.
    Csv,
}

impl Format {
    /// Reads a `format` parameter; JSON if there is none.
    pub fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        match text {
            None | Some("" | "json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(ApiError::invalid_field("format", "must be csv or json")),
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// How a file is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// `json` (the default) or `csv`.
    #[param(inline, value_type = Option<Format>)]
    pub format: Option<String>,
}

/// What a file has: which columns, and how the rows behind a number are read and become its rows.
pub struct Table<P, F> {
    /// What the columns are called.
    pub columns: Vec<String>,
    /// Reads rows in their order, as many as are read at once.
    pub page: P,
    /// Makes a row of the file of one that was read.
    pub row: F,
    /// How many are read at once.
    pub at_once: i64,
}

/// The file `<name>.<format>`.
pub fn file<D, R, P, F>(app: App, format: Format, name: &str, table: Table<P, F>) -> Result<Response, ApiError>
where
    D: DeserializeOwned + 'static,
    R: Row + 'static,
    P: Fn(i64) -> Query<D> + Send + 'static,
    F: Fn(D) -> R + Send + 'static,
{
    let Table {
        columns,
        page,
        row,
        at_once,
    } = table;
    let write = move |rows: Vec<D>, Part { first, last }: Part| {
        let rows: Vec<R> = rows.into_iter().map(&row).collect();
        let text = match format {
            Format::Json => json::page(&rows, first, last),
            Format::Csv => csv::page(&columns, &rows, first),
        }?;
        Ok((text, rows.last().map(Row::number)))
    };
    let name = format!("{name}.{}", format.as_str());
    stream(app, &name, format.content_type(), at_once, page, write)
}

/// Which part of a file some rows are.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub first: bool,
    pub last: bool,
}

/// The text of some rows, and the number of the last one.
pub type Written = Result<(Vec<u8>, Option<i64>), String>;

/// A file in the making.
struct Writing<P, W> {
    app: App,
    page: P,
    write: W,
    at_once: i64,
    /// The number of the last row written; nothing before the first page.
    after: Option<i64>,
    done: bool,
}

/// A file of a kind. `page` reads the rows behind a number in their order, at most so many, and `write` makes text of them. A failure half-way
/// breaks the transfer off, so that no part is taken for the whole.
pub fn stream<D, P, W>(
    app: App,
    name: &str,
    kind: &'static str,
    at_once: i64,
    page: P,
    write: W,
) -> Result<Response, ApiError>
where
    D: DeserializeOwned + 'static,
    P: Fn(i64) -> Query<D> + Send + 'static,
    W: FnMut(Vec<D>, Part) -> Written + Send + 'static,
{
    let writing = Writing {
        app,
        page,
        write,
        at_once,
        after: None,
        done: false,
    };
    let chunks = try_unfold(writing, |writing| SendFuture::new(next::<D, _, _>(writing)));
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = format!("attachment; filename=\"{name}\"");
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.parse().map_err(ApiError::internal)?,
    );
    Ok(response)
}

async fn next<D, P, W>(mut writing: Writing<P, W>) -> Result<Option<(Bytes, Writing<P, W>)>, String>
where
    D: DeserializeOwned,
    P: Fn(i64) -> Query<D>,
    W: FnMut(Vec<D>, Part) -> Written,
{
    if writing.done {
        return Ok(None);
    }
    let first = writing.after.is_none();
    let query = (writing.page)(writing.after.unwrap_or(0));
    let rows = read(&writing.app, query).await.inspect_err(|error| {
        log::error(&format!("a file broke off: {error}"));
    })?;
    writing.done = (rows.len() as i64) < writing.at_once;
    let part = Part {
        first,
        last: writing.done,
    };
    let (text, last) = (writing.write)(rows, part)?;
    writing.after = last.or(writing.after);
    Ok(Some((text.into(), writing)))
}

async fn read<D: DeserializeOwned>(app: &App, query: Query<D>) -> Result<Vec<D>, String> {
    let db = app.db().map_err(|error| error.cause().to_owned())?;
    db.run(query).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_csv_or_json() {
        for (text, format) in [
            (None, Format::Json),
            (Some("json"), Format::Json),
            (Some("csv"), Format::Csv),
        ] {
            assert_eq!(Format::parse(text).unwrap(), format);
        }
        assert!(format!("{:?}", Format::parse(Some("xml")).unwrap_err()).contains("must be csv or json"));
    }
}
