//! How deliveries are signed: by the Standard Webhooks specification, for which receivers find a library in every language
//! (<https://www.standardwebhooks.com>).
use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use protocol::api::secret::Secret;
use sha2::Sha256;

use crate::platform::random::{self, NoRandomness};

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// Random bytes of a secret. The specification asks for 24 to 64.
const BYTES: usize = 32;

/// A new secret.
pub fn new_secret() -> Result<Secret, NoRandomness> {
    let bytes: [u8; BYTES] = random::bytes()?;
    Ok(format!("{PREFIX}{}", Base64::encode_string(&bytes)).into())
}

/// The value of `webhook-signature` for a message, `timestamp` being seconds since the Unix epoch: a signature by each secret, any of which
/// the specification has a receiver look for. Nothing if one of them is none.
pub fn sign_by_all(secrets: &[Secret], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let signatures = secrets.iter().map(|secret| sign(secret, id, timestamp, body));
    Some(signatures.collect::<Option<Vec<_>>>()?.join(" "))
}

fn sign(secret: &Secret, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = Base64::decode_vec(secret.expose().strip_prefix(PREFIX)?).ok()?;
    let mut code = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    code.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", Base64::encode_string(&code.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_published_example_is() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into();
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn a_signature_is_of_one_message_at_one_time_with_one_secret() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        let signed = sign(&one, "msg_a", 1, "{}");
        assert!(signed.is_some());
        for other in [
            sign(&two, "msg_a", 1, "{}"),
            sign(&one, "msg_b", 1, "{}"),
            sign(&one, "msg_a", 2, "{}"),
            sign(&one, "msg_a", 1, "{ }"),
        ] {
            assert!(other.is_some() && other != signed);
        }
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign_the_newer_one_first() {
        let secrets = [new_secret().unwrap(), new_secret().unwrap()];
        let alone = secrets.each_ref().map(|secret| sign(secret, "msg_a", 1, "{}").unwrap());
        assert_eq!(sign_by_all(&secrets, "msg_a", 1, "{}"), Some(alone.join(" ")));
        assert_eq!(sign_by_all(&secrets[..1], "msg_a", 1, "{}"), Some(alone[0].clone()));
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for bad in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert_eq!(sign(&bad.to_owned().into(), "msg_a", 1, ""), None, "{bad}");
        }
    }
}
