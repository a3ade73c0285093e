//! Files of services: a real agent lists, reads, writes and deletes them when the edge asks.
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::services::{add, listed, runner};
use crate::support::account::{Account, Answer, send};
use crate::support::redact::is_recent;
use crate::support::stack::Stack;
use crate::support::team::{allow, join};

/// The contract's largest file that is written, in bytes.
const MOST: usize = 102_400;

const INPUTS: &str = "/api/services/web/files/inputs";
const OUTPUTS: &str = "/api/services/web/files/outputs";

async fn upload(account: &Account, path: &str, name: &str, bytes: Vec<u8>) -> Answer {
    let file = Part::bytes(bytes).file_name(name.to_owned());
    send(
        account
            .request(Method::POST, path)
            .multipart(Form::new().part("file", file)),
    )
    .await
}

/// A file as it comes, with its headers.
async fn download(account: &Account, path: &str) -> reqwest::Response {
    let response = account.request(Method::GET, path).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("{name}"));
    value.to_str().expect("it is a text")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("it is there")
                .file_name()
                .into_string()
                .expect("it is UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// What the log has of files: what was done to which, newest first.
async fn done(owner: &Account) -> Vec<(String, String)> {
    let log = owner.get("/api/audit?per_page=200").await.ok();
    let entries = log["entries"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| (text(&entry["action"]), text(&entry["resource"])))
        .filter(|(action, _)| action.starts_with("service."))
        .collect()
}

#[tokio::test]
async fn a_file_is_uploaded_listed_downloaded_written_and_deleted_into_its_backup() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "files").await;
    add(&directory, "web", &[]);
    agent.start().await;
    listed(&owner, &["web"]).await;
    let inputs = directory.join("web/inputs");
    let list = async || owner.get(INPUTS).await.ok();
    assert_eq!(
        list().await,
        json!({"files": [], "more": false}),
        "there is no such directory"
    );

    let bytes: Vec<u8> = (0..MOST).map(|n| (n % 251) as u8).collect();
    let uploaded = upload(&owner, INPUTS, "key ü.bin", bytes.clone()).await.ok();
    assert_eq!(uploaded, json!({"status": "uploaded", "filename": "key ü.bin"}));
    assert_eq!(fs::read(inputs.join("key ü.bin")).expect("it is there"), bytes);
    let mut files = list().await;
    assert!(is_recent(&files["files"][0]["modified"]), "{files:#}");
    files["files"][0]["modified"].take();
    assert_eq!(
        files["files"],
        json!([{"name": "key ü.bin", "size": MOST, "modified": null}])
    );

    let response = download(&owner, &format!("{INPUTS}/key%20%C3%BC.bin")).await;
    assert_eq!(header(&response, "content-type"), "application/octet-stream");
    assert_eq!(
        header(&response, "content-disposition"),
        "attachment; filename=\"key _.bin\"; filename*=UTF-8''key%20%C3%BC.bin"
    );
    assert_eq!(header(&response, "content-length"), MOST.to_string());
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "accept-ranges"), "none");
    assert!(header(&response, "etag").starts_with('"') && header(&response, "last-modified").ends_with(" GMT"));
    assert_eq!(response.bytes().await.expect("it is whole"), bytes);

    let written = owner
        .put(&format!("{INPUTS}/a.yaml"), json!({"content": "no: [yaml"}))
        .await
        .ok();
    assert_eq!(written, json!({"status": "saved", "filename": "a.yaml"}));
    assert_eq!(
        fs::read_to_string(inputs.join("a.yaml")).expect("it is there"),
        "no: [yaml"
    );
    owner
        .put(&format!("{INPUTS}/a.yaml"), json!({"content": ""}))
        .await
        .ok();
    assert_eq!(
        download(&owner, &format!("{INPUTS}/a.yaml"))
            .await
            .bytes()
            .await
            .expect("it is whole"),
        ""
    );
    assert_eq!(names(&inputs), ["a.yaml", "key ü.bin"]);

    let deleted = owner.delete(&format!("{INPUTS}/key%20%C3%BC.bin")).await.ok();
    assert_eq!(deleted, json!({"status": "deleted", "filename": "key ü.bin"}));
    assert_eq!(names(&inputs), ["a.yaml", "key ü.bin.backup"]);
    assert_eq!(list().await["files"][1]["name"], "key ü.bin.backup");
    let again = owner.delete(&format!("{INPUTS}/key%20%C3%BC.bin")).await;
    assert_eq!(again.refusal(), (404, "File 'key ü.bin' not found".to_owned()));

    let of = |action: &str, name: &str| (action.to_owned(), format!("services/web/files/inputs/{name}"));
    assert_eq!(
        done(&owner).await,
        [
            of("service.file.delete", "key ü.bin"),
            of("service.file.edit", "a.yaml"),
            of("service.file.edit", "a.yaml"),
            of("service.file.upload", "key ü.bin"),
        ]
    );
}

#[tokio::test]
async fn a_file_of_many_parts_is_downloaded_byte_for_byte_and_what_is_too_large_is_not_stored() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "large").await;
    add(
        &directory,
        "web",
        &[("outputs/small.json", "{}"), ("inputs/kept.txt", "kept")],
    );
    let bytes: Vec<u8> = (0..3_000_001_usize).map(|n| (n / 7 % 253) as u8).collect();
    fs::write(directory.join("web/outputs/run.log"), &bytes).expect("it is ours");
    let huge = fs::File::create(directory.join("web/outputs/huge")).expect("it is ours");
    huge.set_len(64 * 1024 * 1024 + 1).expect("it is sparse");
    agent.start().await;
    listed(&owner, &["web"]).await;
    let response = download(&owner, &format!("{OUTPUTS}/run.log")).await;
    assert_eq!(header(&response, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(response.bytes().await.expect("it is whole"), bytes);
    let response = download(&owner, &format!("{OUTPUTS}/small.json")).await;
    assert_eq!(header(&response, "content-type"), "application/json");
    assert_eq!(
        header(&response, "content-disposition"),
        "attachment; filename=\"small.json\""
    );
    let huge = owner.get(&format!("{OUTPUTS}/huge")).await;
    assert_eq!(
        huge.body["fields"][0]["message"],
        "must name a file of at most 67108864 bytes"
    );
    assert_eq!(huge.refusal(), (400, "File too large (67108865 bytes)".to_owned()));

    let too_large = (400, format!("File too large ({} bytes, max {MOST})", MOST + 1));
    let kept = directory.join("web/inputs/kept.txt");
    assert_eq!(
        upload(&owner, INPUTS, "kept.txt", vec![b'a'; MOST + 1]).await.refusal(),
        too_large
    );
    let text = json!({"content": "a".repeat(MOST + 1)});
    assert_eq!(
        owner.put(&format!("{INPUTS}/kept.txt"), text).await.refusal(),
        too_large
    );
    let no_file = send(
        owner
            .request(Method::POST, INPUTS)
            .multipart(Form::new().text("file", "a text")),
    )
    .await;
    assert_eq!(no_file.status, 400);
    assert_eq!(owner.post(INPUTS, json!({})).await.status, 400, "it is no form");
    assert_eq!(fs::read_to_string(&kept).expect("it is there"), "kept");
    assert_eq!(names(&directory.join("web/inputs")), ["kept.txt"]);
    assert!(done(&owner).await.is_empty());
}

/// The names that lead somewhere else, or are none.
const WAYS_OUT: [&str; 9] = [
    "..%2fdeploy.sh",
    "..%2f..%2f..%2fsecret",
    "%2fetc%2fpasswd",
    "%2e%2e",
    "..%5csecret",
    "a%00",
    "%00",
    "a%0ab",
    ".vsay-1",
];

#[tokio::test]
async fn nothing_outside_of_the_two_directories_is_read_or_written() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "ways-out").await;
    let outside = agent.file("outside");
    fs::create_dir(&outside).expect("it is ours");
    fs::write(outside.join("secret"), "secret").expect("it is ours");
    add(&directory, "web", &[("inputs/a", "a")]);
    add(&directory, "linked", &[]);
    symlink(outside.join("secret"), directory.join("web/inputs/link")).expect("it is ours");
    symlink(&outside, directory.join("linked/outputs")).expect("it is ours");
    fs::create_dir(directory.join("web/inputs/folder")).expect("it is ours");
    agent.start().await;
    listed(&owner, &["linked", "web"]).await;
    let body = json!({"content": "out"});
    let every = async |path: &str| {
        let answers = [
            owner.get(path).await,
            owner.put(path, body.clone()).await,
            owner.delete(path).await,
        ];
        answers.map(|answer| answer.refusal())
    };
    for name in WAYS_OUT {
        for (status, text) in every(&format!("{INPUTS}/{name}")).await {
            // A client, or the platform, takes a path of dots for another path.
            assert!(matches!(status, 400 | 404 | 405), "{name}: {status} {text}");
            assert!(!text.contains(directory.to_str().expect("it is UTF-8")), "{text}");
        }
    }
    for name in ["../deploy.sh", "/etc/passwd", "..", "a\\b", ""] {
        let (status, text) = upload(&owner, INPUTS, name, b"out".to_vec()).await.refusal();
        assert_eq!(status, 400, "{name}: {text}");
    }
    let traversal = (400, "Path traversal detected".to_owned());
    for answer in every(&format!("{INPUTS}/link")).await {
        assert_eq!(answer, traversal);
    }
    for answer in every("/api/services/linked/files/outputs/secret").await {
        assert_eq!(answer, traversal);
    }
    assert_eq!(
        owner.get("/api/services/linked/files/outputs").await.refusal(),
        traversal
    );
    assert_eq!(
        upload(&owner, "/api/services/linked/files/outputs", "new", Vec::new())
            .await
            .refusal(),
        traversal
    );
    assert_eq!(owner.get(&format!("{INPUTS}/folder")).await.status, 404);
    for subdir in ["templates", "..", "%2e%2e", "inputs%2f..", "Inputs", "%00"] {
        let path = format!("/api/services/web/files/{subdir}");
        assert!(matches!(owner.get(&path).await.status, 400 | 404), "{subdir}");
    }
    let subdir = owner.get("/api/services/nothing/files/templates").await;
    assert_eq!(
        subdir.refusal(),
        (400, "Subdirectory must be one of: inputs, outputs".to_owned())
    );
    assert_eq!(names(&outside), ["secret"]);
    assert_eq!(
        fs::read_to_string(outside.join("secret")).expect("it is there"),
        "secret"
    );
    // A name is decoded once.
    owner.put(&format!("{INPUTS}/%252e%252e%252fb"), body).await.ok();
    assert_eq!(
        names(&directory.join("web/inputs")),
        ["%2e%2e%2fb", "a", "folder", "link"]
    );
}

#[tokio::test]
async fn a_directory_that_is_swapped_for_a_link_during_requests_leads_nowhere() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "swapped").await;
    let outside = agent.file("outside");
    fs::create_dir(&outside).expect("it is ours");
    fs::write(outside.join("a"), "secret").expect("it is ours");
    add(&directory, "web", &[("inputs/a", "inside")]);
    agent.start().await;
    listed(&owner, &["web"]).await;
    let (inputs, link) = (directory.join("web/inputs"), directory.join("web/link"));
    symlink(&outside, &link).expect("it is ours");
    // It ends with the test, however that ends.
    let going_on = Arc::new(());
    let goes_on = Arc::downgrade(&going_on);
    #[allow(clippy::disallowed_methods, reason = "this is no Worker")]
    let swapper = thread::spawn(move || {
        // At every moment there is either, so that no request makes a directory of its own.
        while goes_on.strong_count() > 0 {
            renameat2(AT_FDCWD, &inputs, AT_FDCWD, &link, RenameFlags::RENAME_EXCHANGE).expect("it is ours");
        }
    });
    for n in 0..40 {
        let read = owner.get(&format!("{INPUTS}/a")).await;
        assert!(read.status != 200 || read.body == "inside", "{read:#?}");
        let written = owner
            .put(&format!("{INPUTS}/new-{n}"), json!({"content": "written"}))
            .await;
        assert!(matches!(written.status, 200 | 400 | 404 | 503), "{written:#?}");
    }
    drop(going_on);
    swapper.join().expect("it swaps");
    assert_eq!(names(&outside), ["a"]);
    assert_eq!(fs::read_to_string(outside.join("a")).expect("it is there"), "secret");
}

#[tokio::test]
async fn files_are_those_of_people_who_may_and_nobodys_in_another_organization_or_while_the_runner_is_away() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, directory) = runner(&owner, "rights").await;
    add(&directory, "web", &[("inputs/a", "a")]);
    agent.start().await;
    listed(&owner, &["web"]).await;
    let body = json!({"content": "b"});
    let file = format!("{INPUTS}/a");
    let stranger = Account::new(stack).await;
    let absent = (404, "Service not found".to_owned());
    assert_eq!(stranger.get(INPUTS).await.refusal(), absent);
    assert_eq!(stranger.get(&file).await.refusal(), absent);
    assert_eq!(stranger.put(&file, body.clone()).await.refusal(), absent);
    assert_eq!(stranger.delete(&file).await.refusal(), absent);
    assert_eq!(upload(&stranger, INPUTS, "a", Vec::new()).await.refusal(), absent);

    let denied = |permission: &str| (403, format!("Permission denied: services.files.{permission}"));
    let reads = join(stack, &owner, "user").await;
    allow(&owner, &reads, &["services.files.view"]).await;
    assert_eq!(reads.get(&file).await.ok(), "a");
    assert_eq!(reads.put(&file, body.clone()).await.refusal(), denied("edit"));
    assert_eq!(reads.delete(&file).await.refusal(), denied("edit"));
    assert_eq!(upload(&reads, INPUTS, "a", Vec::new()).await.refusal(), denied("edit"));
    let writes = join(stack, &owner, "user").await;
    allow(&owner, &writes, &["services.files.edit", "services.view"]).await;
    assert_eq!(writes.get(INPUTS).await.refusal(), denied("view"));
    assert_eq!(writes.get(&file).await.refusal(), denied("view"));
    // What is wrong with the path is not told to whoever may not.
    assert_eq!(
        writes.get("/api/services/web/files/templates").await.refusal(),
        denied("view")
    );
    writes.put(&file, body.clone()).await.ok();
    assert_eq!(
        fs::read_to_string(directory.join("web/inputs/a")).expect("it is there"),
        "b"
    );

    agent.kill();
    agent.becomes("offline").await;
    let before = done(&owner).await;
    let away = (503, "Runner is not connected".to_owned());
    assert_eq!(owner.get(INPUTS).await.refusal(), away);
    assert_eq!(owner.get(&file).await.refusal(), away);
    assert_eq!(owner.put(&file, body).await.refusal(), away);
    assert_eq!(owner.delete(&file).await.refusal(), away);
    assert_eq!(upload(&owner, INPUTS, "a", Vec::new()).await.refusal(), away);
    assert_eq!(names(&directory.join("web/inputs")), ["a"]);
    assert_eq!(done(&owner).await, before);
}
