//! One's own avatar: an address of the web, or a file that is kept here and shown to whoever knows its name.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::profile::{Avatar, AvatarFile, AvatarForm, UploadAvatar};
use protocol::ids::ObjectId;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::accounts::store::own;
use crate::features::profile::store;
use crate::features::profile::upload::{NewAvatar, Upload};
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::images::{ImageId, Shelf, shown};

/// Sets the caller's picture: by its address, or as a file.
#[utoipa::path(post, path = "/api/profile/upload-avatar", summary = "Set one's picture",
    request_body(content((UploadAvatar = "application/json"), (AvatarForm = "multipart/form-data"))),
    responses((status = 200, description = "The picture's address", body = Enveloped<Avatar>),
        (status = 400, description = "Not an address of the web, or not a picture", body = ErrorBody),
        (status = 413, description = "A picture of more than 256 KiB", body = ErrorBody)))]
pub async fn upload_avatar(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    upload: Upload,
) -> Result<Response, ApiError> {
    let avatar = upload.avatar().await?;
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    let avatar_url = match avatar {
        NewAvatar::At(address) => {
            change(&app, &caller, Some(&address)).await?;
            address
        }
        NewAvatar::File(kind, bytes) => {
            let (avatars, id) = (app.images(Shelf::Avatars)?, ImageId::random()?);
            avatars.put(&id, kind, bytes, caller.id()).await?;
            let address = Shelf::Avatars.address(&id, app.config.base_url.as_deref());
            if let Err(error) = change(&app, &caller, Some(&address)).await {
                avatars.forget(app.background(), vec![(caller.id().clone(), id)]);
                return Err(error);
            }
            address
        }
    };
    envelope.reply(StatusCode::OK, "Avatar updated", &Avatar { avatar_url })
}

/// Removes the caller's picture. Succeeds also if there is none.
#[utoipa::path(delete, path = "/api/profile/avatar", summary = "Remove one's picture",
    responses((status = 200, description = "There is none now", body = Message)))]
pub async fn delete_avatar(app: App, credentials: Credentials) -> Result<Json<Message>, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    change(&app, &caller, None).await?;
    Ok(Json(Message {
        message: "Avatar removed".to_owned(),
    }))
}

/// Shows a picture. Its name is known to whoever may see the account it belongs to, and nobody guesses it.
#[utoipa::path(get, path = "/api/avatars/{avatar_id}", summary = "Look at a picture",
    params(("avatar_id" = String, Path, description = "The end of an `avatar_url`: 32 lowercase hex characters")),
    responses((status = 200, description = "The picture, which never changes", content((AvatarFile = "image/png"),
            (AvatarFile = "image/jpeg"), (AvatarFile = "image/webp"), (AvatarFile = "image/gif"))),
        (status = 404, description = "There is no such picture", body = ErrorBody)))]
pub async fn read_avatar(app: App, PathParam(avatar_id): PathParam) -> Result<Response, ApiError> {
    let absent = || ApiError::not_found("Avatar not found");
    let id = ImageId::parse(&avatar_id).ok_or_else(absent)?;
    let (media_type, bytes) = app.images(Shelf::Avatars)?.find(&id).await?.ok_or_else(absent)?;
    Ok(shown(media_type, bytes))
}

/// Sets or removes the address of the caller's avatar. What was a file of ours and is shown no more is removed.
async fn change(app: &App, caller: &Caller, address: Option<&str>) -> Result<(), ApiError> {
    let event = caller
        .event(Action::ProfileUpdated, Resource::User)
        .on(caller.id())
        .detail("avatar_url", address);
    let batch = (
        store::find_avatar(caller),
        own::set_avatar(caller, address, &now()),
        audit::record(&event),
    );
    let (before, _, _) = app.db()?.run(batch).await?;
    let kept = address.and_then(at);
    let before = before.into_iter().filter_map(|row| row.avatar_url);
    let gone = before.filter(|before| at(before) != kept);
    forget_avatars(app, gone.map(|address| (caller.id().clone(), Some(address))));
    Ok(())
}

/// The avatar of ours that may be at an address.
fn at(address: &str) -> Option<ImageId> {
    Shelf::Avatars.at(address)
}

/// Removes after the answer, of what these accounts were seen as, the avatars that are theirs and are kept here.
pub fn forget_avatars(app: &App, seen_as: impl IntoIterator<Item = (ObjectId, Option<String>)>) {
    let ours = |(owner, address): (_, Option<String>)| Some((owner, at(&address?)?));
    let avatars: Vec<(ObjectId, ImageId)> = seen_as.into_iter().filter_map(ours).collect();
    // A server without a bucket has none, and has said so in its log.
    if !avatars.is_empty()
        && let Ok(kept) = app.images(Shelf::Avatars)
    {
        kept.forget(app.background(), avatars);
    }
}
