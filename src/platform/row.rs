//! Decodes rows of D1, which come as one JSON text: a list of objects whose values are plain.
use std::fmt;

use protocol::json::{self, Value};
use serde::Deserializer;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde_json::Error;

/// The rows of a text.
pub fn all<T: DeserializeOwned>(json: &str) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    each(json, &mut |row| {
        rows.push(json::from_value(row)?);
        Ok(())
    })?;
    Ok(rows)
}

/// Hands on one row after the other, so that no more than one is in memory twice.
fn each(json: &str, take: &mut dyn FnMut(&Value<'_>) -> Result<(), Error>) -> Result<(), Error> {
    serde_json::Deserializer::from_slice(json.as_bytes()).deserialize_seq(Rows { take })
}

struct Rows<'f> {
    take: &'f mut dyn FnMut(&Value<'_>) -> Result<(), Error>,
}

impl<'t> Visitor<'t> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(row) = access.next_element::<Value>()? {
            (self.take)(&row).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Machine {
        name: String,
        port: Option<u16>,
    }

    #[test]
    fn a_text_has_as_many_rows_as_there_are() {
        let machine = |name: &str, port| Machine {
            name: name.to_owned(),
            port,
        };
        let json = r#"[{"name":"a\"b","port":22},{"port":null,"name":""}]"#;
        assert_eq!(
            all::<Machine>(json).unwrap(),
            [machine("a\"b", Some(22)), machine("", None)]
        );
        assert_eq!(all::<Machine>("[]").unwrap(), []);
        let error = all::<Machine>(r#"[{"name":"a"},{"port":1}]"#).unwrap_err().to_string();
        assert!(error.contains("missing field `name`"), "{error}");
    }
}
