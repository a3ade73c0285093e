//! The public keys of an issuer: which one a token was signed with, and whether it is fit to be believed.
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::{Algorithm, Header};

/// Smallest and largest RSA modulus in bytes: below 2048 bits it can be broken, above 8192 checking takes long.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Length of a coordinate on P-256, in bytes.
const P256_BYTES: usize = 32;

/// An issuer's keys. Those of kinds we do not know are none of ours.
#[derive(Debug, Clone, Deserialize)]
pub struct KeySet {
    keys: Vec<Value>,
}

/// A public key (RFC 7517), with what verifying needs and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    kty: Kty,
    #[serde(flatten)]
    numbers: Numbers,
    #[serde(default, skip_serializing)]
    kid: Option<String>,
    #[serde(default, rename = "use", skip_serializing)]
    usage: Option<String>,
    #[serde(default, skip_serializing)]
    alg: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kty {
    #[serde(rename = "RSA")]
    Rsa,
    #[serde(rename = "EC")]
    Ec,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Numbers {
    Rsa { n: String, e: String },
    Ec { crv: String, x: String, y: String },
}

impl KeySet {
    /// The key that a token says it was signed with. A token that names none was signed with the only one there is.
    pub fn choose(&self, header: &Header) -> Option<Key> {
        let keys = self.keys.iter().filter_map(|key| Key::deserialize(key).ok());
        let mut fit = keys.filter(|key| key.fits(header.alg));
        match &header.kid {
            Some(kid) => fit.find(|key| key.kid.as_ref() == Some(kid)),
            None => fit.next().filter(|_| fit.next().is_none()),
        }
    }
}

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        let signs = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let length = |text: &str| Base64UrlUnpadded::decode_vec(text).map_or(0, |bytes| bytes.len());
        let (name, strong) = match (algorithm, self.kty, &self.numbers) {
            (Algorithm::Rs256, Kty::Rsa, Numbers::Rsa { n, .. }) => ("RS256", RSA_BYTES.contains(&length(n))),
            (Algorithm::Es256, Kty::Ec, Numbers::Ec { crv, x, y }) => (
                "ES256",
                crv == "P-256" && length(x) == P256_BYTES && length(y) == P256_BYTES,
            ),
            _ => return false,
        };
        signs && strong && self.alg.as_deref().is_none_or(|alg| alg == name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rsa(kid: &str, bytes: usize, more: Value) -> Value {
        let mut key =
            json!({"kty": "RSA", "kid": kid, "e": "AQAB", "n": Base64UrlUnpadded::encode_string(&vec![255; bytes])});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    fn ec(kid: &str, crv: &str) -> Value {
        let number = Base64UrlUnpadded::encode_string(&[1; 32]);
        json!({"kty": "EC", "kid": kid, "crv": crv, "x": number, "y": number, "use": "sig"})
    }

    fn choose(keys: &[Value], alg: Algorithm, kid: Option<&str>) -> Option<Key> {
        let set: KeySet = serde_json::from_value(json!({"keys": keys})).unwrap();
        set.choose(&Header {
            alg,
            kid: kid.map(str::to_owned),
        })
    }

    #[test]
    fn a_key_is_chosen_by_name_and_must_be_of_the_tokens_kind() {
        let keys = [
            rsa("r", 256, json!({})),
            ec("e", "P-256"),
            json!({"kty": "OKP", "kid": "o"}),
            json!("odd"),
        ];
        assert!(choose(&keys, Algorithm::Rs256, Some("r")).is_some());
        assert!(choose(&keys, Algorithm::Es256, Some("e")).is_some());
        assert!(choose(&keys, Algorithm::Es256, Some("r")).is_none());
        assert!(choose(&keys, Algorithm::Rs256, Some("x")).is_none());
    }

    #[test]
    fn without_a_name_it_is_the_only_one_that_fits() {
        let one = [rsa("r", 256, json!({})), ec("e", "P-256")];
        assert!(choose(&one, Algorithm::Rs256, None).is_some());
        let two = [rsa("r", 256, json!({})), rsa("s", 256, json!({}))];
        assert!(choose(&two, Algorithm::Rs256, None).is_none());
    }

    #[test]
    fn a_key_that_is_weak_or_for_something_else_is_not_chosen() {
        for key in [
            rsa("k", 128, json!({})),
            rsa("k", 2048, json!({})),
            rsa("k", 256, json!({"use": "enc"})),
            rsa("k", 256, json!({"alg": "RS512"})),
            ec("k", "P-384"),
        ] {
            for alg in [Algorithm::Rs256, Algorithm::Es256] {
                assert!(choose(std::slice::from_ref(&key), alg, Some("k")).is_none(), "{key}");
            }
        }
    }

    #[test]
    fn what_is_handed_on_is_the_key_and_nothing_that_restricts_it() {
        let key = choose(&[ec("e", "P-256")], Algorithm::Es256, Some("e")).unwrap();
        let number = Base64UrlUnpadded::encode_string(&[1; 32]);
        let expected = json!({"kty": "EC", "crv": "P-256", "x": number, "y": number});
        assert_eq!(serde_json::to_value(key).unwrap(), expected);
    }
}
