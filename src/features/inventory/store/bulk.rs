//! SQL that writes many things at once: what comes from somewhere by itself. They travel as JSON, some at a time.
use std::mem::take;

use protocol::api::inventory::objects::MAX_OBJECTS;
use protocol::ids::ObjectId;
use serde_json::json;

use crate::features::inventory::row::Number;
use crate::features::inventory::value::Checked;
use crate::platform::db::{Arg, Query, statements};

/// How much of it a statement takes, in bytes: half of what D1 binds.
const MAX_PART: usize = 1_000_000;

statements! {
    /// Makes things (?1) of a type (?3) that come from somewhere (?6), as far as there is room for more (?7), but for those whose key (?5: its
    /// field, if there is one) another has meanwhile. Numbers are taken where somebody else was quicker.
    ADD = "INSERT INTO inventory_objects (id, organization_id, type_id, name, data, secrets, search, created_at, updated_at, source)
         SELECT v.value ->> 'id', ?2, ?3, v.value ->> 'name', v.value ->> 'data', v.value ->> 'secrets', v.value ->> 'search', ?4, ?4, ?6
         FROM json_each(?1) v
         WHERE NOT EXISTS (SELECT 1 FROM inventory_values x WHERE x.type_id = ?3 AND x.field = ?5 AND x.value = v.value ->> 'key')
         LIMIT max(0, ?7 - (SELECT SUM(t.object_count) FROM inventory_types t WHERE t.organization_id = ?2)) RETURNING id";

    /// Makes things (?1) what somewhere (?4) says that they are, unless somebody has changed them since they were read.
    CHANGE = "UPDATE inventory_objects SET name = v.value ->> 'name', data = v.value ->> 'data', secrets = v.value ->> 'secrets',
           search = v.value ->> 'search', updated_at = ?3, source = COALESCE(source, ?4)
         FROM json_each(?1) v
         WHERE inventory_objects.id = v.value ->> 'id' AND inventory_objects.organization_id = ?2
           AND inventory_objects.updated_at = v.value ->> 'read_at' RETURNING id";
}

/// Whose things these are, and where they come from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub organization: &'a ObjectId,
    pub type_id: i64,
    /// The field by which they are known, if that is one by which things are known at all.
    pub key_field: Option<&'a str>,
    pub source: &'a str,
    pub now: &'a str,
}

/// A thing that is to be there, or to be another.
#[derive(Debug)]
pub struct Entry {
    pub id: i64,
    /// By what it is known where it comes from.
    pub key: String,
    /// When the thing that is there was changed last; nothing of a new one.
    pub read_at: Option<String>,
    pub checked: Checked,
}

/// Makes new things and changes others. Each gives the numbers of those it wrote.
pub fn write(origin: Origin<'_>, entries: &[Entry]) -> Vec<Query<Number>> {
    let (new, known): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.read_at.is_none());
    let add = parts(&new).into_iter().map(|part| {
        let args: [Arg; 7] = [
            part.into(),
            origin.organization.into(),
            origin.type_id.into(),
            origin.now.into(),
            origin.key_field.into(),
            origin.source.into(),
            MAX_OBJECTS.into(),
        ];
        Query::new(ADD, args)
    });
    let change = parts(&known).into_iter().map(|part| {
        let args: [Arg; 4] = [
            part.into(),
            origin.organization.into(),
            origin.now.into(),
            origin.source.into(),
        ];
        Query::new(CHANGE, args)
    });
    add.chain(change).collect()
}

/// They as JSON arrays of [`MAX_PART`] each, if none is larger.
fn parts(entries: &[&Entry]) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    for entry in entries {
        let Entry {
            id,
            key,
            read_at,
            checked,
        } = entry;
        let text = json!({"id": id, "key": key, "read_at": read_at, "name": checked.name, "data": checked.data, "secrets": checked.secrets,
            "search": checked.search});
        let text = text.to_string();
        if !part.is_empty() && part.len() + text.len() > MAX_PART {
            parts.push(format!("[{}]", take(&mut part)));
        }
        if !part.is_empty() {
            part.push(',');
        }
        part.push_str(&text);
    }
    if !part.is_empty() {
        parts.push(format!("[{part}]"));
    }
    parts
}
