use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::ids::ObjectId;

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Body {
    name: String,
    port: Option<u16>,
    #[serde(default)]
    load: f64,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    kind: Kind,
    #[serde(default, rename = "\"\\")]
    odd: u8,
    #[serde(default)]
    id: Option<ObjectId>,
    #[serde(default)]
    inner: Option<Box<Body>>,
    #[serde(default)]
    list: Vec<Body>,
    #[serde(default)]
    map: BTreeMap<String, (u8, bool)>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Small,
    Named(String),
    Sized {
        width: u8,
        height: Option<u8>,
    },
    Pair(u8, u8),
}

fn named(name: &str) -> Body {
    Body {
        name: name.to_owned(),
        ..Body::default()
    }
}

fn said(json: &str) -> String {
    from_str::<Body>(json).unwrap_err().to_string()
}

#[test]
fn fields_are_found_by_name_in_any_order() {
    let body = Body {
        port: Some(22),
        load: 0.5,
        tags: vec!["x".to_owned()],
        ..named("a\"b")
    };
    for json in [
        r#"{"name":"a\"b","port":22,"load":0.5,"tags":["x"]}"#,
        r#"{"more":{"name":[]},"tags":["x"],"load":0.5,"port":22,"name":"a\"b"}"#,
    ] {
        assert_eq!(from_str::<Body>(json).unwrap(), body, "{json}");
    }
}

#[test]
fn what_may_be_absent_may_and_what_may_not_is_named() {
    for json in [r#"{"name":"a"}"#, r#"{"name":"a","port":null}"#] {
        assert_eq!(from_str::<Body>(json).unwrap(), named("a"), "{json}");
    }
    assert_eq!(said(r#"{"port":1}"#), "missing field `name`");
    assert_eq!(said(r#"{"name":"a","name":"b"}"#), "duplicate field `name`");
    assert_eq!(
        from_str::<Body>(r#"{"name":"a","more":1,"more":2}"#).unwrap(),
        named("a")
    );
}

#[test]
fn a_list_has_the_fields_in_order_where_nobody_else_has_written_it() {
    let body = Body {
        port: Some(1),
        load: 0.5,
        ..named("a")
    };
    assert_eq!(from_str::<Body>(r#"["a",1,0.5]"#).unwrap(), body);
    assert_eq!(said("[]"), "missing field `name`");
    assert!(from_str::<Body>(r#"["a",1,0.5,[],"small",0,null,null,[],{},1]"#).is_err());
    assert!(explain::<Body>(&Value::parse(br#"["a",1]"#).unwrap()).is_err());
}

#[test]
fn enums_have_what_their_variants_have() {
    for (json, kind) in [
        (r#""small""#, Kind::Small),
        (r#"{"small":null}"#, Kind::Small),
        (r#"{"named":"x"}"#, Kind::Named("x".to_owned())),
        (
            r#"{"sized":{"height":2,"width":1}}"#,
            Kind::Sized {
                width: 1,
                height: Some(2),
            },
        ),
        (r#"{"pair":[1,2]}"#, Kind::Pair(1, 2)),
    ] {
        assert_eq!(from_str::<Kind>(json).unwrap(), kind, "{json}");
    }
    for json in [
        r#""large""#,
        r#""named""#,
        r#"{"small":1}"#,
        r#"{"small":null,"pair":[1,2]}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":[1,2,3]}"#,
        "5",
    ] {
        assert!(from_str::<Kind>(json).is_err(), "{json}");
    }
}

#[test]
fn what_does_not_fit_is_said_with_the_way_to_it() {
    for (json, path, words) in [
        ("[]", "", "invalid type: sequence, expected struct Body"),
        ("5", "", "invalid type: integer `5`, expected struct Body"),
        (r#"{"name":5}"#, "name", "invalid type: integer `5`, expected a string"),
        (r#"{"name":null}"#, "name", "invalid type: null, expected a string"),
        (
            r#"{"name":"","port":70000}"#,
            "port",
            "invalid value: integer `70000`, expected u16",
        ),
        (
            r#"{"name":"","load":"1"}"#,
            "load",
            "invalid type: string \"1\", expected f64",
        ),
        (
            r#"{"name":"","tags":["x",["y"]]}"#,
            "tags[1]",
            "invalid type: sequence, expected a string",
        ),
        (
            r#"{"name":"","tags":"x"}"#,
            "tags",
            "invalid type: string \"x\", expected a sequence",
        ),
        (
            r#"{"name":"","id":"x"}"#,
            "id",
            "id must be 24 lowercase hex characters",
        ),
        (
            r#"{"name":"","inner":{"name":"n"},"list":[{"name":""},{"name":"","inner":{"name":true}}]}"#,
            "list[1].inner.name",
            "invalid type: boolean `true`, expected a string",
        ),
        (
            r#"{"name":"","list":[["x"]]}"#,
            "list[0]",
            "invalid type: sequence, expected struct Body",
        ),
        (
            r#"{"name":"","map":{"ü":[1,true],"b":[1,2]}}"#,
            "map.b[1]",
            "invalid type: integer `2`, expected a boolean",
        ),
        (
            r#"{"name":"","kind":{"sized":{"width":-1}}}"#,
            "kind.sized.width",
            "invalid value: integer `-1`, expected u8",
        ),
    ] {
        let value = Value::parse(json.as_bytes()).unwrap();
        let misfit = explain::<Body>(&value).unwrap_err();
        assert_eq!(
            (misfit.path.as_str(), misfit.error.to_string().as_str()),
            (path, words),
            "{json}"
        );
    }
}

#[test]
fn a_type_may_have_parts_of_which_one_takes_what_is_left() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        total: u64,
        #[serde(flatten)]
        body: Body,
    }
    let whole: Whole = from_str(r#"{"port":1,"total":3,"name":"a","tags":["x"]}"#).unwrap();
    let body = Body {
        port: Some(1),
        tags: vec!["x".to_owned()],
        ..named("a")
    };
    assert_eq!(whole, Whole { total: 3, body });
}

#[test]
fn words_are_read_as_what_they_are_wanted_for() {
    let word = |text: &'static str| Value::Word(text.into());
    assert_eq!(from_value::<u8>(&word("7")).unwrap(), 7);
    assert_eq!(from_value::<i8>(&word("-7")).unwrap(), -7);
    assert!(from_value::<bool>(&word("true")).unwrap());
    assert_eq!(from_value::<String>(&word("7")).unwrap(), "7");
    assert_eq!(from_value::<Option<Kind>>(&word("small")).unwrap(), Some(Kind::Small));
    assert!(from_value::<u8>(&word("256")).is_err() && from_value::<u8>(&word("0.5")).is_err());
    assert!(from_value::<bool>(&word("1")).is_err());
    assert!(from_value::<u8>(&Value::Text("7".into())).is_err());
}
