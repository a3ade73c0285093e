//! Which things of a type a list is to have, and in which order.
use form_urlencoded::parse;
use protocol::api::inventory::types::Definition;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use crate::http::page::{Page, PageQuery};
use crate::platform::error::ApiError;

/// Things on a page if nobody says how many (contract), and at most.
const PER_PAGE: u64 = 100;
const MAX_PER_PAGE: u64 = 500;

/// Longest text that is searched for, in characters.
const MAX_SEARCH: usize = 200;

/// Most fields by whose values a list is narrowed.
const MAX_FILTERS: usize = 8;

/// What stands before the name of a field by whose value a list is narrowed.
const FILTER: &str = "f.";

/// Which things. Besides, `f.<field>=<value>` gives those that have a value, for fields that are neither `text`, `json` nor `secret`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ObjectQuery {
    /// Those with this text in a searchable field, in capitals or not.
    #[param(max_length = 200)]
    search: Option<String>,
    /// Those with the tag of this name.
    tag: Option<String>,
    /// By which field they are sorted; `id` if nothing else is said.
    #[param(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,49}$")]
    sort: Option<String>,
    /// `asc` or `desc`. By number the newest come first, by a field the least, if nothing else is said.
    #[param(inline, value_type = Option<Direction>)]
    order: Option<String>,
}

/// Which way something is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "of the API document")]
pub enum Direction {
    /// The least first.
    Asc,
    /// The most first.
    Desc,
}

/// By what things are sorted.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// By their numbers.
    Number { down: bool },
    /// By a field.
    Field { name: String, down: bool },
}

impl Order {
    /// The field.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Number { .. } => None,
            Self::Field { name, .. } => Some(name),
        }
    }

    /// Whether the most come first.
    pub fn is_down(&self) -> bool {
        match self {
            Self::Number { down } | Self::Field { down, .. } => *down,
        }
    }
}

/// What a list is to have.
#[derive(Debug)]
pub struct Wanted {
    /// In small letters.
    pub search: Option<String>,
    pub tag: Option<String>,
    /// Fields with the values that they may have: what stands in an address may be a number, or a truth value.
    pub filters: Vec<(String, Value)>,
    pub order: Order,
    pub page: Page,
}

impl Wanted {
    /// What is asked for, in the query as it was read and as it stands in the address.
    pub fn read(query: ObjectQuery, page: &PageQuery, address: &str) -> Result<Self, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let search = given(query.search).map(|text| text.to_lowercase());
        if search.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            let rule = format!("must have at most {MAX_SEARCH} characters");
            return Err(ApiError::invalid_field("search", rule));
        }
        let down = match query.order.as_deref() {
            None | Some("") => None,
            Some("asc") => Some(false),
            Some("desc") => Some(true),
            Some(_) => return Err(ApiError::invalid_field("order", "must be asc or desc")),
        };
        let order = match given(query.sort) {
            None => Order::Number {
                down: down.unwrap_or(true),
            },
            Some(name) if name == "id" => Order::Number {
                down: down.unwrap_or(true),
            },
            Some(name) => Order::Field {
                name,
                down: down.unwrap_or(false),
            },
        };
        Ok(Self {
            search,
            tag: given(query.tag),
            filters: filters(address)?,
            order,
            page: page.always_of(PER_PAGE, MAX_PER_PAGE),
        })
    }

    /// Whether it has less than all of a type.
    pub fn is_narrowed(&self) -> bool {
        self.search.is_some() || self.tag.is_some() || !self.filters.is_empty()
    }

    /// By which values it is narrowed, as JSON.
    pub fn values(&self) -> String {
        let values: Map<String, Value> = self.filters.iter().cloned().collect();
        Value::Object(values).to_string()
    }

    /// What it is sorted and narrowed by are fields of the type that have an order.
    pub fn check(&self, definition: &Definition) -> Result<(), ApiError> {
        let indexed = |name: &str| definition.field(name).is_some_and(|field| field.r#type.is_indexed());
        if let Some(name) = self.order.field().filter(|name| !indexed(name)) {
            let rule = format!("must be id or a field of the type that has an order, which {name} is not");
            return Err(ApiError::invalid_field("sort", rule));
        }
        match self.filters.iter().find(|(name, _)| !indexed(name)) {
            Some((name, _)) => Err(ApiError::invalid_field(
                &format!("{FILTER}{name}"),
                "must be a field of the type that is neither text, json nor secret",
            )),
            None => Ok(()),
        }
    }
}

/// The fields by whose values a list is narrowed.
fn filters(address: &str) -> Result<Vec<(String, Value)>, ApiError> {
    let mut filters: Vec<(String, Value)> = Vec::new();
    for (name, value) in parse(address.as_bytes()) {
        let Some(field) = name.strip_prefix(FILTER) else {
            continue;
        };
        if filters.iter().any(|(other, _)| other == field) {
            return Err(ApiError::invalid_field(&name, "must be given once"));
        }
        if filters.len() == MAX_FILTERS {
            return Err(ApiError::invalid_field(
                &name,
                format!("must be one of at most {MAX_FILTERS}"),
            ));
        }
        filters.push((field.to_owned(), candidates(&value)));
    }
    Ok(filters)
}

/// The values that a text may stand for.
fn candidates(text: &str) -> Value {
    match (text, text.parse::<i64>()) {
        ("true", _) => json!([text, 1]),
        ("false", _) => json!([text, 0]),
        (_, Ok(number)) => json!([text, number]),
        (_, Err(_)) => json!([text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<Wanted, String> {
        let query = crate::http::query::read(address).unwrap();
        Wanted::read(query, &PageQuery::default(), address).map_err(|error| error.text().to_owned())
    }

    fn definition() -> Definition {
        serde_json::from_value(json!({"label": "Rack", "fields": [
            {"name": "name", "type": "string"}, {"name": "height", "type": "integer"}, {"name": "notes", "type": "text"}
        ]}))
        .unwrap()
    }

    #[test]
    fn nothing_asked_for_is_the_newest_hundred() {
        let wanted = read("search=&tag=&sort=").unwrap();
        assert!(!wanted.is_narrowed() && wanted.order == Order::Number { down: true });
        assert_eq!(wanted.page.window(), (100, 0));
    }

    #[test]
    fn a_list_is_sorted_by_number_or_by_a_field_with_an_order() {
        assert_eq!(read("sort=id&order=asc").unwrap().order, Order::Number { down: false });
        let by = read("sort=height&order=desc").unwrap();
        assert_eq!((by.order.field(), by.order.is_down()), (Some("height"), true));
        assert!(by.check(&definition()).is_ok());
        for wrong in ["sort=notes", "sort=width"] {
            let error = read(wrong).unwrap().check(&definition()).unwrap_err();
            assert!(
                error.text().starts_with("sort must be id or a field"),
                "{}",
                error.text()
            );
        }
        assert_eq!(read("order=up").unwrap_err(), "order must be asc or desc");
    }

    #[test]
    fn a_list_is_narrowed_by_values_whatever_their_type() {
        let wanted = read("f.name=a%26b&f.height=42&page=2").unwrap();
        assert_eq!(wanted.values(), r#"{"height":["42",42],"name":["a&b"]}"#);
        assert!(wanted.is_narrowed() && wanted.check(&definition()).is_ok());
        assert_eq!(candidates("true"), json!(["true", 1]));
        let error = read("f.notes=x").unwrap().check(&definition()).unwrap_err();
        assert!(error.text().starts_with("f.notes must be a field"), "{}", error.text());
        assert_eq!(read("f.a=1&f.a=2").unwrap_err(), "f.a must be given once");
        let many: Vec<String> = (0..9).map(|n| format!("f.x{n}=1")).collect();
        assert_eq!(read(&many.join("&")).unwrap_err(), "f.x8 must be one of at most 8");
    }
}
