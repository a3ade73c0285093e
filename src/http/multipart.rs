//! Forms with files, as the platform reads them.
use axum::body::Bytes;
use axum::http::header;
use js_sys::{Array, JSON, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::http::argument::{Argument, Asked, Step, read_body};
use crate::http::extract::is_form;
use crate::platform::error::ApiError;

/// A file of a form.
pub struct FormFile {
    /// What it is called where it comes from.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A form that has not been looked into, if it is one. What is wrong with it is said only to those who may send one.
pub struct Form {
    content_type: Option<String>,
    bytes: Bytes,
}

impl Argument for Form {
    const FIRST: Option<Step> = Some(read_body);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let content_type = asked.parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.filter(|_| is_form(&asked.parts.headers));
        Ok(Self {
            content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
            bytes: asked.bytes(),
        })
    }
}

impl Form {
    /// Its first file, whatever the field is called.
    pub async fn first_file(&self) -> Result<Option<FormFile>, ApiError> {
        match &self.content_type {
            Some(content_type) => first_file(content_type, &self.bytes).await,
            None => Err(ApiError::bad_request(
                "The body must be a form of type multipart/form-data",
            )),
        }
    }
}

/// The first file of a form of type `multipart/form-data`, whatever its field is called.
pub async fn first_file(content_type: &str, bytes: &Bytes) -> Result<Option<FormFile>, ApiError> {
    let malformed = |_: JsValue| ApiError::bad_request("The body is not a valid form of type multipart/form-data");
    let form = as_response(content_type, bytes).and_then(|response| response.form_data());
    let form = JsFuture::from(form.map_err(malformed)?).await.map_err(malformed)?;
    match file_of(&form).map_err(malformed)? {
        None => Ok(None),
        Some(file) => {
            let bytes = JsFuture::from(file.array_buffer()).await.map_err(malformed)?;
            Ok(Some(FormFile {
                name: file.name(),
                bytes: Uint8Array::new(&bytes).to_vec(),
            }))
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
