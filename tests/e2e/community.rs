//! `/api/community`: issues, fixes, comments, votes, pictures.
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};
use crate::support::wait::eventually;

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

async fn write(who: &Account, body: Value) -> String {
    let made = who.post("/api/community/issues", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made.body["issue"]["id"].as_str().expect("an id").to_owned()
}

async fn fix(who: &Account, issue: &str, content: &str) -> String {
    let made = who
        .post(
            &format!("/api/community/issues/{issue}/fixes"),
            json!({"content": content}),
        )
        .await;
    assert_eq!(made.status, 201, "{made:#?}");
    made.body["fix"]["fix_id"].as_str().expect("an id").to_owned()
}

/// A body, as far as it does not differ between runs.
fn fixed(mut body: Value, times: &[&str]) -> Value {
    assert!(hex(take(&mut body, "id").as_str().expect("an id"), 24));
    for time in times {
        assert!(is_recent(&take(&mut body, time)));
    }
    body
}

#[tokio::test]
async fn an_issue_is_written_read_changed_and_deleted() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let (author, colleague) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let machine = author.post("/api/machines", json!({"name": "web"})).await.ok();
    let body = json!({"title": " The disk is full ", "description": "Since noon.\n`df` says so", "machine_id": machine["agent_id"],
        "tags": ["disk"], "images": ["https://example.org/df.png"]});
    let mut made = author.post("/api/community/issues", body).await.ok();
    let id = made["issue"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/community/issues/{id}");
    let mut expected = json!({
        "title": "The disk is full", "description": "Since noon.\n`df` says so", "status": "open", "tags": ["disk"],
        "images": ["https://example.org/df.png"], "machine_id": machine["id"],
        "machine": {"agent_id": machine["agent_id"], "name": "web"}, "author_id": author.id,
        "author_username": author.username, "author_name": author.username, "fix_count": 0, "comment_count": 0, "votes": 0,
        "voted_by_me": false
    });
    const TIMES: &[&str] = &["created_at", "updated_at"];
    assert_eq!(fixed(take(&mut made, "issue"), TIMES), expected);
    assert_eq!(made, json!({"message": "Issue created successfully"}));
    let mut read = colleague.get(&path).await.ok();
    assert_eq!(fixed(take(&mut read, "issue"), TIMES), expected);
    assert_eq!(read, json!({}));

    let change = json!({"status": "in-progress", "title": "", "tags": ["disk", "urgent"]});
    assert_eq!(
        colleague.put(&path, change.clone()).await.refusal(),
        (403, "Not authorized to update this issue".to_owned())
    );
    let mut changed = admin.put(&path, change).await.ok();
    expected["status"] = json!("in_progress");
    expected["tags"] = json!(["disk", "urgent"]);
    assert_eq!(fixed(take(&mut changed, "issue"), TIMES), expected);
    assert_eq!(changed, json!({"message": "Issue updated successfully"}));

    let mut list = colleague
        .get("/api/community/issues?search=FULL&status=in_progress&tag=urgent")
        .await
        .ok();
    let issues = take(&mut list, "issues");
    assert_eq!(list, json!({"total": 1, "page": 1, "limit": 10, "total_pages": 1}));
    assert_eq!(fixed(issues[0].clone(), TIMES), expected);
    for none in [
        "search=empty",
        "search=%25",
        "status=open",
        "tag=disks",
        "machine_id=00000000000a",
    ] {
        assert_eq!(
            colleague.get(&format!("/api/community/issues?{none}")).await.ok()["total"],
            0,
            "{none}"
        );
    }
    assert_eq!(
        colleague.delete(&path).await.refusal(),
        (403, "Not authorized to delete this issue".to_owned())
    );
    assert_eq!(author.delete(&path).await.ok(), json!({"message": "Issue deleted"}));
    assert_eq!(author.get(&path).await.refusal(), (404, "Issue not found".to_owned()));
    let log = admin.get("/api/audit?action=issue_deleted").await.ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["username"]),
        (&json!(1), &json!(author.username))
    );
    assert_eq!(log["logs"][0]["details"], json!({"title": "The disk is full"}));
}

#[tokio::test]
async fn what_an_issue_cannot_be_is_refused_in_words() {
    let stack = Stack::shared().await;
    let (author, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let theirs = stranger.post("/api/machines", json!({"name": "theirs"})).await.ok();
    for (body, error) in [
        (json!({"description": "d"}), "title must have 1 to 200 characters"),
        (json!({"title": "t"}), "description is required"),
        (
            json!({"title": "t", "description": "d", "status": "new"}),
            "status must be open, in_progress, resolved or closed",
        ),
        (
            json!({"title": "t", "description": "d", "machine_id": theirs["id"]}),
            "machine_id must be a machine of your organization",
        ),
        (
            json!({"title": "t", "description": "d", "images": ["javascript:alert(1)"]}),
            "images[0] must be an address of at most 2048 characters that begins with https:// or http://, or one that was given for an upload",
        ),
    ] {
        let answer = author.post("/api/community/issues", body.clone()).await;
        assert_eq!(answer.refusal(), (400, error.to_owned()), "{body}");
    }
    assert_eq!(
        author.get("/api/community/issues/nonsense").await.refusal(),
        (400, "Invalid issue ID".to_owned())
    );
    let bad = author.get("/api/community/issues?sort=best").await.refusal();
    assert_eq!(bad, (400, "sort must be newest, oldest, updated or votes".to_owned()));
    // What another organization writes is not there, but for those who administer all.
    let issue = write(&author, json!({"title": "ours", "description": "d"})).await;
    let path = format!("/api/community/issues/{issue}");
    assert_eq!(stranger.get(&path).await.refusal(), (404, "Issue not found".to_owned()));
    assert_eq!(stranger.get("/api/community/issues").await.ok()["total"], 0);
    super_admin(stack).await.get(&path).await.ok();
}

#[tokio::test]
async fn a_fix_is_written_liked_and_accepted() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let (author, helper) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let issue = write(&author, json!({"title": "full", "description": "d"})).await;
    let path = |rest: &str| format!("/api/community/issues/{issue}{rest}");
    let made = helper.post(&path("/fixes"), json!({"content": "rm -r /var/tmp"})).await;
    assert_eq!(made.status, 201);
    let mut made = made.ok();
    let first = made["fix"]["id"].as_str().expect("an id").to_owned();
    let mut expected = json!({
        "fix_id": first, "issue_id": issue, "content": "rm -r /var/tmp", "images": [], "author_id": helper.id,
        "author_username": helper.username, "author_name": helper.username, "likes": 0, "liked_by_me": false, "liked_by": [],
        "accepted": false, "is_accepted": false
    });
    assert_eq!(fixed(take(&mut made, "fix"), &["created_at"]), expected);
    assert_eq!(made, json!({"message": "Fix created successfully"}));
    let second = fix(&admin, &issue, "lvextend").await;

    let like = path(&format!("/fixes/{first}/like"));
    for _ in 0..2 {
        assert_eq!(
            author.post(&like, json!({})).await.ok(),
            json!({"message": "Fix liked", "likes": 1})
        );
    }
    let order = async |who: &Account| {
        let list = who.get(&path("/fixes")).await.ok();
        let fixes = list["fixes"].as_array().expect("a list").clone();
        fixes
            .iter()
            .map(|fix| fix["fix_id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        order(&author).await,
        [second.clone(), first.clone()],
        "the newest first"
    );
    let accept = path(&format!("/fixes/{first}/accept"));
    assert_eq!(
        helper.post(&accept, json!({})).await.refusal(),
        (403, "Only issue author can mark fixes as accepted".to_owned())
    );
    assert_eq!(
        author.post(&accept, json!({})).await.ok(),
        json!({"message": "Fix accepted"})
    );
    assert_eq!(
        order(&author).await,
        [first.clone(), second.clone()],
        "the accepted one first"
    );
    assert_eq!(author.get(&path("")).await.ok()["issue"]["status"], "resolved");
    let list = author.get(&path("/fixes?limit=1")).await.ok();
    expected["accepted"] = json!(true);
    expected["is_accepted"] = json!(true);
    expected["likes"] = json!(1);
    expected["liked_by_me"] = json!(true);
    expected["liked_by"] = json!([author.username]);
    assert_eq!(fixed(list["fixes"][0].clone(), &["created_at"]), expected);
    assert_eq!((&list["total"], &list["total_pages"]), (&json!(2), &json!(2)));
    admin
        .post(&path(&format!("/fixes/{second}/accept")), json!({}))
        .await
        .ok();
    let accepted = |list: &Value| {
        list["fixes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|fix| fix["accepted"] == true)
            .count()
    };
    assert_eq!(accepted(&author.get(&path("/fixes")).await.ok()), 1);
    for _ in 0..2 {
        assert_eq!(
            author.delete(&like).await.ok(),
            json!({"message": "Like removed", "likes": 0})
        );
    }
    // A fix of another issue is none of this one's.
    let other = write(&author, json!({"title": "other", "description": "d"})).await;
    for what in ["like", "accept"] {
        let answer = author
            .post(
                &format!("/api/community/issues/{other}/fixes/{first}/{what}"),
                json!({}),
            )
            .await;
        assert_eq!(answer.refusal(), (404, "Fix not found".to_owned()), "{what}");
        let answer = author.post(&path(&format!("/fixes/nonsense/{what}")), json!({})).await;
        assert_eq!(answer.refusal(), (400, "Invalid fix ID".to_owned()), "{what}");
    }
    let removal = path(&format!("/fixes/{second}"));
    assert_eq!(helper.delete(&removal).await.refusal().0, 403);
    assert_eq!(admin.delete(&removal).await.ok(), json!({"message": "Fix deleted"}));
    assert_eq!(author.get(&path("")).await.ok()["issue"]["fix_count"], 1);
}

#[tokio::test]
async fn issues_are_voted_for_and_talked_about() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    let (quiet, loud) = (
        write(&admin, json!({"title": "quiet", "description": "d"})).await,
        write(&admin, json!({"title": "loud", "description": "d"})).await,
    );
    let path = |issue: &str, rest: &str| format!("/api/community/issues/{issue}/{rest}");
    for (reaction, message, votes) in [
        (Method::POST, "Vote counted", 1),
        (Method::DELETE, "Vote removed", 0),
        (Method::POST, "Vote counted", 1),
    ] {
        for _ in 0..2 {
            let answer = send(colleague.request(reaction.clone(), &path(&quiet, "vote")))
                .await
                .ok();
            assert_eq!(answer, json!({"message": message, "votes": votes}));
        }
    }
    let first = async |sort: &str| {
        let list = colleague.get(&format!("/api/community/issues?sort={sort}")).await.ok();
        (
            list["issues"][0]["title"].clone(),
            list["issues"][0]["voted_by_me"].clone(),
        )
    };
    assert_eq!(first("votes").await, (json!("quiet"), json!(true)));
    assert_eq!(first("newest").await, (json!("loud"), json!(false)));

    let made = colleague
        .post(&path(&loud, "comments"), json!({"content": "me, too"}))
        .await;
    assert_eq!(made.status, 201);
    let mut made = made.ok();
    let comment = made["comment"]["id"].as_str().expect("an id").to_owned();
    let expected = json!({"issue_id": loud, "content": "me, too", "author_id": colleague.id, "author_username": colleague.username});
    assert_eq!(fixed(take(&mut made, "comment"), &["created_at"]), expected);
    assert_eq!(made, json!({"message": "Comment created successfully"}));
    admin
        .post(&path(&loud, "comments"), json!({"content": "since?"}))
        .await
        .ok();
    let list = colleague.get(&path(&loud, "comments")).await.ok();
    assert_eq!(
        (&list["total"], &list["comments"][0]["content"]),
        (&json!(2), &json!("me, too"))
    );
    let theirs = list["comments"][1]["id"].as_str().expect("an id").to_owned();
    let removal = |id: &str| path(&loud, &format!("comments/{id}"));
    assert_eq!(
        colleague.delete(&removal(&theirs)).await.refusal(),
        (403, "Not authorized to delete this comment".to_owned())
    );
    assert_eq!(
        admin.delete(&removal(&comment)).await.ok(),
        json!({"message": "Comment deleted"})
    );
    assert_eq!(
        admin.delete(&removal(&comment)).await.refusal(),
        (404, "Comment not found".to_owned())
    );
    assert_eq!(
        admin.get(&format!("/api/community/issues/{loud}")).await.ok()["issue"]["comment_count"],
        1
    );
}

async fn upload(who: &Account, field: &'static str, bytes: Vec<u8>) -> Answer {
    let part = Part::bytes(bytes)
        .file_name("a.html")
        .mime_str("text/html")
        .expect("a type");
    let request = who.request(Method::POST, "/api/community/upload");
    send(request.multipart(Form::new().part(field, part))).await
}

#[tokio::test]
async fn a_picture_is_uploaded_shown_and_removed_with_what_shows_it() {
    let stack = Stack::start(&[]).await;
    let author = Account::new(&stack).await;
    let mut uploaded = upload(&author, "file", PNG.to_vec()).await.ok();
    assert_eq!(take(&mut uploaded, "message"), "Image uploaded successfully");
    let url = uploaded["url"].as_str().expect("an address").to_owned();
    let path = url.strip_prefix(&stack.url).unwrap_or(&url).to_owned();
    assert!(
        hex(
            path.strip_prefix("/api/community/images/").expect("an address of ours"),
            32
        ),
        "{url}"
    );
    // By another name, and without a type of its own choice.
    upload(&author, "image", b"\xff\xd8\xff\xe0 a jpeg".to_vec()).await.ok();
    let shown = author
        .anonymous
        .request(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    let header = |name: &str| {
        shown
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        (
            header("content-type"),
            header("x-content-type-options"),
            header("content-security-policy")
        ),
        (
            "image/png".to_owned(),
            "nosniff".to_owned(),
            "default-src 'none'".to_owned()
        )
    );
    assert_eq!(shown.bytes().await.expect("bytes"), PNG);

    for (bytes, error) in [
        (
            b"GIF89a".to_vec(),
            "Invalid file type. Only JPEG, PNG, and WebP are allowed",
        ),
        (
            b"<script>alert(1)</script>".to_vec(),
            "Invalid file type. Only JPEG, PNG, and WebP are allowed",
        ),
        (vec![0xff; 10 * 1024 * 1024 + 1], "File size exceeds 10MB limit"),
        (vec![0xff; 11 * 1024 * 1024], "File size exceeds 10MB limit"),
    ] {
        assert_eq!(upload(&author, "file", bytes).await.refusal(), (400, error.to_owned()));
    }
    let mut large = PNG.to_vec();
    large.resize(10 * 1024 * 1024, 0);
    upload(&author, "file", large).await.ok();
    let nothing = author.post("/api/community/upload", json!({})).await;
    assert_eq!(nothing.refusal(), (400, "No image provided".to_owned()));
    let nothing = send(
        author
            .request(Method::POST, "/api/community/upload")
            .multipart(Form::new().text("file", "x")),
    )
    .await;
    assert_eq!(nothing.refusal(), (400, "No image provided".to_owned()));

    // What an issue shows stays, and the others go after a day; and the issue's go with it.
    let issue = write(&author, json!({"title": "t", "description": "d", "images": [url]})).await;
    assert_eq!(stack.sql("SELECT COUNT(*) AS n FROM community_images")[0]["n"], 3);
    let tomorrow = (chrono::Utc::now() + chrono::TimeDelta::days(2)).to_rfc3339();
    stack.scheduled(&tomorrow);
    assert_eq!(stack.sql("SELECT COUNT(*) AS n FROM community_images")[0]["n"], 1);
    assert_eq!(author.get(&path).await.status, 200);
    author.delete(&format!("/api/community/issues/{issue}")).await.ok();
    stack.scheduled(&tomorrow);
    let gone = eventually("the picture to be gone", async || {
        let answer = author.get(&path).await;
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(gone.await.refusal(), (404, "Image not found".to_owned()));
}
