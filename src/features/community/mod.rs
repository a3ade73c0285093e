//! The community of an organization: issues, how people fixed them, and what they say of them. Whoever is in the organization
//! reads and writes; authors and administrators change and remove.
mod access;
mod handlers;
pub mod images;
mod row;
mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{comments, fixes, issues, pictures, votes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "community";
        issues::list_issues => SignedIn,
        issues::create_issue => SignedIn,
        issues::find_issue => Object,
        issues::update_issue => Object,
        issues::delete_issue => Object,
        votes::vote => Object,
        votes::take_vote_back => Object,
        fixes::list_fixes => Object,
        fixes::create_fix => Object,
        fixes::delete_fix => Object,
        fixes::accept_fix => Object,
        votes::like_fix => Object,
        votes::unlike_fix => Object,
        comments::list_comments => Object,
        comments::create_comment => Object,
        comments::delete_comment => Object,
        pictures::upload_image => SignedIn,
        pictures::read_image => Open,
    ]
}
