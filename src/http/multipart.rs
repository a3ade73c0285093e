//! Forms with files, as the platform reads them.
use axum::body::Bytes;
use js_sys::{Array, JSON, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::platform::error::ApiError;

/// The first file of a form of type `multipart/form-data`, whatever its field is called.
pub async fn first_file(content_type: &str, bytes: &Bytes) -> Result<Option<Vec<u8>>, ApiError> {
    let malformed = |_: JsValue| ApiError::bad_request("The body is not a valid form of type multipart/form-data");
    let form = as_response(content_type, bytes).and_then(|response| response.form_data());
    let form = JsFuture::from(form.map_err(malformed)?).await.map_err(malformed)?;
    match file_of(&form).map_err(malformed)? {
        None => Ok(None),
        Some(file) => {
            let bytes = JsFuture::from(file.array_buffer()).await.map_err(malformed)?;
            Ok(Some(Uint8Array::new(&bytes).to_vec()))
        }
    }
}

/// The platform reads forms of requests and responses only.
fn as_response(content_type: &str, bytes: &[u8]) -> Result<web_sys::Response, JsValue> {
    let init = json!({ "headers": { "content-type": content_type } }).to_string();
    let init: web_sys::ResponseInit = JSON::parse(&init)?.unchecked_into();
    web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&Uint8Array::from(bytes)), &init)
}

/// A form gives pairs of a name and a text or file.
fn file_of(form: &JsValue) -> Result<Option<web_sys::File>, JsValue> {
    for entry in js_sys::try_iter(form)?.into_iter().flatten() {
        if let Ok(file) = entry?.unchecked_into::<Array>().get(1).dyn_into() {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
