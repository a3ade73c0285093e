//! The fields of a request's body. What is checked here has another name in what is asked, or no place there; the rest is checked by
//! what is asked.
use serde_json::{Map, Value};

use crate::platform::error::ApiError;

/// What a body has. `null` counts as absent.
pub struct Fields(pub Map<String, Value>);

impl Fields {
    /// A field, if it is there.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::invalid_field(name, "must be a text")),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name)?
            .ok_or_else(|| ApiError::invalid_field(name, "is required"))
    }

    /// A list of at most `most`, empty if it is not there.
    pub fn list(&self, name: &str, most: usize) -> Result<&[Value], ApiError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(list)) if list.len() <= most => Ok(list),
            Some(Value::Array(_)) => Err(ApiError::invalid_field(
                name,
                format!("must have at most {most} entries"),
            )),
            Some(_) => Err(ApiError::invalid_field(name, "must be a list")),
        }
    }

    /// Refuses fields that have no place here.
    pub fn refuse(&self, names: &[&str], why: &str) -> Result<(), ApiError> {
        match names.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(ApiError::invalid_field(name, why)),
            None => Ok(()),
        }
    }

    /// The fields that are there, of those that are named: by their names here and in what is asked.
    pub fn pick(&self, names: &[(&str, &str)]) -> Map<String, Value> {
        let found = names
            .iter()
            .filter_map(|(there, here)| Some(((*there).to_owned(), self.get(here)?.clone())));
        found.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_field_is_there_or_not_and_of_its_kind_or_named() {
        let body = fields(json!({"name": "a", "none": null, "port": 22, "tags": ["a", "b"]}));
        assert_eq!(body.text("name").unwrap(), Some("a"));
        assert_eq!(body.text("none").unwrap(), None);
        assert_eq!(body.text("port").unwrap_err().text(), "port must be a text");
        assert_eq!(body.required("none").unwrap_err().text(), "none is required");
        assert_eq!(body.list("tags", 2).unwrap().len(), 2);
        assert_eq!(body.list("none", 2).unwrap().len(), 0);
        assert_eq!(
            body.list("tags", 1).unwrap_err().text(),
            "tags must have at most 1 entries"
        );
        assert_eq!(body.list("port", 1).unwrap_err().text(), "port must be a list");
    }

    #[test]
    fn what_has_no_place_is_refused_by_name_and_the_rest_is_renamed() {
        let body = fields(json!({"slug": "a", "plan": null, "name": "b"}));
        assert!(body.refuse(&["plan"], "there are none").is_ok());
        assert_eq!(
            body.refuse(&["plan", "slug"], "stays").unwrap_err().text(),
            "slug stays"
        );
        let picked = body.pick(&[("display_name", "name"), ("x", "plan"), ("y", "absent")]);
        assert_eq!(Value::Object(picked), json!({"display_name": "b"}));
    }
}
