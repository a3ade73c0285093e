//! Reads what stands behind the `?` of an address. The framework's own way there notes the path to each value as it goes, compiled once more
//! for each type: 10 kB of the Worker. Here the parameter to blame is looked for once there is one.
use form_urlencoded::parse;
use serde::de::DeserializeOwned;

use crate::platform::error::ApiError;

/// What the decoder says of a field that is not there.
const MISSING: &str = "missing field `";

/// The parameters of a query, each of which may be given once.
pub fn read<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let decode = |query: &str| serde_urlencoded::from_str::<T>(query).map_err(|error| error.to_string());
    decode(query).map_err(|fault| misfit(query, &fault, &|one| decode(one).err()))
}

/// What is wrong with a query, in our words. `alone` says what is wrong with one parameter of it.
fn misfit(query: &str, fault: &str, alone: &dyn Fn(&str) -> Option<String>) -> ApiError {
    let named = |before: &str| fault.strip_prefix(before)?.strip_suffix('`');
    if let Some(name) = named("duplicate field `") {
        return ApiError::invalid_field(name, "must be given once");
    }
    if let Some(name) = named(MISSING) {
        return ApiError::invalid_field(name, "is required");
    }
    // Such as a number that is none.
    let is_wrong = |one: &&str| alone(one).is_some_and(|fault| !fault.starts_with(MISSING));
    let wrong = query.split('&').find(is_wrong).unwrap_or_default();
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match parse(wrong.as_bytes()).next() {
        Some((name, _)) if is_name(&name) => ApiError::invalid_field(&name, "has the wrong form"),
        _ => ApiError::bad_request("The query is malformed"),
    }
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
        for wrong in ["page=x", "page=", "page=-1", "page=%ff", "q=a&page=x&q=b"] {
            assert_eq!(said(wrong).as_deref(), Some("page has the wrong form"), "{wrong}");
        }
        assert_eq!(said("order=oldest").as_deref(), Some("order has the wrong form"));
        assert_eq!(said("all=1").as_deref(), Some("all has the wrong form"));
        let missing = read::<Needed>("other=1").unwrap_err();
        assert_eq!(missing.text(), "code is required");
    }
}
