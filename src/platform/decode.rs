//! Decodes bodies, and says what in them does not fit.
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Takes objects only. Derived decoders also take an array for the fields in order, which nobody means and which would be
/// compiled once more for each of them.
pub struct Object<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Object<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What leads to the value at which the decoder of `json` gave up: `tags[1]`, or nothing if that was the whole.
pub fn path(json: &[u8], error: &serde_json::Error) -> String {
    let lines_before = error.line().saturating_sub(1);
    let lines = json.split_inclusive(|&byte| byte == b'\n').take(lines_before);
    let end = lines.map(<[u8]>::len).sum::<usize>() + error.column();
    let mut path = String::new();
    for step in steps(json.get(..end).unwrap_or(json)) {
        match step {
            Step::Item(index) => path.push_str(&format!("[{index}]")),
            Step::Field(name) => {
                let dot = if path.is_empty() { "" } else { "." };
                path.extend([dot, &String::from_utf8_lossy(name)]);
            }
        }
    }
    path
}

/// Which part of an object or array.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// The one of this name; none yet, if it is empty.
    Field(&'a [u8]),
    /// The one at this index.
    Item(usize),
}

/// The way to the value that began last in `json`, which may break off after any value.
fn steps(json: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    // How many of the steps are into what is still open. What is closed stays until its neighbour begins: some decoders
    // look at a value only when they have all of it.
    let mut open = 0_usize;
    let mut rest = json;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'{' => {
                steps.truncate(open);
                steps.push(Step::Field(b""));
                open += 1;
            }
            b'[' => {
                steps.truncate(open);
                steps.push(Step::Item(0));
                open += 1;
            }
            b'}' | b']' => open = open.saturating_sub(1),
            b',' => {
                steps.truncate(open);
                match steps.last_mut() {
                    Some(Step::Item(index)) => *index += 1,
                    Some(name) => *name = Step::Field(b""),
                    None => {}
                }
            }
            b'"' => {
                let (text, after) = string(rest);
                rest = after;
                if let Some(name @ Step::Field(b"")) = steps.last_mut() {
                    *name = Step::Field(text);
                }
            }
            _ => {}
        }
    }
    steps.retain(|step| !matches!(step, Step::Field(b"")));
    steps
}

/// A string, as it is written, and what follows it; from behind its first quotation mark.
fn string(json: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = json.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let (text, after) = json.split_at_checked(end.unwrap_or(json.len())).unwrap_or_default();
    (text, after.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code, reason = "only decoded")]
    struct Body {
        name: String,
        tags: Vec<String>,
        id: Option<protocol::ids::ObjectId>,
        #[serde(rename = "\"\\")]
        odd: u8,
        inner: Option<Box<Body>>,
        list: Vec<Body>,
    }

    fn misfit(json: &str) -> String {
        path(json.as_bytes(), &decoded(json).unwrap_err())
    }

    fn decoded(json: &str) -> serde_json::Result<Body> {
        Body::deserialize(Object(&mut serde_json::Deserializer::from_str(json)))
    }

    #[test]
    fn the_path_leads_to_the_value_that_does_not_fit() {
        for (json, path) in [
            (r#"{"name":5}"#, "name"),
            (r#"{"name":"a","tags":["x",5]}"#, "tags[1]"),
            (r#"{"tags":["x",["y"]]}"#, "tags[1]"),
            ("{\"tags\":\n[\"x\", \"y\",\r\n\n {}]}", "tags[2]"),
            (r#"{"other":{"a":[1,{"b":[]}]},"name":{}}"#, "name"),
            (r#"{"tags":["]","}","\"","\\"],"name":[]}"#, "name"),
            (
                r#"{"inner":{"name":"n"},"list":[{},{"tags":[]},{"inner":{"name":true}}]}"#,
                "list[2].inner.name",
            ),
            (r#"{"list":[[5]]}"#, "list[0][0]"),
            (r#"{"id":"no id"}"#, "id"),
            (r#"{"id": "no id" , "name":"n"}"#, "id"),
            (r#"{"name":"","id":5}"#, "id"),
            (r#"{"ü":1,"name":1}"#, "name"),
        ] {
            assert_eq!(misfit(json), path, "{json}");
        }
    }

    #[test]
    fn what_is_no_object_does_not_fit_as_a_whole() {
        for json in ["[]", " [\"a\"]", "5", "null", "\"{}\"", "true"] {
            assert_eq!(misfit(json), "", "{json}");
        }
    }

    #[test]
    fn the_fields_of_an_object_are_decoded() {
        let body = decoded(r#"{"name":"a","tags":["x"],"inner":{"name":"b"}}"#).unwrap();
        assert_eq!((body.name.as_str(), body.tags.as_slice()), ("a", &["x".to_owned()][..]));
        assert_eq!(body.inner.unwrap().name, "b");
    }
}
