//! Times that narrow a list: instants, or whole days.
use chrono::{DateTime, Days, TimeDelta, Utc};
use protocol::api::audit::parse_time;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::platform::db::stored;
use crate::platform::error::ApiError;

/// The form of a time in a query, for the API document. Forms send what was left empty.
pub struct TimeOrDate;

impl PartialSchema for TimeOrDate {
    fn schema() -> RefOr<Schema> {
        let form = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        let empty = ObjectBuilder::new().schema_type(Type::String).max_length(Some(0));
        AnyOfBuilder::new()
            .item(form(KnownFormat::DateTime))
            .item(form(KnownFormat::Date))
            .item(empty)
            .into()
    }
}

impl ToSchema for TimeOrDate {}

/// The first moment that is meant, as times are stored.
pub fn first(field: &str, text: Option<&str>) -> Result<Option<String>, ApiError> {
    moment(field, text, |_, time| Some(time))
}

/// The first moment that is too late, as times are stored: behind the instant, or the day.
pub fn end(field: &str, text: Option<&str>) -> Result<Option<String>, ApiError> {
    moment(field, text, |text, time| match text.contains(':') {
        true => time.checked_add_signed(TimeDelta::milliseconds(1)),
        false => time.checked_add_days(Days::new(1)),
    })
}

fn moment(
    field: &str,
    text: Option<&str>,
    adjust: fn(&str, DateTime<Utc>) -> Option<DateTime<Utc>>,
) -> Result<Option<String>, ApiError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let time = parse_time(text).and_then(|time| adjust(text, time)).ok_or_else(|| {
        ApiError::invalid_field(
            field,
            "must be a time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31",
        )
    })?;
    Ok(Some(stored(time)))
}
