//! What clients see around the bodies that the statements make.
use crate::http::json_text::{BodyRow, JsonText};
use crate::http::page::Page;

/// A page of groups: a [`GroupList`](protocol::api::groups::GroupList).
pub fn list(rows: &[BodyRow], total: u64, page: Page) -> JsonText {
    JsonText::page("groups", rows, page.of(total))
}

/// One group: a [`GroupDetail`](protocol::api::groups::GroupDetail).
pub fn detail(group: &str) -> JsonText {
    JsonText::wrapped_and_flat("group", group)
}

/// A group that changed: a [`GroupChanged`](protocol::api::groups::GroupChanged). `counts` are its fields that are numbers.
pub fn changed(message: &'static str, counts: &[(&str, u64)], group: &str) -> JsonText {
    let counts: String = counts
        .iter()
        .map(|(name, count)| format!("\"{name}\":{count},"))
        .collect();
    JsonText(format!("{{\"message\":\"{message}\",{counts}\"group\":{group}}}"))
}
