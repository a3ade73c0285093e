//! How the product is called here, for what the server itself writes to people: `features/branding` has who says it.
use std::borrow::Cow;

use serde::Deserialize;
use worker::Env;

use super::db::{Db, Query, statements};
use super::error::ApiError;
use super::log;

/// How it is called where nobody has said anything.
const AS_IT_COMES: &str = "VSAY Edge";

/// Stands for the name in words that are written before it is known. It is a control character (`SUB`), which no name of a person or a thing
/// has when it comes into such words.
pub const NAME: &str = "\u{1a}";

/// The least contrast of text that WCAG asks for.
const ENOUGH: f32 = 4.5;

statements! {
    FIND = "SELECT body ->> 'name_part1' AS first, body ->> 'name_part1_color' AS first_color, body ->> 'name_part2' AS second,
           body ->> 'name_part2_color' AS second_color, body ->> 'default_theme_color' AS color FROM branding WHERE one = 1";
}

#[derive(Debug, Deserialize)]
struct Row {
    first: String,
    first_color: String,
    second: String,
    second_color: String,
    color: String,
}

fn find() -> Query<Row> {
    Query::new(FIND, [])
}

/// A colour, in the only form in which it comes into a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// `#` and six hex digits.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = digits.bytes().try_fold(0_u32, |number, digit| {
            Some(number << 4 | char::from(digit).to_digit(16)?)
        })?;
        let [_, rgb @ ..] = number.to_be_bytes();
        Some(Self(rgb))
    }

    /// As a style sheet has it.
    pub fn css(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Whether it can be read on white, and white on it. Light is taken as the square of a channel, which is a little more than there is: so
    /// this is never kinder than WCAG.
    pub fn is_readable_on_white(self) -> bool {
        let [red, green, blue] = self.0.map(|channel| (f32::from(channel) / 255.0).powi(2));
        let light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        1.05 / (light + 0.05) >= ENOUGH
    }
}

/// The name, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The parts of the name, each with its colour. There is at least one.
    parts: Vec<(String, Option<Color>)>,
    /// Behind what is to be pressed.
    pub color: Option<Color>,
}

impl Brand {
    /// What was said here. A letter without the name is better than none: where it cannot be read, it is as it comes.
    pub async fn find(env: &Env) -> Self {
        let rows = match Db::new(env) {
            Ok(db) => db.run(find()).await.map_err(ApiError::from),
            Err(error) => Err(error),
        };
        let rows = rows.inspect_err(|error| log::error(&format!("the product's name cannot be read: {error:?}")));
        rows.map_or_else(|_| Self::of(None), |rows| Self::of(rows.into_iter().next()))
    }

    fn of(row: Option<Row>) -> Self {
        let said = row.map(|row| {
            let parts = [(row.first, row.first_color), (row.second, row.second_color)];
            (
                parts.map(|(text, color)| (on_one_line(&text), Color::parse(&color))),
                Color::parse(&row.color),
            )
        });
        let (parts, color) = said.map_or((Vec::new(), None), |(parts, color)| (parts.into(), color));
        let mut parts: Vec<_> = parts.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        if parts.is_empty() {
            parts.push((AS_IT_COMES.to_owned(), None));
        }
        Self { parts, color }
    }

    /// How the product is called.
    pub fn name(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|(text, _)| text.as_str()).collect();
        parts.join(" ")
    }

    /// The parts of the name, if somebody has chosen it or a colour of it.
    pub fn own(&self) -> Option<&[(String, Option<Color>)]> {
        let colored = self.parts.iter().any(|(_, color)| color.is_some());
        (colored || self.name() != AS_IT_COMES).then_some(self.parts.as_slice())
    }

    /// Words with the name where [`NAME`] stands for it.
    pub fn named<'a>(&self, words: &'a str) -> Cow<'a, str> {
        match words.contains(NAME) {
            true => words.replace(NAME, &self.name()).into(),
            false => words.into(),
        }
    }
}

/// A part of the name as it comes into headers: whatever the database has, one line.
fn on_one_line(text: &str) -> String {
    let line: String = text.chars().filter(|c| !c.is_control()).collect();
    line.trim().to_owned()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::testing::TestDb;

    /// A brand that somebody has chosen.
    pub fn brand(first: &str, second: &str, color: &str) -> Brand {
        Brand::of(Some(Row {
            first: first.to_owned(),
            first_color: color.to_owned(),
            second: second.to_owned(),
            second_color: String::new(),
            color: color.to_owned(),
        }))
    }

    /// What it is where nobody has.
    pub fn as_it_comes() -> Brand {
        Brand::of(None)
    }

    #[test]
    fn it_is_as_it_comes_until_somebody_says_otherwise() {
        let db = TestDb::new();
        let found = || Brand::of(db.run(find()).into_iter().next());
        assert_eq!((found(), found().own()), (as_it_comes(), None));
        let save = |body: &str| db.execute(&format!("INSERT OR REPLACE INTO branding VALUES (1, '{body}')"));
        let with = |first: &str, second: &str| {
            format!(
                r#"{{"name_part1":"{first}","name_part1_color":"","name_part2":"{second}","name_part2_color":"","default_theme_color":""}}"#
            )
        };
        save(&with("VSAY", "Edge"));
        assert_eq!((found().name().as_str(), found().own()), ("VSAY Edge", None));
        save(&with("", ""));
        assert_eq!(found(), as_it_comes());
        save(&with("Acme", ""));
        assert!(found().name() == "Acme" && found().own().is_some());
    }

    #[test]
    fn a_name_is_one_line_whatever_was_stored() {
        let hostile = brand("Acme\r\nBcc: eve@example.org", "\u{1a} ", "");
        assert_eq!(hostile.name(), "AcmeBcc: eve@example.org");
        assert_eq!(
            hostile.named("Welcome to \u{1a}"),
            "Welcome to AcmeBcc: eve@example.org"
        );
        assert_eq!(hostile.named("Hello ann,"), "Hello ann,");
    }

    #[test]
    fn a_colour_is_six_digits_or_none() {
        assert_eq!(Color::parse("#0A7f5a").map(Color::css).as_deref(), Some("#0a7f5a"));
        for bad in ["", "red", "#fff", "#0a7f5", "#0a7f5a;", "#+a7f5a", "#ü7f5a", "0a7f5a"] {
            assert_eq!(Color::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_what_is_dark_enough_stands_on_white() {
        let readable = |text: &str| Color::parse(text).unwrap().is_readable_on_white();
        assert!(readable("#000000") && readable("#0a5c42") && readable("#1d4ed8"));
        assert!(!readable("#ffffff") && !readable("#7fe0bd") && !readable("#ffd400"));
    }
}
