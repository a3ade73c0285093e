//! Reads what stands behind the `?` of an address.
use form_urlencoded::parse;
use protocol::json::{self, Misfit, Value};
use serde::de::DeserializeOwned;

use crate::platform::error::ApiError;

/// The parameters of a query, each of which may be given once.
pub fn read<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    json::explain(&parameters(query)).map_err(|fault| misfit(&fault))
}

fn parameters(query: &str) -> Value<'_> {
    let pairs = parse(query.as_bytes());
    Value::Object(pairs.map(|(name, value)| (name, Value::Word(value))).collect())
}

/// What is wrong with a query, in our words.
fn misfit(Misfit { error, path }: &Misfit) -> ApiError {
    let fault = error.to_string();
    let named = |before: &str| fault.strip_prefix(before)?.strip_suffix('`');
    if let Some(name) = named("duplicate field `") {
        return ApiError::invalid_field(name, "must be given once");
    }
    if let Some(name) = named("missing field `") {
        return ApiError::invalid_field(name, "is required");
    }
    ApiError::invalid_field(path, "has the wrong form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    struct Asked {
        page: Option<u32>,
        #[serde(default)]
        all: bool,
        q: Option<String>,
        order: Option<Order>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        Newest,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Needed {
        #[allow(dead_code, reason = "only whether it is read is looked at")]
        code: String,
    }

    fn said(query: &str) -> Option<String> {
        read::<Asked>(query).err().map(|error| error.text().to_owned())
    }

    #[test]
    fn parameters_are_read_as_what_they_are() {
        assert_eq!(read::<Asked>("").unwrap(), Asked::default());
        let asked = Asked {
            page: Some(2),
            all: true,
            q: Some("a b&ü".to_owned()),
            order: Some(Order::Newest),
        };
        let query = "page=2&other=%ff&all=true&q=a+b%26%c3%bc&order=newest";
        assert_eq!(read::<Asked>(query).unwrap(), asked);
        assert_eq!(read::<Asked>("q").unwrap().q.as_deref(), Some(""));
    }

    #[test]
    fn what_is_wrong_with_a_query_is_said_by_field_in_our_words() {
        assert_eq!(said("page=1&page=2").as_deref(), Some("page must be given once"));
        assert_eq!(said("q=a&page=x&q=b").as_deref(), Some("q must be given once"));
        for wrong in ["page=x", "page=", "page=-1", "page=%ff"] {
            assert_eq!(said(wrong).as_deref(), Some("page has the wrong form"), "{wrong}");
        }
        assert_eq!(said("order=oldest").as_deref(), Some("order has the wrong form"));
        assert_eq!(said("all=1").as_deref(), Some("all has the wrong form"));
        let missing = read::<Needed>("other=1").unwrap_err();
        assert_eq!(missing.text(), "code is required");
    }
}
