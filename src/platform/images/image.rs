//! Pictures: which files are some, what they are called, and where they stand.
use crate::platform::error::ApiError;
use crate::platform::random;

/// Random bytes in a name: as hard to guess as a key.
const NAME_BYTES: usize = 16;

/// What pictures are of. Those of one shelf are not found on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Of people.
    Avatars,
    /// Of issues and fixes.
    Community,
}

impl Shelf {
    /// Where its pictures are served, under the address of this deployment.
    fn path(self) -> &'static str {
        match self {
            Self::Avatars => "/api/avatars/",
            Self::Community => "/api/community/images/",
        }
    }

    /// The name of a picture's object in the bucket.
    pub fn key(self, id: &ImageId) -> String {
        let folder = match self {
            Self::Avatars => "avatars",
            Self::Community => "community",
        };
        format!("{folder}/{}", id.0)
    }

    /// Where browsers find a picture; without a deployment's address, on the same server.
    pub fn address(self, id: &ImageId, base_url: Option<&str>) -> String {
        format!("{}{}{}", base_url.unwrap_or_default(), self.path(), id.0)
    }

    /// The picture of ours that may be at an address. Whose it is, the address does not prove.
    pub fn at(self, address: &str) -> Option<ImageId> {
        let (_, name) = address.rsplit_once(self.path())?;
        ImageId::parse(name)
    }
}

/// The kinds of picture that are kept. Nothing that can hold a script, such as SVG, is among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Png,
    Jpeg,
    Webp,
    Gif,
}

impl Kind {
    /// What a file is by its first bytes, whatever it says it is.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// Its name in `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// The name of a picture: 32 lowercase hex digits that nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageId(String);

impl ImageId {
    /// A new one.
    pub fn random() -> Result<Self, ApiError> {
        Ok(Self(random::hex::<NAME_BYTES>()?))
    }

    /// The name that a path has in it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = text.len() == 2 * NAME_BYTES && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_name.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Kind::Png),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Kind::Jpeg),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Kind::Webp),
            (b"GIF87a", Kind::Gif),
            (b"GIF89a", Kind::Gif),
        ] {
            assert_eq!(Kind::of(bytes), Some(kind));
        }
        for bytes in [
            &b""[..],
            b"\x89PNG",
            b"\xff\xd8",
            b"GIF88a",
            b"RIFF\x24\0\0\0WAVEfmt ",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"<!doctype html>",
            b" GIF89a",
            b"BM\x3a\0\0\0",
        ] {
            assert_eq!(Kind::of(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_name_is_32_lowercase_hex_digits() {
        let name = ImageId::random().unwrap();
        assert_eq!(ImageId::parse(&name.0), Some(name.clone()));
        assert_ne!(ImageId::random().unwrap(), name);
        for bad in [
            "",
            "0a",
            &"0A".repeat(16),
            &"0g".repeat(16),
            &"0a".repeat(17),
            &"é".repeat(16),
            "../0a0a0a0a0a0a0a0a0a0a0a0a0a0a0",
        ] {
            assert_eq!(ImageId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_picture_is_found_again_by_its_address_and_on_no_other_shelf() {
        let name = ImageId::parse(&"0a".repeat(16)).unwrap();
        assert_eq!(
            Shelf::Avatars.address(&name, None),
            format!("/api/avatars/{}", "0a".repeat(16))
        );
        for (shelf, other) in [(Shelf::Avatars, Shelf::Community), (Shelf::Community, Shelf::Avatars)] {
            for base_url in [None, Some("https://edge.example.com")] {
                let address = shelf.address(&name, base_url);
                assert_eq!(shelf.at(&address), Some(name.clone()));
                assert_eq!(other.at(&address), None);
            }
            assert_ne!(shelf.key(&name), other.key(&name));
        }
        for other in [
            "https://example.org/me.png",
            "https://example.org/api/avatars/",
            &format!("{}?x", Shelf::Avatars.address(&name, None)),
        ] {
            assert_eq!(Shelf::Avatars.at(other), None, "{other}");
        }
    }
}
