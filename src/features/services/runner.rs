//! Asking the runner of a service. What it refuses is answered in the words of the contract, with the field and the limit besides.
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::services::{Answer, Ask, CONFIGS, MAX_DOWNLOAD, MAX_WRITTEN, Place, Refusal};

use super::access::{ServiceAccess, absent};
use crate::audit::{self, Event};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::relay_stub::FileRead;

/// How files are named that are asked for.
const FILE_NAMES: &str =
    "must have 1 to 255 bytes, without slashes and control characters, and not be . or .. or begin with .vsay-";

/// Has a file changed, and remembers it. What may have been done is remembered as a failure, and what was not is not.
pub async fn change(app: &App, access: &ServiceAccess, ask: Ask, place: &Place, event: Event) -> Result<(), ApiError> {
    let relay = app.relay(access.machine())?;
    let doubt = match relay.ask_runner(access.directory(), ask).await? {
        RunnerAnswer::Answered { answer: Answer::Done } => None,
        RunnerAnswer::Silent => Some(silent()),
        other => return Err(refusal(other, place)),
    };
    let event = match &doubt {
        Some(error) => event.failed(error.status().as_u16(), error.text()),
        None => event,
    };
    app.db()?.run(audit::record(&event)).await?;
    doubt.map_or(Ok(()), Err)
}

/// Reads a file from its beginning, as much of it as comes at once.
pub async fn read(app: &App, access: &ServiceAccess, place: Place) -> Result<FileRead, ApiError> {
    let relay = app.relay(access.machine())?;
    let read = relay.read_file(access.directory(), place.clone(), 0, None).await?;
    read.map_err(|answer| refusal(answer, &place))
}

/// Why a runner has not done something with a file.
pub fn refusal(answer: RunnerAnswer, place: &Place) -> ApiError {
    match answer {
        RunnerAnswer::Offline => offline(),
        RunnerAnswer::Silent => silent(),
        RunnerAnswer::Answered {
            answer: Answer::Refused { refusal },
        } => refused(refusal, place),
        RunnerAnswer::Answered { .. } => ApiError::internal("the runner has answered something else"),
    }
}

fn refused(refusal: Refusal, place: &Place) -> ApiError {
    match refusal {
        Refusal::NoService => absent(),
        Refusal::NotAllowed => not_allowed(place),
        Refusal::Traversal => traversal("must name a file, and no link"),
        Refusal::NotFound => ApiError::not_found(format!("File '{}' not found", name(place))),
        Refusal::TooLarge { size } => too_large(size, place),
        Refusal::InvalidYaml { reason } => ApiError::refused_field(
            "content",
            "must be one YAML document",
            format!("Invalid YAML: {reason}"),
        ),
        Refusal::Changed => ApiError::conflict("file_changed", "The file changes while it is read: try again"),
        Refusal::Busy => ApiError::unavailable("runner_busy", "Runner is busy: try again"),
        Refusal::TooOld => ApiError::unavailable(
            "runner_too_old",
            "Runner's agent is too old to run playbooks: install a newer one",
        ),
        Refusal::Failed { error } => ApiError::unavailable("runner_failed", format!("Runner failed: {error}")),
    }
}

/// 503 in the words of the contract: nothing was done.
pub fn offline() -> ApiError {
    ApiError::unavailable("runner_offline", "Runner is not connected")
}

/// It was asked, and it is not known what it has done.
fn silent() -> ApiError {
    let text = "Runner did not answer: look whether it is done before you try again";
    ApiError::unavailable("runner_silent", text)
}

/// 400: the way to a file may lead out of its directory.
fn traversal(message: &str) -> ApiError {
    ApiError::refused_field("filename", message, "Path traversal detected")
}

/// 400: no file of that name may be asked for.
pub fn not_allowed(place: &Place) -> ApiError {
    let Place::Config { name } = place else {
        return traversal(FILE_NAMES);
    };
    ApiError::refused_field(
        "filename",
        format!("must be one of {}", CONFIGS.join(", ")),
        format!("File '{name}' is not allowed"),
    )
}

fn too_large(size: u64, place: &Place) -> ApiError {
    let most = match place {
        Place::Config { .. } => MAX_WRITTEN as u64,
        Place::File { .. } => MAX_DOWNLOAD,
    };
    ApiError::refused_field(
        "filename",
        format!("must name a file of at most {most} bytes"),
        format!("File too large ({size} bytes)"),
    )
}

fn name(place: &Place) -> &str {
    match place {
        Place::Config { name } | Place::File { name, .. } => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Place {
        Place::Config {
            name: "config.yaml".to_owned(),
        }
    }

    fn said(refusal: Refusal) -> (u16, String, String) {
        let answer = Answer::Refused { refusal };
        let error = super::refusal(RunnerAnswer::Answered { answer }, &config());
        let fields = error
            .fields()
            .iter()
            .map(|fault| format!("{} {}", fault.field, fault.message));
        (
            error.status().as_u16(),
            error.text().to_owned(),
            fields.collect::<Vec<_>>().join(", "),
        )
    }

    #[test]
    fn what_a_runner_refuses_is_said_in_the_words_of_the_contract_with_field_and_limit() {
        let reason = "line 2: a key is there twice".to_owned();
        for (refusal, status, text, fields) in [
            (Refusal::NoService, 404, "Service not found", ""),
            (
                Refusal::NotAllowed,
                400,
                "File 'config.yaml' is not allowed",
                "filename must be one of config.yaml, instance.yaml, outputs.yaml, scripts.yaml",
            ),
            (
                Refusal::Traversal,
                400,
                "Path traversal detected",
                "filename must name a file, and no link",
            ),
            (Refusal::NotFound, 404, "File 'config.yaml' not found", ""),
            (
                Refusal::TooLarge { size: 200_000 },
                400,
                "File too large (200000 bytes)",
                "filename must name a file of at most 102400 bytes",
            ),
            (
                Refusal::InvalidYaml { reason },
                400,
                "Invalid YAML: line 2: a key is there twice",
                "content must be one YAML document",
            ),
        ] {
            assert_eq!(said(refusal), (status, text.to_owned(), fields.to_owned()));
        }
        for (refusal, status) in [(Refusal::Changed, 409), (Refusal::Busy, 503), (Refusal::TooOld, 503)] {
            assert_eq!(said(refusal).0, status);
        }
        let error = "No space left on device".to_owned();
        assert_eq!(
            said(Refusal::Failed { error }).1,
            "Runner failed: No space left on device"
        );
        for (answer, text) in [
            (RunnerAnswer::Offline, "Runner is not connected"),
            (
                RunnerAnswer::Silent,
                "Runner did not answer: look whether it is done before you try again",
            ),
        ] {
            let error = super::refusal(answer, &config());
            assert_eq!((error.status().as_u16(), error.text()), (503, text));
        }
    }
}
