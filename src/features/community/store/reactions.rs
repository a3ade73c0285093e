//! SQL of votes and likes. Given twice, they are given once.
use protocol::ids::ObjectId;

use crate::features::community::access::IssueAccess;
use crate::platform::db::{Count, Nothing, Query, statements};

statements! {
    VOTE = "INSERT INTO issue_votes (issue_id, user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

    UNVOTE = "DELETE FROM issue_votes WHERE issue_id = ?1 AND user_id = ?2";

    VOTES = "SELECT COUNT(*) AS total FROM issue_votes WHERE issue_id = ?1";

    LIKE = "INSERT INTO fix_likes (fix_id, user_id) SELECT id, ?3 FROM fixes WHERE id = ?2 AND issue_id = ?1 ON CONFLICT DO NOTHING";

    UNLIKE = "DELETE FROM fix_likes WHERE fix_id = (SELECT id FROM fixes WHERE id = ?2 AND issue_id = ?1) AND user_id = ?3";

    LIKES = "SELECT COUNT(*) AS total FROM fix_likes WHERE fix_id = ?1";
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Give,
    TakeBack,
}

/// Says that the caller has an issue, too, or no longer; and how many have it.
pub fn vote(access: &IssueAccess, reaction: Reaction) -> (Query<Nothing>, Query<Count>) {
    let sql = match reaction {
        Reaction::Give => VOTE,
        Reaction::TakeBack => UNVOTE,
    };
    let issue = access.id();
    (
        Query::new(sql, [issue.into(), access.caller().id().into()]),
        Query::new(VOTES, [issue.into()]),
    )
}

/// Says that a fix of an issue helped the caller, or did not; and how many it helped.
pub fn like(access: &IssueAccess, fix: &ObjectId, reaction: Reaction) -> (Query<Nothing>, Query<Count>) {
    let sql = match reaction {
        Reaction::Give => LIKE,
        Reaction::TakeBack => UNLIKE,
    };
    (
        Query::new(sql, [access.id().into(), fix.into(), access.caller().id().into()]),
        Query::new(LIKES, [fix.into()]),
    )
}
