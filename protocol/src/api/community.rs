//! The community: issues of an organization, fixes, comments, votes.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// Longest title, in characters: a line of a list.
pub const MAX_TITLE: usize = 200;

/// Longest description, and longest fix, in characters: some pages, with what a program said.
pub const MAX_TEXT: usize = 20_000;

/// Longest comment, in characters.
pub const MAX_COMMENT: usize = 5_000;

/// Most tags of an issue, and the longest one in characters.
pub const MAX_TAGS: usize = 20;
const MAX_TAG: usize = 50;

/// Most pictures of an issue or fix, and the longest address of one, as elsewhere on the web.
pub const MAX_IMAGES: usize = 10;
const MAX_ADDRESS: usize = 2048;

/// Longest name of a machine in a request; ids and public names are shorter.
const MAX_MACHINE: usize = 64;

/// Largest picture, in bytes (contract).
pub const MAX_IMAGE_BYTES: usize = 10 * 1024 * 1024;

/// What is being done about an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueStatus {
    /// Nothing yet.
    Open,
    /// Somebody is at it. Requests may write it `in-progress`, too.
    #[serde(alias = "in-progress")]
    InProgress,
    /// A fix was accepted.
    Resolved,
    /// Nothing more will be.
    Closed,
}

impl IssueStatus {
    /// The word that travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// The state of a word, as clients write it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "in_progress" | "in-progress" => Some(Self::InProgress),
            "resolved" => Some(Self::Resolved),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

/// Makes an issue.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateIssue {
    /// What is wrong, in a line.
    #[schema(max_length = 200, min_length = 1, format = "line")]
    pub title: String,
    /// The same at length.
    #[schema(max_length = 20000, min_length = 1, format = "text-with-ink")]
    pub description: String,
    /// The machine it is about, by its `id` or its `agent_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub machine_id: Option<String>,
    /// Words to find it by.
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// Addresses of pictures: of the web, or as `POST /api/community/upload` gives them.
    #[schema(max_items = 10)]
    pub images: Vec<String>,
    /// `open` if absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(|open|in_progress|in-progress|resolved|closed)$")]
    pub status: Option<String>,
}

impl Validate for CreateIssue {
    fn validate(&self, faults: &mut Faults) {
        faults.line("title", &self.title, 1, MAX_TITLE);
        required(faults, "description", &self.description, MAX_TEXT);
        machine(faults, self.machine_id.as_deref());
        tags(faults, &self.tags);
        images(faults, &self.images);
        status(faults, self.status.as_deref());
    }
}

/// Changes an issue: what is absent stays, and so does a text that is empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateIssue {
    /// What is wrong, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, format = "line")]
    pub title: Option<String>,
    /// The same at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20000)]
    pub description: Option<String>,
    /// The machine it is about, by its `id` or its `agent_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub machine_id: Option<String>,
    /// All its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub tags: Option<Vec<String>>,
    /// All its pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 10)]
    pub images: Option<Vec<String>>,
    /// What is being done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(|open|in_progress|in-progress|resolved|closed)$")]
    pub status: Option<String>,
}

impl Validate for UpdateIssue {
    fn validate(&self, faults: &mut Faults) {
        if let Some(title) = self.title.as_deref().filter(|title| !title.is_empty()) {
            faults.line("title", title, 1, MAX_TITLE);
        }
        if let Some(description) = self.description.as_deref() {
            faults.text("description", description, MAX_TEXT);
        }
        machine(faults, self.machine_id.as_deref());
        tags(faults, self.tags.as_deref().unwrap_or_default());
        images(faults, self.images.as_deref().unwrap_or_default());
        status(faults, self.status.as_deref());
    }
}

/// Says how an issue was fixed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateFix {
    /// What to do.
    #[schema(max_length = 20000, min_length = 1, format = "text-with-ink")]
    pub content: String,
    /// Addresses of pictures.
    #[schema(max_items = 10)]
    pub images: Vec<String>,
}

impl Validate for CreateFix {
    fn validate(&self, faults: &mut Faults) {
        required(faults, "content", &self.content, MAX_TEXT);
        images(faults, &self.images);
    }
}

/// Says something about an issue.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateComment {
    /// What.
    #[schema(max_length = 5000, min_length = 1, format = "text-with-ink")]
    pub content: String,
}

impl Validate for CreateComment {
    fn validate(&self, faults: &mut Faults) {
        required(faults, "content", &self.content, MAX_COMMENT);
    }
}

fn required(faults: &mut Faults, field: &str, text: &str, max: usize) {
    faults.check(!text.trim().is_empty(), field, "is required");
    faults.text(field, text, max);
}

fn machine(faults: &mut Faults, machine: Option<&str>) {
    if let Some(machine) = machine.filter(|machine| !machine.is_empty()) {
        faults.line("machine_id", machine, 1, MAX_MACHINE);
    }
}

fn tags(faults: &mut Faults, tags: &[String]) {
    faults.check(tags.len() <= MAX_TAGS, "tags", format!("must be at most {MAX_TAGS}"));
    for (index, tag) in tags.iter().enumerate().take(MAX_TAGS) {
        faults.line(&format!("tags[{index}]"), tag, 1, MAX_TAG);
    }
}

fn images(faults: &mut Faults, images: &[String]) {
    faults.check(
        images.len() <= MAX_IMAGES,
        "images",
        format!("must be at most {MAX_IMAGES}"),
    );
    for (index, image) in images.iter().enumerate().take(MAX_IMAGES) {
        faults.check(
            is_address(image),
            format!("images[{index}]"),
            format!("must be an address of at most {MAX_ADDRESS} characters that begins with https:// or http://, or one that was given for an upload"),
        );
    }
}

/// Whether a picture may be shown from there: a page shows it as a picture and never as a link, so that no script runs.
fn is_address(text: &str) -> bool {
    let begins = ["https://", "http://", "/api/community/images/"]
        .iter()
        .any(|start| text.len() > start.len() && text.starts_with(start));
    begins && text.len() <= MAX_ADDRESS && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn status(faults: &mut Faults, status: Option<&str>) {
    if let Some(status) = status.filter(|status| !status.is_empty()) {
        faults.check(
            IssueStatus::parse(status).is_some(),
            "status",
            "must be open, in_progress, resolved or closed",
        );
    }
}

/// The machine that an issue is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueMachine {
    /// Its public name.
    pub agent_id: AgentId,
    /// What people call it.
    pub name: String,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Issue {
    /// Its id.
    pub id: ObjectId,
    /// What is wrong, in a line.
    pub title: String,
    /// The same at length.
    pub description: String,
    /// What is being done about it.
    pub status: IssueStatus,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Addresses of pictures.
    pub images: Vec<String>,
    /// The id of the machine it is about.
    pub machine_id: Option<ObjectId>,
    /// That machine.
    pub machine: Option<IssueMachine>,
    /// Who wrote it.
    pub author_id: ObjectId,
    /// Their name.
    pub author_username: String,
    /// The same, under another name.
    pub author_name: String,
    /// How many fixes it has.
    pub fix_count: u64,
    /// How many comments.
    pub comment_count: u64,
    /// How many people have it, too.
    pub votes: u64,
    /// Whether the caller is one of them.
    pub voted_by_me: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When something of it changed last.
    pub updated_at: DateTime<Utc>,
}

/// One issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueDetail {
    /// The issue.
    pub issue: Issue,
}

/// What was done to an issue, and the issue as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueChanged {
    /// For people.
    pub message: String,
    /// The issue.
    pub issue: Issue,
}

/// A page of issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueList {
    /// The issues.
    pub issues: Vec<Issue>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// How somebody fixed an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fix {
    /// Its id.
    pub id: ObjectId,
    /// The same, under another name.
    pub fix_id: ObjectId,
    /// Of which issue.
    pub issue_id: ObjectId,
    /// What to do.
    pub content: String,
    /// Addresses of pictures.
    pub images: Vec<String>,
    /// Who wrote it.
    pub author_id: ObjectId,
    /// Their name.
    pub author_username: String,
    /// The same, under another name.
    pub author_name: String,
    /// How many people it helped.
    pub likes: u64,
    /// Whether the caller is one of them.
    pub liked_by_me: bool,
    /// The names of the first hundred of them.
    pub liked_by: Vec<String>,
    /// Whether it is the one that fixed it.
    pub accepted: bool,
    /// The same, under another name.
    pub is_accepted: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// The fixes of an issue: the accepted one first, then the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FixList {
    /// The fixes.
    pub fixes: Vec<Fix>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// What was done to a fix, and the fix as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FixChanged {
    /// For people.
    pub message: String,
    /// The fix.
    pub fix: Fix,
}

/// What became of a like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Liked {
    /// For people.
    pub message: String,
    /// How many people the fix helped.
    pub likes: u64,
}

/// What became of a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Voted {
    /// For people.
    pub message: String,
    /// How many people have the issue, too.
    pub votes: u64,
}

/// What somebody said about an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comment {
    /// Its id.
    pub id: ObjectId,
    /// About which issue.
    pub issue_id: ObjectId,
    /// What.
    pub content: String,
    /// Who said it.
    pub author_id: ObjectId,
    /// Their name.
    pub author_username: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The comments on an issue, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommentList {
    /// The comments.
    pub comments: Vec<Comment>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// A new comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommentChanged {
    /// For people.
    pub message: String,
    /// The comment.
    pub comment: Comment,
}

/// A form with a picture.
#[derive(Debug, ToSchema)]
pub struct ImageForm {
    /// A PNG, JPEG or WebP file of at most 10 MiB; also as `image`.
    pub file: ImageFile,
}

/// A picture's bytes.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ImageFile(pub Vec<u8>);

/// Where an uploaded picture is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageUploaded {
    /// For people.
    pub message: String,
    /// Its address, for `images`.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn an_issue_has_a_title_and_a_description_within_bounds() {
        let faults = refused_fields::<CreateIssue>;
        assert_eq!(faults("{}"), ["title", "description"]);
        assert!(faults(r#"{"title":"t","description":"d\nd","machine_id":"","status":"","tags":["a b"]}"#).is_empty());
        assert_eq!(
            faults(r#"{"title":"a\nb","description":" "}"#),
            ["title", "description"]
        );
        assert_eq!(faults(r#"{"title":"t","description":"d","status":"new"}"#), ["status"]);
        assert_eq!(
            faults(r#"{"title":"t","description":"d","tags":["", "ok"]}"#),
            ["tags[0]"]
        );
        let many = format!(
            r#"{{"title":"t","description":"d","tags":{:?}}}"#,
            vec!["x"; MAX_TAGS + 1]
        );
        assert_eq!(faults(&many), ["tags"]);
    }

    #[test]
    fn a_change_may_leave_anything_out() {
        let faults = refused_fields::<UpdateIssue>;
        for good in [
            "{}",
            r#"{"title":"","description":"","status":"","machine_id":""}"#,
            r#"{"status":"in-progress"}"#,
        ] {
            assert!(faults(good).is_empty(), "{good}");
        }
        assert_eq!(
            faults(r#"{"title":" ","images":["javascript:alert(1)"]}"#),
            ["title", "images[0]"]
        );
    }

    #[test]
    fn pictures_are_of_the_web_or_ours() {
        for good in ["https://example.org/a.png", "http://x/a", "/api/community/images/0a"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "//x/a",
            "/api/users",
            "https://a b",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("https://x/{}", "a".repeat(MAX_ADDRESS))));
    }

    #[test]
    fn a_status_has_the_words_that_clients_use() {
        assert_eq!(IssueStatus::parse("in-progress"), Some(IssueStatus::InProgress));
        for status in [
            IssueStatus::Open,
            IssueStatus::InProgress,
            IssueStatus::Resolved,
            IssueStatus::Closed,
        ] {
            assert_eq!(IssueStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(IssueStatus::parse("new"), None);
    }
}
