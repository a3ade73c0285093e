//! Things as rows of a table: a column for each field of their type.
use std::borrow::Cow;

use protocol::api::inventory::types::Definition;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::shown;
use crate::features::inventory::row::Exported;
use crate::http::export::Row;

/// What every row has, whatever its type. A field of such a name is told from it.
const OWN: [&str; 3] = ["id", "name", "tags"];

/// The fields in columns.
#[derive(Debug, Clone)]
pub struct Columns(Vec<Column>);

#[derive(Debug, Clone)]
struct Column {
    name: String,
    field: String,
}

impl Columns {
    /// Those of a type. What people call a thing is its field `name`, where it has one.
    pub fn of(definition: &Definition) -> Self {
        let fields = shown(definition).filter(|field| field.name != "name");
        let columns = fields.map(|field| Column {
            name: match OWN.contains(&field.name.as_str()) {
                true => format!("data.{}", field.name),
                false => field.name.clone(),
            },
            field: field.name.clone(),
        });
        Self(columns.collect())
    }

    /// What all columns are called.
    pub fn names(&self) -> Vec<String> {
        let fields = self.0.iter().map(|column| column.name.clone());
        let first = ["id", "name"].into_iter().map(str::to_owned);
        first.chain(fields).chain(["tags".to_owned()]).collect()
    }

    /// A thing in them.
    pub fn row(&self, thing: Exported) -> ThingRow {
        let Exported {
            id,
            name,
            mut data,
            tags,
        } = thing;
        let values = self.0.iter();
        let values = values.map(|column| (column.name.clone(), data.remove(&column.field).unwrap_or(Value::Null)));
        ThingRow {
            id,
            name,
            values: values.collect(),
            tags,
        }
    }
}

/// A thing as a row.
#[derive(Debug)]
pub struct ThingRow {
    id: i64,
    name: String,
    values: Vec<(String, Value)>,
    tags: Vec<String>,
}

impl Serialize for ThingRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len() + OWN.len()))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("name", &self.name)?;
        for (name, value) in &self.values {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("tags", &self.tags)?;
        map.end()
    }
}

impl Row for ThingRow {
    fn number(&self) -> i64 {
        self.id
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let mut cells: Vec<Cow<'_, str>> = vec![self.id.to_string().into(), self.name.as_str().into()];
        cells.extend(self.values.iter().map(|(_, value)| cell(value)));
        cells.push(self.tags.join(", ").into());
        cells
    }
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => "".into(),
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_has_the_fields_of_its_type_and_no_secret() {
        let definition: Definition = serde_json::from_value(json!({"label": "Box", "fields": [
            {"name": "zone", "type": "string"}, {"name": "name", "type": "string"}, {"name": "key", "type": "secret"},
            {"name": "tags", "type": "json"}, {"name": "on", "type": "boolean"}
        ]}))
        .unwrap();
        let columns = Columns::of(&definition);
        assert_eq!(columns.names(), ["id", "name", "zone", "data.tags", "on", "tags"]);
        let data = json!({"zone": "eu", "name": "web", "key": "••••••••", "tags": ["a"], "unknown": "kept for itself"});
        let row = columns.row(Exported {
            id: 7,
            name: "web".to_owned(),
            data: data.as_object().unwrap().clone(),
            tags: vec!["one".to_owned(), "two".to_owned()],
        });
        assert_eq!(row.cells(), ["7", "web", "eu", "[\"a\"]", "", "one, two"]);
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"id":7,"name":"web","zone":"eu","data.tags":["a"],"on":null,"tags":["one","two"]}"#
        );
    }
}
