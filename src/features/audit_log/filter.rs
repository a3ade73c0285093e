//! Which entries somebody asks for.
use protocol::api::audit::Severity;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::severity;
use crate::http::period::{self, TimeOrDate};
use crate::platform::db::Arg;
use crate::platform::error::ApiError;

/// Longest text that can be looked for, in characters.
const MAX_TEXT: usize = 200;

/// The size of a page when none, or one that is no number, is asked for (contract).
const DEFAULT_LIMIT: u64 = 50;

/// Largest page (contract). Whoever asks for more gets a page of the usual size.
const MAX_LIMIT: u64 = 200;

/// Last page that can be asked for; what lies beyond is empty for any log D1 can hold.
const MAX_PAGE: u64 = 1_000_000_000;

/// The words that clients of other programs have for what we call differently, and what they find.
const ALIASES: &[(&str, &[&str])] = &[
    ("create_user", &["user_created"]),
    ("user.create", &["user_created"]),
    ("update_user", &["user_updated"]),
    ("user.update", &["user_updated"]),
    ("delete_user", &["user_deleted"]),
    ("user.deactivate", &["user_deleted"]),
    ("user.password.change", &["password_changed"]),
    ("create_group", &["group_created"]),
    ("create_organization", &["organization_created"]),
    ("connect", &["machine_access"]),
    ("disconnect", &["session_terminated", "session_ended"]),
    (
        "create",
        &[
            "token_refresh",
            "password_changed",
            "machine_created",
            "access_granted",
            "access_revoked",
        ],
    ),
    ("update", &["group_updated", "organization_updated", "settings_changed"]),
    ("delete", &["machine_deleted", "group_deleted", "organization_deleted"]),
];

/// A request for a part of the log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// The page, from 1.
    #[param(value_type = Option<u64>, minimum = 1)]
    page: Option<String>,
    /// How many entries fit on a page: 1 to 200, 50 if absent.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// The same as `limit`.
    #[param(value_type = Option<u64>, minimum = 1)]
    per_page: Option<String>,
    /// Of one organization, by its name in URLs; `-` for entries that belong to none. Super administrators only: they read
    /// all organizations without it, and others read their own with or without it.
    pub tenant_id: Option<String>,
    /// Done by one account: its `id` or `int_id`.
    #[param(max_length = 200)]
    user_id: Option<String>,
    /// Done under this name.
    #[param(max_length = 200)]
    username: Option<String>,
    /// Of this kind, such as `login`. The words of other programs, such as `connect`, are understood, too.
    #[param(max_length = 200)]
    action: Option<String>,
    /// Done to this kind of thing, such as `machine`.
    #[param(max_length = 200)]
    resource: Option<String>,
    /// `success` or `failure`.
    #[param(max_length = 200)]
    status: Option<String>,
    /// `info`, `warning` or `critical`.
    #[param(pattern = "^(|info|warning|critical)$")]
    severity: Option<String>,
    /// Done with this kind of program, such as `cli`.
    #[param(max_length = 200)]
    source: Option<String>,
    /// About one machine: its `id` or `agent_id`.
    #[param(max_length = 200)]
    machine_id: Option<String>,
    /// Not before this time or date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    from: Option<String>,
    /// Not after this time, or the end of this date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    to: Option<String>,
    /// A part of a name, an address, a path or a detail.
    #[param(max_length = 200)]
    q: Option<String>,
}

/// What entries must be like to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    user: Option<String>,
    actions: Vec<String>,
    username: Option<String>,
    resource: Option<String>,
    status: Option<String>,
    source: Option<String>,
    machine: Option<String>,
    /// As times are stored.
    from: Option<String>,
    /// As times are stored; the first that is too late.
    until: Option<String>,
    text: Option<String>,
    severity: Option<Severity>,
}

/// Which index finds the entries: that of what is asked for most narrowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// By whom it was done.
    User,
    /// By what was done.
    Action,
    /// By several actions of which there are few entries.
    Severity,
    /// By nothing but the organization.
    Organization,
}

impl LogQuery {
    /// Which page is meant, and how many entries fit on one.
    pub fn page(&self) -> (u64, u64) {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u64>().ok());
        let limit = number(&self.limit)
            .or_else(|| number(&self.per_page))
            .filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let page = number(&self.page).unwrap_or(1);
        (page.clamp(1, MAX_PAGE), limit.unwrap_or(DEFAULT_LIMIT))
    }

    /// What the entries must be like. Fails if a field is too long, or a time is none.
    pub fn filter(&self) -> Result<Filter, ApiError> {
        let text = |field: &str, value: &Option<String>| match value.as_deref() {
            Some(value) if value.chars().count() > MAX_TEXT => Err(ApiError::invalid_field(
                field,
                format!("must have at most {MAX_TEXT} characters"),
            )),
            value => Ok(value
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)),
        };
        Ok(Filter {
            user: text("user_id", &self.user_id)?,
            actions: text("action", &self.action)?.map(meant).unwrap_or_default(),
            username: text("username", &self.username)?,
            resource: text("resource", &self.resource)?,
            status: text("status", &self.status)?,
            source: text("source", &self.source)?,
            machine: text("machine_id", &self.machine_id)?,
            from: period::first("from", text("from", &self.from)?.as_deref())?,
            until: period::end("to", text("to", &self.to)?.as_deref())?,
            text: text("q", &self.q)?,
            severity: text("severity", &self.severity)?
                .map(|word| {
                    Severity::parse(&word)
                        .ok_or_else(|| ApiError::invalid_field("severity", "must be info, warning or critical"))
                })
                .transpose()?,
        })
    }
}

/// The words that are stored for one that is asked for.
fn meant(action: String) -> Vec<String> {
    match ALIASES.iter().find(|(alias, _)| *alias == action) {
        Some((_, words)) => words.iter().map(|word| (*word).to_owned()).collect(),
        None => vec![action],
    }
}

impl Filter {
    /// Which index finds them.
    pub fn lead(&self) -> Lead {
        match (&self.user, self.actions.len(), self.severity) {
            (Some(_), ..) => Lead::User,
            (None, 1, _) => Lead::Action,
            (None, _, Some(Severity::Critical)) => Lead::Severity,
            (None, ..) => Lead::Organization,
        }
    }

    /// The values of ?2 to ?15 in the statements of `store/mod.rs`.
    pub fn args(&self) -> Result<[Arg; 14], ApiError> {
        let text = |text: &Option<String>| Arg::from(text.as_deref());
        let actions = match self.actions.is_empty() {
            true => None,
            false => Some(serde_json::to_string(&self.actions).map_err(ApiError::internal)?),
        };
        // An id has 24 digits, so no number is one.
        let int_id = self.user.as_deref().and_then(|user| user.parse::<i64>().ok());
        let severity = self.severity.map(severity::args).transpose()?;
        let [these, status, but_these] = severity.unwrap_or([Arg::Null, Arg::Null, Arg::Null]);
        Ok([
            text(&self.user),
            int_id.into(),
            actions.into(),
            text(&self.from),
            text(&self.until),
            text(&self.username),
            text(&self.resource),
            text(&self.status),
            text(&self.source),
            text(&self.machine),
            text(&self.text),
            these,
            status,
            but_these,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded_and_fall_back() {
        let page = |page: &str, limit: &str, per_page: &str| {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            LogQuery {
                page: given(page),
                limit: given(limit),
                per_page: given(per_page),
                ..LogQuery::default()
            }
            .page()
        };
        assert_eq!(page("", "", ""), (1, 50));
        assert_eq!(page("3", "20", ""), (3, 20));
        assert_eq!(page("3", "", "20"), (3, 20));
        assert_eq!(page("0", "0", ""), (1, 50));
        assert_eq!(page("x", "-1", "x"), (1, 50));
        assert_eq!(page("2", "200", ""), (2, 200));
        assert_eq!(page("2", "201", ""), (2, 50));
        assert_eq!(page("18446744073709551615", "1", ""), (MAX_PAGE, 1));
    }

    #[test]
    fn a_date_covers_its_whole_day_and_a_time_its_instant() {
        let range = |from: &str, to: &str| {
            let query = LogQuery {
                from: Some(from.into()),
                to: Some(to.into()),
                ..LogQuery::default()
            };
            query
                .filter()
                .map(|filter| (filter.from.unwrap(), filter.until.unwrap()))
        };
        assert_eq!(
            range("2026-01-02", "2026-01-02").unwrap(),
            (
                "2026-01-02T00:00:00.000Z".to_owned(),
                "2026-01-03T00:00:00.000Z".to_owned()
            )
        );
        assert_eq!(
            range("2026-01-02T01:00:00+01:00", "2026-01-02T00:00:00Z").unwrap(),
            (
                "2026-01-02T00:00:00.000Z".to_owned(),
                "2026-01-02T00:00:00.001Z".to_owned()
            )
        );
        for instant in ["2026-01-02T12:00", "2026-01-02 12:00:00Z", "2026-01-02t12:00:00z"] {
            let (from, until) = range(instant, instant).unwrap();
            assert_eq!(from, "2026-01-02T12:00:00.000Z", "{instant}");
            assert_eq!(until, "2026-01-02T12:00:00.001Z", "{instant}");
        }
        for (from, to, field) in [("soon", "2026-01-02", "from"), ("2026-01-02", "later", "to")] {
            let error = format!("{:?}", range(from, to).unwrap_err());
            assert!(error.contains(&format!("field: \"{field}\"")), "{error}");
        }
        let last = "+262142-12-31T23:59:59.999Z";
        assert!(range("2026-01-02", last).is_err(), "no time lies behind the last");
    }

    #[test]
    fn the_words_of_other_programs_are_understood() {
        assert_eq!(meant("connect".into()), ["machine_access"]);
        assert_eq!(meant("login".into()), ["login"]);
        assert_eq!(meant("delete".into()).len(), 3);
        let known = |word: &str| crate::audit::Action::ALL.iter().any(|action| action.as_str() == word);
        assert!(
            ALIASES
                .iter()
                .all(|(alias, words)| !known(alias) && words.iter().all(|word| known(word)))
        );
    }

    #[test]
    fn what_is_too_long_is_refused_by_field() {
        let query = LogQuery {
            q: Some("x".repeat(201)),
            ..LogQuery::default()
        };
        assert!(format!("{:?}", query.filter().unwrap_err()).contains("field: \"q\""));
    }

    #[test]
    fn an_unknown_severity_is_refused_by_field() {
        let query = |word: &str| LogQuery {
            severity: Some(word.to_owned()),
            ..LogQuery::default()
        };
        assert_eq!(query("critical").filter().unwrap().severity, Some(Severity::Critical));
        assert_eq!(query("").filter().unwrap().severity, None);
        let error = format!("{:?}", query("loud").filter().unwrap_err());
        assert!(error.contains("field: \"severity\""), "{error}");
    }
}
