//! Pictures of issues and fixes: kept in the bucket, and shown to whoever knows their names.
use axum::body::{Bytes, to_bytes};
use axum::http::header;
use axum::response::Response;
use futures_util::future::BoxFuture;
use protocol::api::community::{ImageFile, ImageForm, ImageUploaded, MAX_IMAGE_BYTES};
use protocol::api::error::ErrorBody;

use crate::auth::caller::Credentials;
use crate::features::community::store::pictures::{self, MAX_UNUSED};
use crate::http::argument::{Argument, Asked, Step};
use crate::http::extract::{PathParam, is_form};
use crate::http::json_text::Json;
use crate::http::multipart;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::images::{ImageId, Kind, Shelf, shown};

/// What a form may have around its file, in bytes: delimiters, headers, and a field or two that nobody reads.
const FORM_MARGIN: usize = 16 * 1024;

/// The body of a request. What is wrong with it is said only to those who may send one.
pub enum Form {
    /// A form that has not been looked into.
    Sent { content_type: String, bytes: Bytes },
    /// Something else.
    Absent,
}

impl Form {
    /// Larger than other bodies may be, so it is read by a bound of its own.
    fn read(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async {
            if is_form(&asked.parts.headers) {
                let bytes = to_bytes(asked.body(), MAX_IMAGE_BYTES + FORM_MARGIN).await;
                asked.read(bytes.map_err(|_| too_large())?);
            }
            Ok(())
        })
    }
}

impl Argument for Form {
    const FIRST: Option<Step> = Some(Self::read);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        if !is_form(&asked.parts.headers) {
            return Ok(Self::Absent);
        }
        let content_type = asked.parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self::Sent {
            content_type: content_type.to_owned(),
            bytes: asked.bytes(),
        })
    }
}

/// Keeps a picture for an issue or a fix. One that nothing shows a day later is removed.
#[utoipa::path(post, path = "/api/community/upload", summary = "Upload a picture",
    request_body(content = ImageForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The picture's address", body = ImageUploaded),
        (status = 400, description = "Not a PNG, JPEG or WebP file, or one of more than 10 MiB", body = ErrorBody),
        (status = 409, description = "The caller has 50 pictures that nothing shows", body = ErrorBody)))]
pub async fn upload_image(app: App, credentials: Credentials, form: Form) -> Result<Json<ImageUploaded>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let Form::Sent { content_type, bytes } = form else {
        return Err(absent());
    };
    let file = multipart::first_file(&content_type, &bytes).await?;
    let (kind, bytes) = accept(file.ok_or_else(absent)?.bytes)?;
    let (images, id) = (app.images(Shelf::Community)?, ImageId::random()?);
    // First the row: of an object without one nobody knows that it is there.
    if db.run(pictures::add(caller.id(), &id, &now())).await?.is_empty() {
        return Err(ApiError::conflict(
            "unused_images",
            format!("You have uploaded {MAX_UNUSED} pictures that nothing shows: use them, or wait a day"),
        ));
    }
    images.put(&id, kind, bytes, caller.id()).await?;
    Ok(Json(ImageUploaded {
        message: "Image uploaded successfully".to_owned(),
        url: Shelf::Community.address(&id, app.config.base_url.as_deref()),
    }))
}

/// Shows a picture. Its name is known to whoever may read what it belongs to, and nobody guesses it.
#[utoipa::path(get, path = "/api/community/images/{image_id}", summary = "Look at a picture of the community",
    params(("image_id" = String, Path, description = "The end of a picture's address: 32 lowercase hex characters")),
    responses((status = 200, description = "The picture, which never changes", content((ImageFile = "image/png"),
            (ImageFile = "image/jpeg"), (ImageFile = "image/webp"))),
        (status = 404, description = "There is no such picture", body = ErrorBody)))]
pub async fn read_image(app: App, PathParam(image_id): PathParam) -> Result<Response, ApiError> {
    let absent = || ApiError::not_found("Image not found");
    let id = ImageId::parse(&image_id).ok_or_else(absent)?;
    let (media_type, bytes) = app.images(Shelf::Community)?.find(&id).await?.ok_or_else(absent)?;
    Ok(shown(media_type, bytes))
}

fn accept(bytes: Vec<u8>) -> Result<(Kind, Vec<u8>), ApiError> {
    if bytes.len() > MAX_IMAGE_BYTES {
        return Err(too_large());
    }
    match Kind::of(&bytes) {
        Some(kind @ (Kind::Png | Kind::Jpeg | Kind::Webp)) => Ok((kind, bytes)),
        _ => Err(ApiError::bad_request(
            "Invalid file type. Only JPEG, PNG, and WebP are allowed",
        )),
    }
}

fn absent() -> ApiError {
    ApiError::bad_request("No image provided")
}

fn too_large() -> ApiError {
    ApiError::bad_request("File size exceeds 10MB limit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::Request;

    use crate::http::argument::taken;

    #[test]
    fn a_picture_is_known_by_its_bytes_and_bounded() {
        assert!(matches!(accept(b"\xff\xd8\xff\xe0".to_vec()), Ok((Kind::Jpeg, _))));
        let text = |bytes: Vec<u8>| accept(bytes).unwrap_err().text().to_owned();
        for other in [&b"GIF89a"[..], b"<svg/>", b""] {
            assert!(text(other.to_vec()).starts_with("Invalid file type"));
        }
        let mut largest = b"\xff\xd8\xff".to_vec();
        largest.resize(MAX_IMAGE_BYTES, 0);
        assert!(accept(largest.clone()).is_ok());
        largest.push(0);
        assert_eq!(text(largest), "File size exceeds 10MB limit");
    }

    #[tokio::test]
    async fn a_form_is_bounded_before_it_is_looked_into() {
        let sent = async |content_type: &str, length: usize| {
            let request = Request::post("/").header("content-type", content_type);
            let request = request.body(Body::from(vec![0; length])).unwrap();
            let form: Result<Form, ApiError> = taken(request).await;
            let length = form.map(|form| match form {
                Form::Sent { bytes, .. } => Some(bytes.len()),
                Form::Absent => None,
            });
            length.map_err(|error| error.text().to_owned())
        };
        let form = "multipart/form-data; boundary=x";
        let most = MAX_IMAGE_BYTES + FORM_MARGIN;
        assert_eq!(sent(form, most).await, Ok(Some(most)));
        assert_eq!(
            sent(form, most + 1).await,
            Err("File size exceeds 10MB limit".to_owned())
        );
        assert_eq!(sent("image/png", 3).await, Ok(None));
    }
}
