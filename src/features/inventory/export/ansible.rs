//! Things as an inventory that Ansible reads: YAML, which is JSON as long as no value looks like a template. Ansible would work out such a
//! value, and somebody else chose the text, so it is marked as one that stays as it is.
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::api::inventory::types::Definition;
use serde_json::Value;

use super::shown;
use crate::features::inventory::row::Exported;
use crate::http::export::{Part, Written};

/// Most memberships of hosts in groups of one file: they come at its end, and are kept until then, in some ten megabytes.
const MAX_MEMBERS: usize = 200_000;

/// Groups that Ansible has itself.
const GROUPS_OF_ANSIBLE: [&str; 2] = ["all", "ungrouped"];

/// How templates begin.
const TEMPLATES: [&str; 3] = ["{{", "{%", "{#"];

/// The variable that says where a host is.
const ADDRESS: &str = "ansible_host";

/// An inventory in the making.
pub struct Inventory {
    fields: Vec<String>,
    /// Which names were given, so that none is given twice.
    names: HashSet<u64>,
    groups: BTreeMap<String, Vec<String>>,
    members: usize,
}

impl Inventory {
    /// One of things of a type.
    pub fn of(definition: &Definition) -> Self {
        Self {
            fields: shown(definition).map(|field| field.name.clone()).collect(),
            names: HashSet::new(),
            groups: BTreeMap::new(),
            members: 0,
        }
    }

    /// The text of some of them.
    pub fn write(&mut self, things: Vec<Exported>, part: Part) -> Written {
        let mut text = String::new();
        let last = things.last().map(|thing| thing.id);
        if part.first {
            text.push_str("{\"all\": {\"hosts\": {");
        }
        for thing in things {
            text.push_str(if self.names.is_empty() { "\n" } else { ",\n" });
            self.host(thing, &mut text)?;
        }
        if part.last {
            self.end(&mut text);
        }
        Ok((text.into_bytes(), last))
    }

    fn host(&mut self, thing: Exported, text: &mut String) -> Result<(), String> {
        let word = |field: &str| {
            let value = thing
                .data
                .get(field)
                .filter(|_| self.fields.iter().any(|name| name == field));
            value.and_then(Value::as_str).filter(|value| !value.is_empty())
        };
        let mut name = host_name(word("hostname").unwrap_or(&thing.name));
        if !self.names.insert(hash(&name)) {
            name = format!("{name}_{}", thing.id);
            self.names.insert(hash(&name));
        }
        let address = word(ADDRESS).or_else(|| word("ip_address"));
        let mut variables: Vec<(&str, &Value)> = Vec::with_capacity(self.fields.len() + 1);
        let address = address.map(Value::from);
        variables.extend(address.as_ref().map(|address| (ADDRESS, address)));
        let fields = self.fields.iter().filter(|field| *field != ADDRESS);
        variables.extend(fields.filter_map(|field| Some((field.as_str(), thing.data.get(field)?))));
        variables.retain(|(_, value)| !value.is_null() && value.as_str() != Some(""));
        quoted(&name, text);
        text.push_str(": {");
        for (index, (variable, value)) in variables.into_iter().enumerate() {
            text.push_str(if index == 0 { "" } else { ", " });
            quoted(variable, text);
            text.push_str(": ");
            put(value, text);
        }
        text.push('}');
        self.members += thing.tags.len();
        if self.members > MAX_MEMBERS {
            return Err(format!("more than {MAX_MEMBERS} memberships in groups"));
        }
        for tag in &thing.tags {
            let members = self.groups.entry(group_name(tag)).or_default();
            if members.last() != Some(&name) {
                members.push(name.clone());
            }
        }
        Ok(())
    }

    fn end(&self, text: &mut String) {
        text.push_str("\n}, \"children\": {");
        for (index, (group, hosts)) in self.groups.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            quoted(group, text);
            text.push_str(": {\"hosts\": {");
            for (index, host) in hosts.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                quoted(host, text);
                text.push_str(": {}");
            }
            text.push_str("}}");
        }
        text.push_str("\n}}}\n");
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// A name that Ansible takes for one host: brackets would be a range of them, and a colon a port.
fn host_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

/// A name that Ansible takes for a group.
fn group_name(tag: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = tag.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) || GROUPS_OF_ANSIBLE.contains(&name.as_str()) {
        true => format!("_{name}"),
        false => name,
    }
}

fn put(value: &Value, text: &mut String) {
    match value {
        Value::String(value) => {
            if TEMPLATES.iter().any(|template| value.contains(template)) {
                text.push_str("!unsafe ");
            }
            quoted(value, text);
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                put(value, text);
            }
            text.push(']');
        }
        Value::Object(values) => {
            text.push('{');
            for (index, (key, value)) in values.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                quoted(key, text);
                text.push_str(": ");
                put(value, text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
}

/// A text in quotes as both JSON and YAML read it: YAML takes some characters for line ends that JSON lets stand, and refuses others.
fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}') => {
                // Nothing is refused that is written into memory.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition() -> Definition {
        serde_json::from_value(json!({"label": "Server", "fields": [
            {"name": "hostname", "type": "string"}, {"name": "ip_address", "type": "string"}, {"name": "key", "type": "secret"},
            {"name": "notes", "type": "text"}, {"name": "extra", "type": "json"}
        ]}))
        .unwrap()
    }

    fn thing(id: i64, data: Value, tags: &[&str]) -> Exported {
        Exported {
            id,
            name: format!("thing {id}"),
            data: data.as_object().unwrap().clone(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    fn written(pages: Vec<Vec<Exported>>) -> String {
        let mut inventory = Inventory::of(&definition());
        let count = pages.len();
        let mut text = Vec::new();
        for (index, things) in pages.into_iter().enumerate() {
            let part = Part {
                first: index == 0,
                last: index + 1 == count,
            };
            text.extend(inventory.write(things, part).unwrap().0);
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn hosts_have_addresses_variables_and_groups_and_no_secrets() {
        let web = json!({"hostname": "web-1", "ip_address": "192.0.2.1", "key": "••••••••", "notes": "", "unknown": "x", "extra": {"a": [1, null]}});
        let text = written(vec![
            vec![thing(1, web, &["prod", "my web", "2nd", "all"])],
            vec![
                thing(2, json!({"hostname": "web-1"}), &["prod"]),
                thing(3, json!({"hostname": "b[1:3]"}), &[]),
            ],
        ]);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            json!({"all": {"hosts": {
                "web-1": {"ansible_host": "192.0.2.1", "hostname": "web-1", "ip_address": "192.0.2.1", "extra": {"a": [1, null]}},
                "web-1_2": {"hostname": "web-1"},
                "b_1_3_": {"hostname": "b[1:3]"}
            }, "children": {
                "prod": {"hosts": {"web-1": {}, "web-1_2": {}}}, "my_web": {"hosts": {"web-1": {}}},
                "_2nd": {"hosts": {"web-1": {}}}, "_all": {"hosts": {"web-1": {}}}
            }}})
        );
        assert_eq!(
            written(vec![vec![]]),
            "{\"all\": {\"hosts\": {\n}, \"children\": {\n}}}\n"
        );
    }

    #[test]
    fn nothing_is_a_template_and_no_character_ends_a_line() {
        for template in ["{{ lookup('pipe', 'id') }}", "{% x %}", "{# x #}"] {
            let text = written(vec![vec![thing(
                1,
                json!({"hostname": "a", "notes": template, "extra": [template]}),
                &[],
            )]]);
            assert_eq!(text.matches("!unsafe \"{").count(), 2, "{text}");
        }
        let text = written(vec![vec![thing(
            1,
            json!({"hostname": "a", "notes": "a\"\\\n\u{85}\u{2028}\u{7f}ü"}),
            &[],
        )]]);
        assert!(text.contains(r#""notes": "a\"\\\u000a\u0085\u2028\u007fü""#), "{text}");
    }

    #[test]
    fn a_thing_without_host_name_goes_by_what_people_call_it() {
        let text = written(vec![vec![thing(4, json!({}), &[])]]);
        assert!(text.contains("\"thing_4\": {}"), "{text}");
    }
}
