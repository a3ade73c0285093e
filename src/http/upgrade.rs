//! Requests that ask for a WebSocket.
use axum::http::{HeaderMap, Uri, header};

use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Whether the client asks for a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// 426 unless it does, where there is nothing more that it has to ask for.
pub fn check_upgrade(headers: &HeaderMap) -> Result<(), ApiError> {
    is_upgrade(headers)
        .then_some(())
        .ok_or_else(|| ApiError::upgrade_required("This path speaks WebSocket: send Upgrade: websocket"))
}

/// Whether the client offers a subprotocol.
pub fn offers(headers: &HeaderMap, subprotocol: &str) -> bool {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == subprotocol)
}

/// Whether the page that asks, if a page does, may open sockets here.
pub fn check_origin(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    // An origin that is no text is none of ours.
    let origin = headers
        .get(header::ORIGIN)
        .map(|value| value.to_str().unwrap_or_default());
    let own = uri
        .scheme_str()
        .zip(uri.authority())
        .map(|(scheme, authority)| format!("{scheme}://{authority}"));
    if app.config.origins.allow(origin, own.as_deref()) {
        Ok(())
    } else {
        Err(ApiError::forbidden(
            "origin_not_allowed",
            "Pages of this origin may not open terminals here (ALLOWED_ORIGINS)",
        ))
    }
}
