//! How the product is called here, and what it looks like.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};

/// Longest part of the name, in characters: both stand in the header.
pub const MAX_NAME_PART: usize = 30;

/// Longest address of a picture, in characters.
pub const MAX_PICTURE: usize = 2048;

/// How long a terminal may go unused, in minutes.
pub const IDLE_MINUTES: std::ops::RangeInclusive<u32> = 1..=240;

/// How the product is called here. A picture or colour that is empty is as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Branding {
    /// The picture beside the name: an `https` address, or a path of this server.
    pub logo_url: String,
    /// The picture of the browser's tab.
    pub favicon_url: String,
    /// The first part of the name.
    pub name_part1: String,
    /// Its colour, such as `#0a7f5a`.
    pub name_part1_color: String,
    /// The second part of the name.
    pub name_part2: String,
    /// Its colour.
    pub name_part2_color: String,
    /// A colour for clients that have themes made of one.
    pub default_theme_color: String,
    /// When that changed last.
    pub default_theme_color_updated_at: Option<DateTime<Utc>>,
    /// After how many minutes without a key clients may leave a terminal. The server itself goes by what an organization says.
    pub terminal_idle_timeout_minutes: u32,
    /// When any of it changed last.
    pub updated_at: Option<DateTime<Utc>>,
}

/// What to change of it. What is absent stays; a picture or colour that is empty is as it comes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateBranding {
    /// An `https` address, or a path of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 2048,
        pattern = "^(https://[!#-.0-;=?-Z\\[\\]_a-z~][!#-;=?-Z\\[\\]_a-z~]*|/([!#-.0-;=?-Z\\[\\]_a-z~][!#-;=?-Z\\[\\]_a-z~]*)?)?$"
    )]
    pub logo_url: Option<String>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 2048,
        pattern = "^(https://[!#-.0-;=?-Z\\[\\]_a-z~][!#-;=?-Z\\[\\]_a-z~]*|/([!#-.0-;=?-Z\\[\\]_a-z~][!#-;=?-Z\\[\\]_a-z~]*)?)?$"
    )]
    pub favicon_url: Option<String>,
    /// The first part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 30, format = "line")]
    pub name_part1: Option<String>,
    /// `#` and six hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 7, pattern = "^(#[0-9A-Fa-f]{6})?$")]
    pub name_part1_color: Option<String>,
    /// The second part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 30, format = "line")]
    pub name_part2: Option<String>,
    /// `#` and six hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 7, pattern = "^(#[0-9A-Fa-f]{6})?$")]
    pub name_part2_color: Option<String>,
    /// `#` and six hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 7, pattern = "^(#[0-9A-Fa-f]{6})?$")]
    pub default_theme_color: Option<String>,
    /// Minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 240)]
    pub terminal_idle_timeout_minutes: Option<u32>,
}

/// Whether a text is the address of a picture that a page may show: `https`, or a path of this server.
fn is_picture(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
    let own = text.starts_with('/') && !text.starts_with("//");
    let elsewhere = text
        .strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    text.is_empty() || (text.len() <= MAX_PICTURE && plain && (own || elsewhere))
}

fn is_color(text: &str) -> bool {
    let digits = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
    text.is_empty() || text.strip_prefix('#').is_some_and(digits)
}

impl Validate for UpdateBranding {
    fn validate(&self, faults: &mut Faults) {
        for (field, text) in [("logo_url", &self.logo_url), ("favicon_url", &self.favicon_url)] {
            faults.check(
                text.as_deref().is_none_or(is_picture),
                field,
                format!("must be an https address or a path of this server, of at most {MAX_PICTURE} characters"),
            );
        }
        for (field, text) in [("name_part1", &self.name_part1), ("name_part2", &self.name_part2)] {
            faults.line(field, text.as_deref().unwrap_or_default(), 0, MAX_NAME_PART);
        }
        for (field, text) in [
            ("name_part1_color", &self.name_part1_color),
            ("name_part2_color", &self.name_part2_color),
            ("default_theme_color", &self.default_theme_color),
        ] {
            faults.check(
                text.as_deref().is_none_or(is_color),
                field,
                "must be # and six hex digits",
            );
        }
        if let Some(minutes) = self.terminal_idle_timeout_minutes {
            let (first, last) = (IDLE_MINUTES.start(), IDLE_MINUTES.end());
            faults.check(
                IDLE_MINUTES.contains(&minutes),
                "terminal_idle_timeout_minutes",
                format!("must be {first} to {last}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields as fields;

    #[test]
    fn what_a_page_would_not_show_safely_is_refused() {
        let text = r##"{"logo_url":"http://a/b.png","favicon_url":"//a/b.png","name_part1":"a\nb","name_part1_color":"red",
            "name_part2_color":"#12345g","default_theme_color":"#1234567","terminal_idle_timeout_minutes":241}"##;
        let expected = [
            "logo_url",
            "favicon_url",
            "name_part1",
            "name_part1_color",
            "name_part2_color",
            "default_theme_color",
            "terminal_idle_timeout_minutes",
        ];
        assert_eq!(fields::<UpdateBranding>(text), expected);
        for bad in [
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "https://",
            "https:///x",
            "/a b",
            "/a\"b",
            "a.png",
        ] {
            assert!(!is_picture(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_empty_or_absent_is_accepted() {
        assert!(fields::<UpdateBranding>("{}").is_empty());
        let text = r##"{"logo_url":"","favicon_url":"/favicon.svg","name_part1":"","name_part1_color":"","name_part2":"Cloud",
            "name_part2_color":"#0A7f5a","terminal_idle_timeout_minutes":1}"##;
        assert!(fields::<UpdateBranding>(text).is_empty());
        assert!(is_picture("https://example.com/a.png?x=1") && is_picture("/api/community/images/0a.png"));
    }
}
