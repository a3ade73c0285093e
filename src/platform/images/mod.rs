//! Where avatars are kept: the bucket that also has the recordings.
pub mod avatar;

use std::collections::HashMap;

use protocol::ids::ObjectId;
use protocol::recording::BINDING;
use worker::{Bucket, Env, HttpMetadata};

use super::background::Background;
use super::error::ApiError;
use super::log;

use avatar::{AvatarId, Kind};

/// The field of an object that says whose avatar it is.
const OWNER: &str = "owner";

/// The avatars of all people.
pub struct Avatars(Bucket);

impl Avatars {
    /// The avatars of this deployment.
    pub fn new(env: &Env) -> Result<Self, ApiError> {
        env.bucket(BINDING).map(Self).map_err(|_| ApiError::unbound(BINDING))
    }

    /// Keeps an avatar of `owner`.
    pub async fn put(&self, id: &AvatarId, kind: Kind, bytes: Vec<u8>, owner: &ObjectId) -> Result<(), ApiError> {
        let about = HttpMetadata {
            content_type: Some(kind.media_type().to_owned()),
            ..HttpMetadata::default()
        };
        let owner = HashMap::from([(OWNER.to_owned(), owner.to_string())]);
        let put = self.0.put(id.key(), bytes).http_metadata(about).custom_metadata(owner);
        put.execute().await?;
        Ok(())
    }

    /// An avatar and its media type.
    pub async fn find(&self, id: &AvatarId) -> Result<Option<(String, Vec<u8>)>, ApiError> {
        let Some(object) = self.0.get(id.key()).execute().await? else {
            return Ok(None);
        };
        match (object.http_metadata().content_type, object.body()) {
            (Some(media_type), Some(body)) => Ok(Some((media_type, body.bytes().await?))),
            _ => Err(ApiError::internal(format!("the object {} is no avatar", id.key()))),
        }
    }

    /// Removes avatars after the answer, each if it is of the account named with it: whoever gives somebody else's as their
    /// own does not remove it.
    pub fn forget(self, background: &Background, avatars: Vec<(ObjectId, AvatarId)>) {
        background.run(async move {
            for (owner, id) in avatars {
                if let Err(error) = self.remove(&id, &owner.to_string()).await {
                    log::error(&format!("the object {} stays behind: {error}", id.key()));
                }
            }
        });
    }

    async fn remove(&self, id: &AvatarId, owner: &str) -> worker::Result<()> {
        let Some(object) = self.0.head(id.key()).await? else {
            return Ok(());
        };
        match object.custom_metadata()?.get(OWNER).is_some_and(|of| of == owner) {
            true => self.0.delete(id.key()).await,
            false => Ok(()),
        }
    }
}
