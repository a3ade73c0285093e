//! SQL of the name and the look.
use protocol::api::branding::UpdateBranding;
use serde_json::json;

use crate::http::json_text::BodyRow;
use crate::platform::db::{Query, statements};
use crate::platform::error::ApiError;

statements! {
    FIND = "SELECT body FROM branding WHERE one = 1";

    SAVE = "INSERT INTO branding (one, body) VALUES (1, json_patch(?1, ?2))
         ON CONFLICT (one) DO UPDATE SET body = json_patch(body, ?2) RETURNING body";
}

/// How it comes.
pub const AS_IT_COMES: &str = r#"{"logo_url":"","favicon_url":"","name_part1":"VSAY","name_part1_color":"","name_part2":"Edge","name_part2_color":"","default_theme_color":"","default_theme_color_updated_at":null,"terminal_idle_timeout_minutes":2,"updated_at":null}"#;

/// The row, if anybody has said anything.
pub fn find() -> Query<BodyRow> {
    Query::new(FIND, [])
}

/// Changes what is said, and gives all of it.
pub fn save(change: &UpdateBranding, now: &str) -> Result<Query<BodyRow>, ApiError> {
    let mut patch = serde_json::to_value(change).map_err(ApiError::internal)?;
    if let Some(fields) = patch.as_object_mut() {
        if change.default_theme_color.is_some() {
            fields.insert("default_theme_color_updated_at".to_owned(), json!(now));
        }
        fields.insert("updated_at".to_owned(), json!(now));
    }
    Ok(Query::new(SAVE, [AS_IT_COMES.into(), patch.to_string().into()]))
}

#[cfg(test)]
mod tests {
    use protocol::api::branding::Branding;

    use super::*;
    use crate::testing::{TestDb, published};

    #[test]
    fn what_is_not_named_stays_and_what_is_empty_is_as_it_comes() {
        let db = TestDb::new();
        let comes: Branding = published(AS_IT_COMES);
        assert!(db.run(find()).is_empty());
        let saved = |text: &str, now: &str| -> Branding {
            let change = serde_json::from_str(text).unwrap();
            let body = db.run(save(&change, now).unwrap()).remove(0).body;
            assert_eq!(db.run(find())[0].body, body);
            published(&body)
        };
        let first = "2026-01-01T00:00:00Z";
        let named = saved(r##"{"name_part1":"Acme","default_theme_color":"#0a7f5a"}"##, first);
        let wanted = Branding {
            name_part1: "Acme".into(),
            default_theme_color: "#0a7f5a".into(),
            default_theme_color_updated_at: first.parse().ok(),
            updated_at: first.parse().ok(),
            ..comes
        };
        assert_eq!(named, wanted);
        let second = "2026-01-02T00:00:00Z";
        let wanted = Branding {
            name_part1: String::new(),
            terminal_idle_timeout_minutes: 30,
            updated_at: second.parse().ok(),
            ..wanted
        };
        assert_eq!(
            saved(r#"{"name_part1":"","terminal_idle_timeout_minutes":30}"#, second),
            wanted
        );
    }
}
