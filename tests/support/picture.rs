//! Pictures of people, as files.
use reqwest::Method;
use reqwest::multipart::{Form, Part};

use super::account::{Account, Answer, send};
use super::redact::hex;
use super::wait::eventually;

/// The smallest of pictures: one pixel.
pub const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// Sends a form with a text and a file that says it is `declared`.
pub async fn upload(somebody: &Account, declared: &str, bytes: Vec<u8>) -> Answer {
    let file = Part::bytes(bytes).file_name("me").mime_str(declared).expect("a type");
    let form = Form::new().text("title", "me").part("avatar", file);
    send(
        somebody
            .request(Method::POST, "/api/profile/upload-avatar")
            .multipart(form),
    )
    .await
}

/// Uploads a picture and gives the path where it is.
pub async fn uploaded(somebody: &Account, bytes: &[u8]) -> String {
    let answer = upload(somebody, "image/png", bytes.to_vec()).await.ok();
    assert_eq!(answer["message"], "Avatar updated");
    let url = answer["avatar_url"].as_str().expect("an address");
    assert_eq!(somebody.get("/api/profile").await.ok()["avatar_url"], url);
    let path = url
        .strip_prefix(&somebody.anonymous.url)
        .expect("an address of this server");
    assert!(
        path.strip_prefix("/api/avatars/").is_some_and(|name| hex(name, 32)),
        "{path}"
    );
    path.to_owned()
}

/// The status of a picture. Nobody need be signed in to look.
pub async fn look(somebody: &Account, path: &str) -> u16 {
    somebody.anonymous.ask(Method::GET, path, None).await.status
}

/// Waits until a picture is no more.
pub async fn gone(somebody: &Account, path: &str) {
    eventually("the picture to be gone", async || {
        (look(somebody, path).await == 404).then_some(())
    })
    .await;
}
