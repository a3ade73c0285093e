//! Codes of authenticator apps (RFC 6238, in the one form that all apps know: SHA-1, six digits, thirty seconds).
use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use protocol::api::secret::Secret;
use qrcode::QrCode;
use qrcode::render::svg;
use sha1::Sha1;

use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

/// Digits of a code.
pub const DIGITS: usize = 6;

/// How long a code lasts, in seconds.
const STEP: i64 = 30;

/// How many codes before and after the current one are taken: clocks differ, and people type slowly.
const SKEW: i64 = 1;

/// Who issued the secret, as apps show it.
const ISSUER: &str = "VSAY Edge";

/// The least size of the image to scan, in pixels.
const QR_SIZE: u32 = 240;

/// Bytes of a secret: those of a SHA-1 digest, as the standard has it.
const SECRET: usize = 20;

/// The digits of Base32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A secret that an app shares with us.
pub struct Shared([u8; SECRET]);

impl Shared {
    /// A new one.
    pub fn make() -> Result<Self, ApiError> {
        Ok(Self(random::bytes()?))
    }

    /// One from its Base32.
    pub fn parse(base32: &Secret) -> Result<Self, ApiError> {
        let decoded = from_base32(base32.expose()).and_then(|bytes| bytes.try_into().ok());
        decoded
            .map(Self)
            .ok_or_else(|| ApiError::internal("a stored secret is no Base32"))
    }

    /// The secret to type.
    pub fn base32(&self) -> Secret {
        // Five bytes are eight digits.
        let fives = self
            .0
            .chunks(5)
            .map(|five| five.iter().fold(0_u64, |bits, &byte| (bits << 8) | u64::from(byte)));
        let digits = fives.flat_map(|bits| (0..8).rev().map(move |place| (bits >> (5 * place)) as usize & 31));
        digits
            .filter_map(|digit| BASE32.get(digit).map(|&digit| char::from(digit)))
            .collect::<String>()
            .into()
    }

    /// The secret as apps read it. `username` needs no escaping: it holds nothing but letters, digits, `.`, `_` and `-`.
    pub fn uri(&self, username: &str) -> Secret {
        let issuer = ISSUER.replace(' ', "%20");
        format!(
            "otpauth://totp/{issuer}:{username}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}",
            self.base32().expose()
        )
        .into()
    }

    /// The step whose code it is, if it is one of those that count at `time`, in seconds since 1970. Compares in constant time.
    pub fn step_of(&self, code: &str, time: i64) -> Option<i64> {
        let now = Some(time).filter(|time| *time >= 0)? / STEP;
        let mut steps = now.saturating_sub(SKEW).max(0)..=now.saturating_add(SKEW);
        steps.find(|&step| self.code(step).is_some_and(|right| secrets::is_same(code, &right)))
    }

    /// The code of a step (RFC 4226, 5.3).
    fn code(&self, step: i64) -> Option<Secret> {
        let mut hmac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        hmac.update(&step.to_be_bytes());
        let digest = hmac.finalize().into_bytes();
        let from = usize::from(digest.last()? & 15);
        let number = u32::from_be_bytes(*digest.get(from..)?.first_chunk()?) & 0x7fff_ffff;
        Some(format!("{:0DIGITS$}", number % 10_u32.pow(DIGITS as u32)).into())
    }
}

/// The bytes that a Base32 text of whole fives stands for.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for eight in text.as_bytes().chunks(8) {
        let value = |digit| BASE32.iter().position(|&known| known == digit);
        let bits = eight
            .iter()
            .try_fold(0_u64, |bits, &digit| Some((bits << 5) | value(digit)? as u64))?;
        bytes.extend_from_slice(bits.to_be_bytes().get(3..)?);
    }
    Some(bytes)
}

/// A text as an image to scan, in a `data:` URI.
pub fn qr(text: &Secret) -> Result<Secret, ApiError> {
    let code = QrCode::new(text.expose()).map_err(ApiError::internal)?;
    let image = code.render::<svg::Color>().min_dimensions(QR_SIZE, QR_SIZE).build();
    Ok(format!("data:image/svg+xml;base64,{}", Base64::encode_string(image.as_bytes())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the examples in RFC 6238: the digits 1 to 0, twice.
    fn shared() -> Shared {
        Shared::parse(&"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned().into()).unwrap()
    }

    #[test]
    fn the_codes_of_the_standard_are_known() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(shared().step_of(code, time), Some(time / 30));
        }
    }

    #[test]
    fn a_code_counts_for_one_step_before_and_after_its_own() {
        for (time, step) in [
            (0, None),
            (30, Some(2)),
            (60, Some(2)),
            (90, Some(2)),
            (119, Some(2)),
            (120, None),
        ] {
            assert_eq!(shared().step_of("359152", time), step, "{time}");
        }
        for bad in ["", "35915", "3591520", "35915a", "+59152", "３59152"] {
            assert_eq!(shared().step_of(bad, 60), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_shown_in_all_the_ways_it_is_read() {
        let (one, other) = (Shared::make().unwrap(), Shared::make().unwrap());
        assert_ne!(one.base32(), other.base32());
        assert_eq!(one.base32().expose().len(), 32);
        let uri = one.uri("ann");
        assert!(
            uri.expose().starts_with("otpauth://totp/VSAY%20Edge:ann?secret="),
            "{}",
            uri.expose()
        );
        let image = qr(&uri).unwrap();
        let data = image.expose().strip_prefix("data:image/svg+xml;base64,").unwrap();
        assert!(
            String::from_utf8(Base64::decode_vec(data).unwrap())
                .unwrap()
                .contains("<svg")
        );
    }
}
