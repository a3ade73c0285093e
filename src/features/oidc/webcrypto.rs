//! Signatures, checked by the platform: its code is native, and none of it is part of the Worker.
use js_sys::{Array, JSON, Object, global};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, WorkerGlobalScope};

use super::claims::{Algorithm, Unverified};
use super::jwks::Key;

/// Whether a token was signed with a key.
pub async fn verify(key: &Key, token: &Unverified<'_>) -> Result<bool, String> {
    let told = |error: JsValue| format!("WebCrypto failed: {error:?}");
    let subtle = global()
        .unchecked_into::<WorkerGlobalScope>()
        .crypto()
        .map_err(told)?
        .subtle();
    let (import, verify) = match token.header.alg {
        Algorithm::Rs256 => {
            let algorithm = json!({"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"});
            (algorithm.clone(), algorithm)
        }
        Algorithm::Es256 => (
            json!({"name": "ECDSA", "namedCurve": "P-256"}),
            json!({"name": "ECDSA", "hash": "SHA-256"}),
        ),
    };
    let usages = Array::of1(&"verify".into());
    let jwk = serde_json::to_value(key).map_err(|error| error.to_string())?;
    let imported = subtle
        .import_key_with_object("jwk", &object(&jwk)?, &object(&import)?, false, &usages)
        .map_err(told)?;
    let imported: CryptoKey = JsFuture::from(imported).await.map_err(told)?.unchecked_into();
    let verified = subtle
        .verify_with_object_and_u8_array_and_u8_array(
            &object(&verify)?,
            &imported,
            &token.signature,
            token.signed.as_bytes(),
        )
        .map_err(told)?;
    Ok(JsFuture::from(verified).await.map_err(told)?.is_truthy())
}

fn object(value: &serde_json::Value) -> Result<Object, String> {
    let value = JSON::parse(&value.to_string()).map_err(|error| format!("{error:?}"))?;
    Ok(value.unchecked_into())
}
