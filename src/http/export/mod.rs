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

/// How many rows are read in one round trip: about half a megabyte.
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

/// A file in the making.
struct Writing<P> {
    app: App,
    format: Format,
    page: P,
    /// The number of the last row written; nothing before the first page.
    after: Option<i64>,
    done: bool,
}

/// The file `<name>.<format>`. `page` reads the rows behind a number in their order, at most [`PAGE`] of them. A failure
/// half-way breaks the transfer off, so that no part is taken for the whole.
pub fn file<D, R>(
    app: App,
    format: Format,
    name: &str,
    page: impl Fn(i64) -> Query<D> + Send + 'static,
) -> Result<Response, ApiError>
where
    D: DeserializeOwned + 'static,
    R: Row + From<D> + 'static,
{
    let writing = Writing {
        app,
        format,
        page,
        after: None,
        done: false,
    };
    let chunks = try_unfold(writing, |writing| SendFuture::new(next::<D, R, _>(writing)));
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.as_str());
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.parse().map_err(ApiError::internal)?,
    );
    Ok(response)
}

async fn next<D, R, P>(mut writing: Writing<P>) -> Result<Option<(Bytes, Writing<P>)>, String>
where
    D: DeserializeOwned,
    R: Row + From<D>,
    P: Fn(i64) -> Query<D>,
{
    if writing.done {
        return Ok(None);
    }
    let first = writing.after.is_none();
    let rows = read(&writing).await.inspect_err(|error| {
        log::error(&format!("a file broke off: {error}"));
    })?;
    let rows: Vec<R> = rows.into_iter().map(R::from).collect();
    writing.done = (rows.len() as i64) < PAGE;
    writing.after = rows.last().map(Row::number).or(writing.after);
    let text = match writing.format {
        Format::Json => json::page(&rows, first, writing.done),
        Format::Csv => csv::page(&rows, first),
    }?;
    Ok(Some((text.into(), writing)))
}

async fn read<D: DeserializeOwned, P: Fn(i64) -> Query<D>>(writing: &Writing<P>) -> Result<Vec<D>, String> {
    let db = writing.app.db().map_err(|error| error.cause().to_owned())?;
    let query = (writing.page)(writing.after.unwrap_or(0));
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
