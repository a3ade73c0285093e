//! Handing things out.
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::api::error::ErrorBody;

use crate::http::extract::PathParam;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Where the installer is among the files, without the address of this edge.
const SCRIPT: &str = "/install.sh";

/// What stands in it for that address, within single quotes.
const ADDRESS: &str = "@EDGE@";

/// Largest installer, in bytes: several times what it has.
const MAX_SCRIPT: usize = 256 * 1024;

/// Longest name of a file that is repeated in an answer, in characters. Ours have thirty.
const MAX_NAME: usize = 100;

/// Ends of the names of what is for other systems than Linux.
const FOREIGN: [&str; 5] = [".dmg", ".pkg", ".exe", ".msi", ".zip"];

/// The script that makes a computer a machine of this edge, for `sh`. `--help` says what it does and with which words.
#[utoipa::path(get, path = "/install.sh", summary = "Get the installer",
    responses((status = 200, description = "The script", body = String, content_type = "text/plain"),
        (status = 404, description = "This edge hands nothing out", body = ErrorBody)))]
pub async fn install_script(app: App) -> Result<Response, ApiError> {
    let address = app.address()?;
    let file = app.asset(SCRIPT).await?;
    if file.status() != StatusCode::OK {
        return Err(ApiError::not_found("This edge was deployed without an installer"));
    }
    let bytes = to_bytes(file.into_body(), MAX_SCRIPT).await;
    let script = String::from_utf8(bytes.map_err(ApiError::internal)?.into()).map_err(ApiError::internal)?;
    // As plain text a browser shows it to whoever reads before running.
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, script.replace(ADDRESS, &address)).into_response())
}

/// A package of the agent, such as `vsay-agent-x86_64.tar.gz`; with `.sha256` after it its checksum, with `.minisig` its
/// signature by the key in `vsay.pub`.
#[utoipa::path(get, path = "/agent/download/{filename}", summary = "Get the agent",
    params(("filename" = String, Path, description = "The file's name")),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such file", body = ErrorBody)))]
pub async fn agent_file(PathParam(filename): PathParam) -> ApiError {
    let foreign = FOREIGN.iter().any(|end| filename.ends_with(end));
    absent(
        &filename,
        foreign.then_some("The agent is for Linux: vsay-agent-x86_64.tar.gz, vsay-agent-aarch64.tar.gz"),
    )
}

/// `vsay` for one kind of computer, such as `vsay-linux-x86_64.tar.gz`; with `.sha256` after it its checksum, with `.minisig` its
/// signature.
#[utoipa::path(get, path = "/cli/download/{filename}", summary = "Get the command line",
    params(("filename" = String, Path, description = "The file's name")),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such file", body = ErrorBody)))]
pub async fn cli_file(PathParam(filename): PathParam) -> ApiError {
    absent(&filename, None)
}

/// What is answered for a name that is no file's: those that are never come here.
fn absent(filename: &str, hint: Option<&str>) -> ApiError {
    if !is_file_name(filename) {
        return ApiError::bad_request("invalid filename");
    }
    let text = format!("package not found: {filename}");
    let detail = hint.map_or_else(|| text.clone(), |hint| format!("{text}. {hint}"));
    ApiError::not_found(text).with_detail(detail)
}

/// Whether a text can be the name of a file here: letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
fn is_file_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_file_leads_nowhere_else() {
        for good in ["vsay-agent-x86_64.tar.gz", "vsay.pub", "x.deb.sha256"] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "-x",
            "a b",
            "a%2f",
            "ü",
            &"x".repeat(101),
        ] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_installer_has_one_place_for_the_address() {
        let script = include_str!("../../../agent/install.sh");
        assert_eq!(script.matches(ADDRESS).count(), 1);
        assert!(script.contains(&format!("EDGE='{ADDRESS}'")));
        assert!(script.len() < MAX_SCRIPT / 2);
    }
}
