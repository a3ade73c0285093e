//! Which commands somebody asks for.
use protocol::api::command_logs::MAX_QUERY;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::period::{self, TimeOrDate};
use crate::platform::db::Arg;
use crate::platform::error::ApiError;

/// Largest page (contract). Whoever asks for more gets a page of the usual size.
const MAX_LIMIT: u64 = 200;

/// Last page that can be asked for; what lies beyond is empty for any log D1 can hold.
const MAX_PAGE: u64 = 1_000_000_000;

/// The shortest text that the index knows, in characters.
const SHORTEST_INDEXED: usize = 3;

/// A key that lies behind all.
const LAST: i64 = (1 << 53) - 1;

/// A request for a part of the log. Numbers that are none count as absent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// The page, from 1.
    #[param(value_type = Option<u64>, minimum = 1)]
    page: Option<String>,
    /// How many commands fit on a page, 1 to 200.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// Only those that came in before the one with this `key`: the `next` of the answer before.
    #[param(value_type = Option<u64>)]
    before: Option<String>,
    /// Only those that came in after the one with this `key`: the `newest` of the answer before.
    #[param(value_type = Option<u64>)]
    after: Option<String>,
    /// Of one account, by its `id`.
    #[param(max_length = 200)]
    user_id: Option<String>,
    /// In one terminal.
    #[param(max_length = 200)]
    session_id: Option<String>,
    /// With what its terminal was opened, such as `ui`; `api` for commands that were sent.
    #[param(max_length = 200)]
    source: Option<String>,
    /// Those that ended with this number.
    #[param(value_type = Option<i32>)]
    exit_code: Option<String>,
    /// Those that ended with 0, or with another number.
    #[param(value_type = Option<bool>)]
    success: Option<String>,
    /// Not before this time or date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    from: Option<String>,
    /// Not after this time, or the end of this date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    to: Option<String>,
}

/// What commands must be like to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub machine: Option<String>,
    pub user: Option<String>,
    pub session: Option<String>,
    pub source: Option<String>,
    pub exit_code: Option<i64>,
    success: Option<bool>,
    from: Option<String>,
    until: Option<String>,
    before: i64,
    after: i64,
    pub text: Option<Text>,
}

/// A text to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// By the index, as it wants it.
    Indexed(String),
    /// In each row.
    Short(String),
}

impl LogQuery {
    /// Which page is meant, and how many commands fit on one.
    pub fn page(&self, default_limit: u64) -> (u64, u64) {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u64>().ok());
        let limit = number(&self.limit).filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let page = number(&self.page).unwrap_or(1);
        (page.clamp(1, MAX_PAGE), limit.unwrap_or(default_limit))
    }

    /// What the commands must be like. Fails if a field is too long, or a time is none.
    pub fn filter(&self, text: Option<&str>) -> Result<Filter, ApiError> {
        let key = |text: &Option<String>| {
            let number = text.as_deref().and_then(|text| text.parse::<i64>().ok());
            number.map(|key| key.clamp(0, LAST))
        };
        Ok(Filter {
            machine: None,
            user: bounded("user_id", self.user_id.as_deref())?,
            session: bounded("session_id", self.session_id.as_deref())?,
            source: bounded("source", self.source.as_deref())?,
            exit_code: self
                .exit_code
                .as_deref()
                .and_then(|text| text.parse::<i32>().ok())
                .map(i64::from),
            success: self.success.as_deref().and_then(|text| text.parse().ok()),
            from: period::first("from", bounded("from", self.from.as_deref())?.as_deref())?,
            until: period::end("to", bounded("to", self.to.as_deref())?.as_deref())?,
            before: key(&self.before).unwrap_or(LAST),
            after: key(&self.after).unwrap_or(0),
            text: bounded("q", text)?.map(Text::of),
        })
    }
}

/// A text that is not empty, if it is not too long. A NUL is in no command.
pub fn bounded(field: &str, text: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > MAX_QUERY {
        return Err(ApiError::invalid_field(
            field,
            format!("must have at most {MAX_QUERY} characters"),
        ));
    }
    Ok(Some(text.replace('\0', "\u{fffd}")))
}

impl Text {
    fn of(text: String) -> Self {
        match text.chars().count() < SHORTEST_INDEXED {
            true => Self::Short(text),
            // A phrase, so that nothing in it means anything else.
            false => Self::Indexed(format!("\"{}\"", text.replace('"', "\"\""))),
        }
    }
}

impl Filter {
    /// Whether it has a text that the index knows.
    pub fn is_indexed(&self) -> bool {
        matches!(self.text, Some(Text::Indexed(_)))
    }

    /// Whether it leaves anything out, but for what came before or after a key.
    pub fn narrows(&self) -> bool {
        let everything = Self {
            before: self.before,
            after: self.after,
            machine: None,
            user: None,
            session: None,
            source: None,
            exit_code: None,
            success: None,
            from: None,
            until: None,
            text: None,
        };
        *self != everything
    }

    /// The key that the rows come after.
    pub fn after(&self) -> u64 {
        u64::try_from(self.after).unwrap_or_default()
    }

    /// The values of ?2 to ?12 in the statements of `store/mod.rs`.
    pub fn args(&self) -> [Arg; 11] {
        let text = |text: &Option<String>| Arg::from(text.as_deref());
        [
            self.before.into(),
            self.after.into(),
            text(&self.machine),
            text(&self.user),
            text(&self.session),
            text(&self.source),
            self.exit_code.into(),
            self.success.into(),
            text(&self.from),
            text(&self.until),
            match &self.text {
                Some(Text::Indexed(text) | Text::Short(text)) => text.as_str().into(),
                None => Arg::Null,
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> LogQuery {
        serde_json::from_value(pairs.iter().copied().collect()).unwrap()
    }

    #[test]
    fn pages_are_bounded_and_fall_back() {
        let page = |pairs: &[(&str, &str)]| query(pairs).page(100);
        assert_eq!(page(&[]), (1, 100));
        assert_eq!(page(&[("page", "3"), ("limit", "200")]), (3, 200));
        assert_eq!(page(&[("page", "0"), ("limit", "201")]), (1, 100));
        assert_eq!(page(&[("page", "x"), ("limit", "-1")]), (1, 100));
    }

    #[test]
    fn what_is_no_number_counts_as_absent() {
        let filter = query(&[
            ("exit_code", "many"),
            ("success", "maybe"),
            ("before", "-"),
            ("after", "x"),
        ]);
        assert_eq!(filter.filter(None).unwrap(), query(&[]).filter(Some("  ")).unwrap());
        let filter = query(&[
            ("exit_code", "-1"),
            ("success", "false"),
            ("before", "7"),
            ("after", "3"),
        ]);
        let filter = filter.filter(None).unwrap();
        assert_eq!(
            (filter.exit_code, filter.success, filter.before, filter.after),
            (Some(-1), Some(false), 7, 3)
        );
    }

    #[test]
    fn a_text_means_itself_whatever_is_in_it() {
        let text = |q: &str| query(&[]).filter(Some(q)).unwrap().text;
        assert_eq!(text("a\"* OR b"), Some(Text::Indexed("\"a\"\"* OR b\"".into())));
        assert_eq!(text("éü"), Some(Text::Short("éü".into())));
        assert_eq!(text(" l"), Some(Text::Short(" l".into())));
        assert!(query(&[]).filter(Some(&"x".repeat(201))).is_err());
    }
}
