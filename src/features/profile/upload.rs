//! What people send for their avatar: where it is, or the file itself.
use axum::body::Bytes;
use axum::http::header;
use protocol::api::profile::{MAX_AVATAR_BYTES, UploadAvatar};

use crate::http::argument::{Argument, Asked, Step, read_body};
use crate::http::extract::{ValidJson, is_form};
use crate::http::multipart;
use crate::platform::error::ApiError;
use crate::platform::images::Kind;

/// What a form may have around its file, in bytes: delimiters, headers, and a field or two that nobody reads.
const FORM_MARGIN: usize = 16 * 1024;

/// The field of a form that is wrong, if its file is.
const FIELD: &str = "avatar";

/// The body of a request.
pub enum Upload {
    Address(UploadAvatar),
    /// A form that has not been looked into.
    Form {
        content_type: String,
        bytes: Bytes,
    },
}

/// What somebody is to be seen as.
#[derive(Debug)]
pub enum NewAvatar {
    /// At an address of the web.
    At(String),
    /// A file of at most [`MAX_AVATAR_BYTES`].
    File(Kind, Vec<u8>),
}

impl Argument for Upload {
    const FIRST: Option<Step> = Some(read_body);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        if !is_form(&asked.parts.headers) {
            let ValidJson(address) = ValidJson::of(asked)?;
            return Ok(Self::Address(address));
        }
        let content_type = asked.parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.to_owned();
        let bytes = asked.bytes();
        if bytes.len() > MAX_AVATAR_BYTES + FORM_MARGIN {
            return Err(too_large());
        }
        Ok(Self::Form { content_type, bytes })
    }
}

impl Upload {
    /// The avatar: of a form, its first file.
    pub async fn avatar(self) -> Result<NewAvatar, ApiError> {
        let (content_type, bytes) = match self {
            Self::Address(UploadAvatar { avatar_url }) => return Ok(NewAvatar::At(avatar_url)),
            Self::Form { content_type, bytes } => (content_type, bytes),
        };
        let file = multipart::first_file(&content_type, &bytes).await?;
        let file = file.ok_or_else(|| ApiError::invalid_field(FIELD, "is required: a picture as a file"))?;
        accept(file.bytes)
    }
}

fn accept(bytes: Vec<u8>) -> Result<NewAvatar, ApiError> {
    if bytes.len() > MAX_AVATAR_BYTES {
        return Err(too_large());
    }
    match Kind::of(&bytes) {
        Some(kind) => Ok(NewAvatar::File(kind, bytes)),
        None => Err(ApiError::invalid_field(
            FIELD,
            "must be a PNG, JPEG, WebP or GIF picture",
        )),
    }
}

fn too_large() -> ApiError {
    ApiError::over_limit(format!("A picture may have at most {} KiB", MAX_AVATAR_BYTES / 1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;

    use crate::http::argument::taken;

    fn file(length: usize) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.resize(length, 0);
        bytes
    }

    #[test]
    fn an_avatar_may_be_as_large_as_its_bound_and_no_larger() {
        let largest = accept(file(MAX_AVATAR_BYTES)).unwrap();
        assert!(matches!(largest, NewAvatar::File(Kind::Gif, bytes) if bytes.len() == MAX_AVATAR_BYTES));
        let error = accept(file(MAX_AVATAR_BYTES + 1)).unwrap_err();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(error.text(), "A picture may have at most 256 KiB");
    }

    #[test]
    fn a_file_that_is_no_avatar_is_refused_by_field() {
        for bytes in [&b""[..], b"<svg/>"] {
            let error = accept(bytes.to_vec()).unwrap_err();
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            assert!(error.text().starts_with("avatar must be a PNG"), "{}", error.text());
        }
    }

    async fn sent(content_type: &str, body: Vec<u8>) -> Result<Upload, ApiError> {
        let request = Request::post("/").header("content-type", content_type);
        taken(request.body(Body::from(body)).unwrap()).await
    }

    #[tokio::test]
    async fn a_body_is_an_address_or_a_form_of_bounded_size() {
        let address = br#"{"avatar_url":"https://example.org/a.png"}"#.to_vec();
        let form = "Multipart/Form-Data; boundary=x";
        assert!(matches!(
            sent("application/json", address.clone()).await,
            Ok(Upload::Address(_))
        ));
        assert!(matches!(sent(form, address.clone()).await, Ok(Upload::Form { .. })));
        let status = |refused: Result<Upload, ApiError>| refused.err().unwrap().status();
        assert_eq!(status(sent("image/png", address).await), StatusCode::BAD_REQUEST);
        let huge = vec![0; MAX_AVATAR_BYTES + FORM_MARGIN + 1];
        assert_eq!(status(sent(form, huge).await), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
