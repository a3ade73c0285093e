//! SQL of the community: here that of issues, beside it that of what belongs to one.
pub mod comments;
pub mod fixes;
pub mod pictures;
pub mod reactions;

use protocol::api::community::{CreateIssue, IssueStatus, UpdateIssue};
use protocol::ids::ObjectId;

use super::access::{IssueControl, authored, issue_in_sight};
use super::row::{FoundIssue, Subject};
use crate::auth::caller::Caller;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// How many issues a search looks at, the newest of an organization. A text that is looked for may be of one character, which no
/// index finds; two thousand issues of two kilobytes are looked through in some tens of milliseconds.
const SEARCHED: i64 = 2_000;

/// The body of an issue (`i`) of an author (`a`) for the caller (`u`): an [`Issue`](protocol::api::community::Issue).
macro_rules! issue_body {
    () => {
        concat!(
            "json_insert(json_object('id', i.id, 'title', i.title, 'description', i.description, 'status', i.status, 'tags', json(i.tags),
               'images', json(i.images), 'machine_id', i.machine_id, 'author_id', i.author_id, 'author_username', a.username,
               'author_name', a.username, 'fix_count', (SELECT COUNT(*) FROM fixes z WHERE z.issue_id = i.id),
               'comment_count', (SELECT COUNT(*) FROM issue_comments z WHERE z.issue_id = i.id),
               'votes', (SELECT COUNT(*) FROM issue_votes z WHERE z.issue_id = i.id), 'voted_by_me', ",
            json_flag!("EXISTS (SELECT 1 FROM issue_votes z WHERE z.issue_id = i.id AND z.user_id = u.id)"),
            ", 'created_at', ", json_time!("i.created_at"), ", 'updated_at', ", json_time!("i.updated_at"),
            "), '$.machine', json((SELECT json_object('agent_id', m.agent_id, 'name', m.name) FROM machines m WHERE m.id = i.machine_id))) AS body"
        )
    };
}

/// The issues of the caller's (?1) organization, newest first, as many as are looked at (?6), of which those with a status (?2), a
/// tag (?3), a machine (?4) and a text (?5).
macro_rules! listed {
    () => {
        "(SELECT j.id FROM issues j WHERE j.organization_id = (SELECT organization_id FROM users WHERE id = ?1)
            ORDER BY j.created_at DESC LIMIT ?6) listed CROSS JOIN issues i ON i.id = listed.id
         WHERE (?2 IS NULL OR i.status = ?2)
           AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(i.tags) t WHERE lower(t.value) = lower(?3)))
           AND (?4 IS NULL OR i.machine_id IN (SELECT m.id FROM machines m WHERE m.id = ?4 OR m.agent_id = ?4))
           AND (?5 IS NULL OR instr(lower(i.title), lower(?5)) > 0 OR instr(lower(i.description), lower(?5)) > 0)"
    };
}

statements! {
    /// In an order (?7). What leads is sorted before bodies are made.
    LIST = concat!(
        "SELECT ", issue_body!(), " FROM (SELECT i.id FROM ", listed!(), "
           ORDER BY CASE ?7 WHEN 'votes' THEN (SELECT COUNT(*) FROM issue_votes z WHERE z.issue_id = i.id) END DESC,
             CASE ?7 WHEN 'updated' THEN i.updated_at END DESC, CASE ?7 WHEN 'oldest' THEN i.created_at END,
             i.created_at DESC, i.id DESC LIMIT ?8 OFFSET ?9) listed
         CROSS JOIN issues i ON i.id = listed.id JOIN users a ON a.id = i.author_id JOIN users u ON u.id = ?1"
    );

    COUNT = concat!("SELECT COUNT(*) AS total FROM ", listed!());

    FIND = concat!(
        "SELECT i.id, i.organization_id, i.title, ", authored!("i.author_id"), " AS controls, ", issue_body!(),
        " FROM users u JOIN issues i ON i.id = ?2 JOIN users a ON a.id = i.author_id WHERE u.id = ?1 AND ", issue_in_sight!()
    );

    /// A machine of the caller's (?1) organization, by its id or its public name (?2).
    SUBJECT = "SELECT m.id FROM users u CROSS JOIN machines m ON (m.id = ?2 OR m.agent_id = ?2) AND +m.organization_id = u.organization_id
         WHERE u.id = ?1";

    INSERT = "INSERT INTO issues (id, organization_id, author_id, machine_id, title, description, status, tags, images, created_at, updated_at)
         SELECT ?1, u.organization_id, u.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9 FROM users u WHERE u.id = ?2";

    /// What is NULL stays.
    UPDATE = "UPDATE issues SET title = COALESCE(?2, title), description = COALESCE(?3, description), status = COALESCE(?4, status),
           machine_id = COALESCE((SELECT m.id FROM machines m WHERE m.id = ?5 AND m.organization_id = issues.organization_id), machine_id),
           tags = COALESCE(?6, tags), images = COALESCE(?7, images), updated_at = ?8 WHERE id = ?1";

    DELETE = "DELETE FROM issues WHERE id = ?1";

    RESOLVE = "UPDATE issues SET status = 'resolved', updated_at = ?2 WHERE id = ?1";
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Newest,
    Oldest,
    /// Those first that changed last.
    Updated,
    /// Those first that most people have.
    Votes,
}

impl Sort {
    /// The order of a word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "newest" => Some(Self::Newest),
            "oldest" => Some(Self::Oldest),
            "updated" => Some(Self::Updated),
            "votes" => Some(Self::Votes),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Updated => "updated",
            Self::Votes => "votes",
        }
    }
}

/// Which issues to list.
#[derive(Debug)]
pub struct Filter<'a> {
    pub status: Option<IssueStatus>,
    pub tag: Option<&'a str>,
    pub machine: Option<&'a str>,
    pub search: Option<&'a str>,
    pub sort: Sort,
}

/// The issues of the caller's organization, and how many there are on all pages together.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    let [caller, status, tag, machine, search, searched] = filter.args(caller);
    let count = [
        caller.clone(),
        status.clone(),
        tag.clone(),
        machine.clone(),
        search.clone(),
        searched.clone(),
    ];
    let rows = [
        caller,
        status,
        tag,
        machine,
        search,
        searched,
        filter.sort.as_str().into(),
        limit.into(),
        offset.into(),
    ];
    (Query::new(LIST, rows), Query::new(COUNT, count))
}

impl Filter<'_> {
    fn args(&self, caller: &ObjectId) -> [Arg; 6] {
        let text = |text: Option<&str>| Arg::from(text.filter(|text| !text.is_empty()));
        let search = text(self.search);
        let looked_at = if search == Arg::Null { -1 } else { SEARCHED };
        [
            caller.into(),
            self.status.map(IssueStatus::as_str).into(),
            text(self.tag),
            text(self.machine),
            search,
            looked_at.into(),
        ]
    }
}

/// One issue, if the caller may know of it.
pub fn find(caller: &ObjectId, id: &ObjectId) -> Query<FoundIssue> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// A machine that an issue of the caller's can be about.
pub fn subject(caller: &ObjectId, machine: &str) -> Query<Subject> {
    Query::new(SUBJECT, [caller.into(), machine.into()])
}

/// Makes an issue of the caller's.
pub fn insert(
    author: &Caller,
    id: &ObjectId,
    request: &CreateIssue,
    machine: Option<&ObjectId>,
    now: &str,
) -> Result<Query<Nothing>, ApiError> {
    let status = request.status.as_deref().and_then(IssueStatus::parse);
    Ok(Query::new(
        INSERT,
        [
            id.into(),
            author.id().into(),
            machine.into(),
            request.title.trim().into(),
            request.description.as_str().into(),
            status.unwrap_or(IssueStatus::Open).as_str().into(),
            json(&request.tags)?,
            json(&request.images)?,
            now.into(),
        ],
    ))
}

/// Changes an issue.
pub fn update(
    control: &IssueControl,
    change: &UpdateIssue,
    machine: Option<&ObjectId>,
    now: &str,
) -> Result<Query<Nothing>, ApiError> {
    let text = |text: &Option<String>| Arg::from(text.as_deref().filter(|text| !text.trim().is_empty()));
    let title = change.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    let status = change.status.as_deref().and_then(IssueStatus::parse);
    Ok(Query::new(
        UPDATE,
        [
            control.id().into(),
            title.into(),
            text(&change.description),
            status.map(IssueStatus::as_str).into(),
            machine.into(),
            change.tags.as_deref().map(json).transpose()?.into(),
            change.images.as_deref().map(json).transpose()?.into(),
            now.into(),
        ],
    ))
}

/// Deletes an issue with all that belongs to it. Its pictures are left to the scheduled handler.
pub fn delete(control: &IssueControl) -> Query<Nothing> {
    Query::new(DELETE, [control.id().into()])
}

/// Says that an issue is fixed.
pub fn resolve(control: &IssueControl, now: &str) -> Query<Nothing> {
    Query::new(RESOLVE, [control.id().into(), now.into()])
}

/// A list as it is stored.
fn json(list: &[String]) -> Result<Arg, ApiError> {
    Ok(serde_json::to_string(list).map_err(ApiError::internal)?.into())
}

#[cfg(test)]
mod tests;
