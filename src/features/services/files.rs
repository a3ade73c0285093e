//! The files of a service's `inputs` and `outputs`, at its runner.
use axum::response::Response;
use chrono::DateTime;
use protocol::api::error::ErrorBody;
use protocol::api::services::{FileBody, FileDone, FileEntry, FileForm, FileList, WriteFile};
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::services::{Answer, Ask, MAX_WRITTEN, Place, Subdir, is_file_name};

use super::access::ServiceAccess;
use super::{download, runner};
use crate::audit::Action;
use crate::auth::caller::Credentials;
use crate::http::extract::{PathPair, PathTriple, ValidJson};
use crate::http::json_text::Json;
use crate::http::multipart::Form;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the files right below one of the two directories, backups too.
#[utoipa::path(get, path = "/api/services/{name}/files/{subdir}", summary = "List a service's files",
    params(("name" = String, Path, description = "The service's `name`"), ("subdir" = String, Path, description = "Where")),
    responses((status = 200, description = "The files by name; none if there is no such directory", body = FileList),
        (status = 400, description = "It is another directory, or a link", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn list_files(
    app: App,
    credentials: Credentials,
    PathPair(name, subdir): PathPair,
) -> Result<Json<FileList>, ApiError> {
    let (access, subdir) = ServiceAccess::load_with(&app, credentials, &name, parse(&subdir)).await?;
    let ask = Ask::List { subdir, after: None };
    let relay = app.relay(access.machine())?;
    let (files, more) = match relay.ask_runner(access.directory(), ask).await? {
        RunnerAnswer::Answered {
            answer: Answer::Files { files, more },
        } => (files, more),
        other => return Err(runner::refusal(other, &file(subdir, ""))),
    };
    let files = files.into_iter().map(|file| FileEntry {
        name: file.name,
        size: file.size,
        modified: DateTime::from_timestamp_millis(i64::try_from(file.modified_ms).unwrap_or(0)).unwrap_or_default(),
    });
    let files = files.collect();
    Ok(Json(FileList { files, more }))
}

/// Downloads a file, as it is now. One that changes on the way breaks off, so that no part is taken for the whole.
#[utoipa::path(get, path = "/api/services/{name}/files/{subdir}/{file_name}", summary = "Download a service's file",
    params(("name" = String, Path, description = "The service's `name`"), ("subdir" = String, Path, description = "Where"),
        ("file_name" = String, Path, description = "The file's name")),
    responses((status = 200, description = "The file, with the kind that its name says", content((FileBody = "application/octet-stream"),
            (FileBody = "application/json"), (FileBody = "application/yaml"), (FileBody = "text/plain; charset=utf-8"),
            (FileBody = "text/csv; charset=utf-8"))),
        (status = 400, description = "No such directory can be asked for, or no file of such a name, or it is a link or has more than \
            64 MiB", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization, or it has no such file", body = ErrorBody),
        (status = 409, description = "It changes while it is read", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn download_file(
    app: App,
    credentials: Credentials,
    PathTriple(name, subdir, filename): PathTriple,
) -> Result<Response, ApiError> {
    let (access, subdir) = ServiceAccess::load_with(&app, credentials, &name, parse(&subdir)).await?;
    let place = place(subdir, &filename)?;
    let first = runner::read(&app, &access, place.clone()).await?;
    download::answer(app, access, place, &filename, first)
}

/// Stores a file under the name that it has in the form, over the one that has it.
#[utoipa::path(post, path = "/api/services/{name}/files/{subdir}", summary = "Upload a file of a service",
    params(("name" = String, Path, description = "The service's `name`"), ("subdir" = String, Path, description = "Where")),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "It is stored", body = FileDone),
        (status = 400, description = "It is another directory, the form has no file, or one that may not be called so, is a link there or \
            has more than 102,400 bytes", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn upload_file(
    app: App,
    credentials: Credentials,
    PathPair(name, subdir): PathPair,
    form: Form,
) -> Result<Json<FileDone>, ApiError> {
    let (access, subdir) = ServiceAccess::load_with(&app, credentials, &name, parse(&subdir)).await?;
    let file = form.first_file().await?;
    let file = file.ok_or_else(|| ApiError::invalid_field("file", "is required: a form with a file"))?;
    let place = place(subdir, &file.name)?;
    write(&app, &access, place, file.bytes, Action::ServiceFileUploaded).await?;
    Ok(done("uploaded", file.name))
}

/// Writes a text file, over the one that has the name.
#[utoipa::path(put, path = "/api/services/{name}/files/{subdir}/{file_name}", summary = "Write a service's file",
    params(("name" = String, Path, description = "The service's `name`"), ("subdir" = String, Path, description = "Where"),
        ("file_name" = String, Path, description = "The file's name")), request_body = WriteFile,
    responses((status = 200, description = "It is written", body = FileDone),
        (status = 400, description = "It is another directory, the file may not be called so, is a link or would have more than 102,400 \
            bytes", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn write_file(
    app: App,
    credentials: Credentials,
    PathTriple(name, subdir, filename): PathTriple,
    ValidJson(request): ValidJson<WriteFile>,
) -> Result<Json<FileDone>, ApiError> {
    let (access, subdir) = ServiceAccess::load_with(&app, credentials, &name, parse(&subdir)).await?;
    let content = request.content.into_bytes();
    write(
        &app,
        &access,
        place(subdir, &filename)?,
        content,
        Action::ServiceFileEdited,
    )
    .await?;
    Ok(done("saved", filename))
}

/// Deletes a file. It stays beside as `<name>.backup`.
#[utoipa::path(delete, path = "/api/services/{name}/files/{subdir}/{file_name}", summary = "Delete a service's file",
    params(("name" = String, Path, description = "The service's `name`"), ("subdir" = String, Path, description = "Where"),
        ("file_name" = String, Path, description = "The file's name")),
    responses((status = 200, description = "It is deleted", body = FileDone),
        (status = 400, description = "It is another directory, or no file may be called so, or it is a link", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization, or it has no such file", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn delete_file(
    app: App,
    credentials: Credentials,
    PathTriple(name, subdir, filename): PathTriple,
) -> Result<Json<FileDone>, ApiError> {
    let (access, subdir) = ServiceAccess::load_with(&app, credentials, &name, parse(&subdir)).await?;
    let place = place(subdir, &filename)?;
    let event = access.event(Action::ServiceFileDeleted, &path(&place));
    let ask = Ask::Delete { place: place.clone() };
    runner::change(&app, &access, ask, &place, event).await?;
    Ok(done("deleted", filename))
}

async fn write(
    app: &App,
    access: &ServiceAccess,
    place: Place,
    content: Vec<u8>,
    action: Action,
) -> Result<(), ApiError> {
    if content.len() > MAX_WRITTEN {
        let text = format!("File too large ({} bytes, max {MAX_WRITTEN})", content.len());
        return Err(ApiError::refused_field(
            "file",
            format!("must have at most {MAX_WRITTEN} bytes"),
            text,
        ));
    }
    let event = access.event(action, &path(&place));
    let ask = Ask::Write {
        place: place.clone(),
        content,
    };
    runner::change(app, access, ask, &place, event).await
}

/// A directory that may be asked for.
fn parse(subdir: &str) -> Result<Subdir, ApiError> {
    let known = [Subdir::Inputs, Subdir::Outputs].into_iter();
    let mut named = known.filter(|known| known.as_str() == subdir);
    named.next().ok_or_else(|| {
        let text = "Subdirectory must be one of: inputs, outputs";
        ApiError::refused_field("subdir", "must be inputs or outputs", text)
    })
}

fn file(subdir: Subdir, name: &str) -> Place {
    Place::File {
        subdir,
        name: name.to_owned(),
    }
}

/// Where a file is, if it may be called so.
fn place(subdir: Subdir, name: &str) -> Result<Place, ApiError> {
    let place = file(subdir, name);
    match is_file_name(name) {
        true => Ok(place),
        false => Err(runner::not_allowed(&place)),
    }
}

/// What a file is called in the log.
fn path(place: &Place) -> String {
    match place {
        Place::File { subdir, name } => format!("files/{}/{name}", subdir.as_str()),
        Place::Config { name } => format!("configs/{name}"),
    }
}

fn done(status: &str, filename: String) -> Json<FileDone> {
    let status = status.to_owned();
    Json(FileDone { status, filename })
}
