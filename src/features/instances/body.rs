//! Bodies of what the database gives in parts: a list of thousands would not be one of its texts.
use std::collections::BTreeMap;

use super::row::{GroupRow, HeadRow, HostRow};
use crate::http::json_text::{BodyRow, JsonText};

/// What the database gives of a list as a whole, with more in front.
fn with(front: &str, head: &str) -> JsonText {
    match head.strip_prefix('{') {
        Some(rest) => JsonText(format!("{{{front},{rest}")),
        None => JsonText(format!("{{{front}}}")),
    }
}

/// The one row that says what is known of the whole.
fn head(rows: &[BodyRow]) -> &str {
    rows.first().map_or("", |row| &row.body)
}

/// An [`InstanceList`](protocol::api::instances::InstanceList).
pub fn instances(heads: &[HeadRow], hosts: &[HostRow]) -> JsonText {
    let (head, listed) = heads.first().map_or(("", false), |row| (&row.body, row.listed));
    let tree = match listed {
        true => tree(hosts),
        false => "{}".to_owned(),
    };
    with(&format!("\"instances\":{tree}"), head)
}

/// An inventory: all hosts, and again those of each tag.
fn tree(hosts: &[HostRow]) -> String {
    let mut all = Fields::default();
    let mut children: BTreeMap<&str, Fields> = BTreeMap::new();
    for HostRow { host, tags, body } in hosts {
        all.add(host, body);
        for tag in tags {
            children.entry(tag).or_default().add(host, body);
        }
    }
    let mut groups = Fields::default();
    for (tag, hosts) in children {
        groups.add(tag, &format!("{{\"hosts\":{{{}}}}}", hosts.0));
    }
    format!("{{\"all\":{{\"hosts\":{{{}}},\"children\":{{{}}}}}}}", all.0, groups.0)
}

/// The fields of an object.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        // A text has no way to fail to encode.
        self.0.push_str(&serde_json::to_string(name).unwrap_or_default());
        self.0.push(':');
        self.0.push_str(value);
    }
}

/// `"tags":[…],"by_tag":{…}`, or of regions.
fn groups(list: &str, map: &str, rows: &[GroupRow]) -> String {
    let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
    let list = if list.is_empty() {
        String::new()
    } else {
        format!("\"{list}\":[{}],", bodies.join(","))
    };
    let fields: Vec<&str> = rows.iter().map(|row| row.field.as_str()).collect();
    format!("{list}\"{map}\":{{{}}}", fields.join(","))
}

/// A [`CostsByTag`](protocol::api::instances::CostsByTag).
pub fn by_tag(at: &[BodyRow], rows: &[GroupRow]) -> JsonText {
    with(&groups("tags", "by_tag", rows), head(at))
}

/// A [`CostsByRegion`](protocol::api::instances::CostsByRegion).
pub fn by_region(at: &[BodyRow], rows: &[GroupRow]) -> JsonText {
    with(&groups("regions", "by_region", rows), head(at))
}

/// [`Costs`](protocol::api::instances::Costs).
pub fn costs(all: &[BodyRow], instances: &[BodyRow], tags: &[GroupRow], regions: &[GroupRow]) -> JsonText {
    let bodies: Vec<&str> = instances.iter().map(|row| row.body.as_str()).collect();
    let (tags, regions) = (groups("", "by_tag", tags), groups("", "by_region", regions));
    let front = format!("\"instances\":[{}],{tags},{regions}", bodies.join(","));
    with(&front, head(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn an_inventory_has_each_host_and_again_under_each_of_its_tags() {
        let host = |host: &str, tags: &[&str]| HostRow {
            host: host.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            body: json!({"ansible_host": host}).to_string(),
        };
        let hosts = [host("a\"b", &["web", "x"]), host("c", &["web"]), host("d", &[])];
        let head = |listed| {
            let body = json!({"cached_at": null}).to_string();
            [HeadRow { body, listed }]
        };
        let body: Value = serde_json::from_str(&instances(&head(true), &hosts).0).unwrap();
        let of = |host: &str| json!({"ansible_host": host});
        assert_eq!(
            body,
            json!({"cached_at": null, "instances": {"all": {
                "hosts": {"a\"b": of("a\"b"), "c": of("c"), "d": of("d")},
                "children": {"web": {"hosts": {"a\"b": of("a\"b"), "c": of("c")}}, "x": {"hosts": {"a\"b": of("a\"b")}}}
            }}})
        );
        let never: Value = serde_json::from_str(&instances(&head(false), &[]).0).unwrap();
        assert_eq!(never, json!({"cached_at": null, "instances": {}}));
    }
}
