//! SQL of fixes.
use protocol::api::community::CreateFix;
use protocol::ids::ObjectId;

use super::json;
use crate::features::community::access::{IssueAccess, IssueControl, PostControl, authored, issue_in_sight};
use crate::features::community::row::FoundPost;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Exists, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// The body of a fix (`f`) of an author (`a`) for the caller (`u`): a [`Fix`](protocol::api::community::Fix).
macro_rules! fix_body {
    () => {
        concat!(
            "json_object('id', f.id, 'fix_id', f.id, 'issue_id', f.issue_id, 'content', f.content, 'images', json(f.images),
               'author_id', f.author_id, 'author_username', a.username, 'author_name', a.username,
               'likes', (SELECT COUNT(*) FROM fix_likes z WHERE z.fix_id = f.id), 'liked_by_me', ",
            json_flag!("EXISTS (SELECT 1 FROM fix_likes z WHERE z.fix_id = f.id AND z.user_id = u.id)"),
            ", 'liked_by', json((SELECT json_group_array(username) FROM (SELECT b.username FROM fix_likes z JOIN users b ON b.id = z.user_id
                 WHERE z.fix_id = f.id ORDER BY b.username LIMIT 100) listed)),
               'accepted', ", json_flag!("f.accepted"), ", 'is_accepted', ", json_flag!("f.accepted"),
            ", 'created_at', ", json_time!("f.created_at"), ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", fix_body!(), " FROM users u CROSS JOIN fixes f JOIN users a ON a.id = f.author_id
         WHERE u.id = ?1 AND f.issue_id = ?2 ORDER BY f.accepted DESC, f.created_at DESC, f.id DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT = "SELECT COUNT(*) AS total FROM fixes WHERE issue_id = ?1";

    READ = concat!(
        "SELECT ", fix_body!(), " FROM users u CROSS JOIN fixes f JOIN users a ON a.id = f.author_id WHERE u.id = ?1 AND f.id = ?2"
    );

    FIND = concat!(
        "SELECT f.id, i.organization_id, i.id AS issue_id, i.title, a.username AS author, ", authored!("f.author_id"), " AS controls
         FROM users u JOIN fixes f ON f.id = ?3 AND f.issue_id = ?2 JOIN issues i ON i.id = f.issue_id JOIN users a ON a.id = f.author_id
         WHERE u.id = ?1 AND ", issue_in_sight!()
    );

    OF_ISSUE = "SELECT 1 FROM fixes WHERE id = ?2 AND issue_id = ?1";

    INSERT = "INSERT INTO fixes (id, issue_id, author_id, content, images, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    DELETE = "DELETE FROM fixes WHERE id = ?1";

    FORGET_ACCEPTED = "UPDATE fixes SET accepted = 0 WHERE issue_id = ?1 AND accepted = 1";

    ACCEPT = "UPDATE fixes SET accepted = 1 WHERE issue_id = ?1 AND id = ?2";
}

/// The fixes of an issue for the caller, and how many there are. To be shown only to somebody who may read the issue.
pub fn list(caller: &ObjectId, issue: &ObjectId, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST, [caller.into(), issue.into(), limit.into(), offset.into()]),
        Query::new(COUNT, [issue.into()]),
    )
}

/// One fix after it was made.
pub fn read(caller: &ObjectId, id: &ObjectId) -> Query<BodyRow> {
    Query::new(READ, [caller.into(), id.into()])
}

/// One fix of an issue, if the caller may know of it.
pub fn find(caller: &ObjectId, issue: &ObjectId, id: &ObjectId) -> Query<FoundPost> {
    Query::new(FIND, [caller.into(), issue.into(), id.into()])
}

/// Whether there is such a fix of an issue.
pub fn exists(issue: &ObjectId, id: &ObjectId) -> Query<Exists> {
    Query::new(OF_ISSUE, [issue.into(), id.into()])
}

/// Makes a fix of the caller's.
pub fn insert(access: &IssueAccess, id: &ObjectId, request: &CreateFix, now: &str) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(
        INSERT,
        [
            id.into(),
            access.id().into(),
            access.caller().id().into(),
            request.content.as_str().into(),
            json(&request.images)?,
            now.into(),
        ],
    ))
}

/// Removes a fix.
pub fn delete(control: &PostControl) -> Query<Nothing> {
    Query::new(DELETE, [(&control.post().id).into()])
}

/// Says that it was this one that fixed the issue, and none of the others.
pub fn accept(control: &IssueControl, id: &ObjectId) -> (Query<Nothing>, Query<Nothing>) {
    (
        Query::new(FORGET_ACCEPTED, [control.id().into()]),
        Query::new(ACCEPT, [control.id().into(), id.into()]),
    )
}
