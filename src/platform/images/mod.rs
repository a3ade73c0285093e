//! Where pictures are kept: the bucket that also has the recordings.
mod image;

use std::collections::HashMap;

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use protocol::ids::ObjectId;
use protocol::recording::BINDING;
use worker::{Bucket, Env, HttpMetadata};

use super::background::Background;
use super::error::ApiError;
use super::log;

pub use image::{ImageId, Kind, Shelf};

/// The field of an object that says whose picture it is.
const OWNER: &str = "owner";

/// What goes with a picture. Another one has another name, so it may be kept for as long as anybody likes; and whatever
/// somebody managed to put into a file, a browser that opens it by itself does nothing with it.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    (header::CONTENT_DISPOSITION, "inline"),
];

/// The answer that shows a picture.
pub fn shown(media_type: String, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, media_type)], HEADERS, bytes).into_response()
}

/// The pictures of a shelf.
pub struct Images {
    bucket: Bucket,
    shelf: Shelf,
}

impl Images {
    /// Those of this deployment.
    pub fn new(env: &Env, shelf: Shelf) -> Result<Self, ApiError> {
        let bucket = env.bucket(BINDING).map_err(|_| ApiError::unbound(BINDING))?;
        Ok(Self { bucket, shelf })
    }

    /// Keeps a picture of `owner`'s.
    pub async fn put(&self, id: &ImageId, kind: Kind, bytes: Vec<u8>, owner: &ObjectId) -> Result<(), ApiError> {
        let about = HttpMetadata {
            content_type: Some(kind.media_type().to_owned()),
            ..HttpMetadata::default()
        };
        let owner = HashMap::from([(OWNER.to_owned(), owner.to_string())]);
        let put = self.bucket.put(self.shelf.key(id), bytes);
        put.http_metadata(about).custom_metadata(owner).execute().await?;
        Ok(())
    }

    /// A picture and its media type.
    pub async fn find(&self, id: &ImageId) -> Result<Option<(String, Vec<u8>)>, ApiError> {
        let key = self.shelf.key(id);
        let Some(object) = self.bucket.get(&key).execute().await? else {
            return Ok(None);
        };
        match (object.http_metadata().content_type, object.body()) {
            (Some(media_type), Some(body)) => Ok(Some((media_type, body.bytes().await?))),
            _ => Err(ApiError::internal(format!("the object {key} is no picture"))),
        }
    }

    /// Removes pictures.
    pub async fn remove(&self, ids: Vec<ImageId>) -> Result<(), ApiError> {
        for id in &ids {
            self.bucket.delete(self.shelf.key(id)).await?;
        }
        Ok(())
    }

    /// Removes pictures after the answer, each if it is of the account named with it: whoever gives somebody else's as their
    /// own does not remove it.
    pub fn forget(self, background: &Background, images: Vec<(ObjectId, ImageId)>) {
        background.run(async move {
            for (owner, id) in images {
                if let Err(error) = self.remove_own(&id, &owner.to_string()).await {
                    log::error(&format!("the object {} stays behind: {error}", self.shelf.key(&id)));
                }
            }
        });
    }

    async fn remove_own(&self, id: &ImageId, owner: &str) -> worker::Result<()> {
        let key = self.shelf.key(id);
        let Some(object) = self.bucket.head(&key).await? else {
            return Ok(());
        };
        match object.custom_metadata()?.get(OWNER).is_some_and(|of| of == owner) {
            true => self.bucket.delete(key).await,
            false => Ok(()),
        }
    }
}
