//! SQL of comments.
use protocol::ids::ObjectId;

use crate::features::community::access::{IssueAccess, PostControl, authored, issue_in_sight};
use crate::features::community::row::FoundPost;
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Nothing, Query, statements};

/// The body of a comment (`c`) of an author (`a`): a [`Comment`](protocol::api::community::Comment).
macro_rules! comment_body {
    () => {
        concat!(
            "json_object('id', c.id, 'issue_id', c.issue_id, 'content', c.content, 'author_id', c.author_id, 'author_username', a.username,
               'created_at', ", json_time!("c.created_at"), ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", comment_body!(), " FROM issue_comments c JOIN users a ON a.id = c.author_id WHERE c.issue_id = ?1
         ORDER BY c.created_at, c.id LIMIT ?2 OFFSET ?3"
    );

    COUNT = "SELECT COUNT(*) AS total FROM issue_comments WHERE issue_id = ?1";

    READ = concat!("SELECT ", comment_body!(), " FROM issue_comments c JOIN users a ON a.id = c.author_id WHERE c.id = ?1");

    FIND = concat!(
        "SELECT c.id, i.organization_id, i.id AS issue_id, i.title, a.username AS author, ", authored!("c.author_id"), " AS controls
         FROM users u JOIN issue_comments c ON c.id = ?3 AND c.issue_id = ?2 JOIN issues i ON i.id = c.issue_id
         JOIN users a ON a.id = c.author_id WHERE u.id = ?1 AND ", issue_in_sight!()
    );

    INSERT = "INSERT INTO issue_comments (id, issue_id, author_id, content, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";

    DELETE = "DELETE FROM issue_comments WHERE id = ?1";
}

/// The comments on an issue, and how many there are. To be shown only to somebody who may read the issue.
pub fn list(issue: &ObjectId, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST, [issue.into(), limit.into(), offset.into()]),
        Query::new(COUNT, [issue.into()]),
    )
}

/// One comment after it was made.
pub fn read(id: &ObjectId) -> Query<BodyRow> {
    Query::new(READ, [id.into()])
}

/// One comment on an issue, if the caller may know of it.
pub fn find(caller: &ObjectId, issue: &ObjectId, id: &ObjectId) -> Query<FoundPost> {
    Query::new(FIND, [caller.into(), issue.into(), id.into()])
}

/// Makes a comment of the caller's.
pub fn insert(access: &IssueAccess, id: &ObjectId, content: &str, now: &str) -> Query<Nothing> {
    Query::new(
        INSERT,
        [
            id.into(),
            access.id().into(),
            access.caller().id().into(),
            content.into(),
            now.into(),
        ],
    )
}

/// Removes a comment.
pub fn delete(control: &PostControl) -> Query<Nothing> {
    Query::new(DELETE, [(&control.post().id).into()])
}
