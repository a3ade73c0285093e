//! Codes of authenticator apps (RFC 6238, in the one form that all apps know: SHA-1, six digits, thirty seconds).
use base64ct::{Base64, Encoding};
use protocol::api::secret::Secret;
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Algorithm, Builder, Totp};

use crate::platform::error::ApiError;
use crate::platform::random;

/// Digits of a code.
pub const DIGITS: usize = 6;

/// How long a code lasts, in seconds.
const STEP: u64 = 30;

/// How many codes before and after the current one are taken: clocks differ, and people type slowly.
const SKEW: u16 = 1;

/// Who issued the secret, as apps show it.
const ISSUER: &str = "VSAY Edge";

/// The least size of the image to scan, in pixels.
const QR_SIZE: u32 = 240;

/// A secret that an app shares with us.
pub struct Shared(Totp);

impl Shared {
    /// A new one.
    pub fn make() -> Result<Self, ApiError> {
        Self::of(totp_rs::Secret::new_stack(random::bytes()?))
    }

    /// One from its Base32.
    pub fn parse(base32: &Secret) -> Result<Self, ApiError> {
        Self::of(
            totp_rs::Secret::try_from_base32(base32.expose())
                .map_err(|_| ApiError::internal("a stored secret is no Base32"))?,
        )
    }

    fn of(secret: totp_rs::Secret) -> Result<Self, ApiError> {
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS as u8)
            .with_skew(SKEW)
            .with_step_duration(STEP)
            .with_secret(secret);
        builder.build().map(Self).map_err(ApiError::internal)
    }

    /// The secret to type.
    pub fn base32(&self) -> Secret {
        self.0.secret().to_base32().into()
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
        let step = self.0.check(code, time.try_into().ok()?)?;
        step.try_into().ok()
    }
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
