//! Idempotency keys: what of them is kept, and how a stored answer is opened again.

use aws_lc_rs::{hkdf, hmac};
use events::ClinicId;

use crate::{execute::KeyedCall, handle::Sent};

const ANSWER_KEY_LABEL: &[u8] = b"casebook/idempotency/answer-key";

/// A client's key as the log keeps it. `secret` is the clinic's; nothing here can be turned back into the
/// key, and the stored answer can be opened by nobody who has not sent the key.
pub fn keyed_call(clinic: ClinicId, secret: &[u8; 32], key: &str, sent: &Sent<'_>) -> KeyedCall {
    let mac = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let Sent { method, path, body, .. } = sent;
    KeyedCall {
        clinic,
        key_hash: sign(&mac, &[b"key", key.as_bytes()]),
        fingerprint: sign(&mac, &[b"fingerprint", method.as_str().as_bytes(), path.as_bytes(), body]),
        answer_key: answer_key(secret, key),
    }
}

/// Each part with its length, so that no two requests have one fingerprint.
fn sign(mac: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(mac);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn answer_key(secret: &[u8; 32], key: &str) -> [u8; 32] {
    let mut derived = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, secret)
        .extract(key.as_bytes())
        .expand(&[ANSWER_KEY_LABEL], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut derived))
        .expect("32 bytes are within HKDF's limit");
    derived
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn keyed(secret: [u8; 32], method: Method, path: &str, body: &[u8]) -> KeyedCall {
        let sent = Sent { who: None, method, path, body, key: Some("k") };
        keyed_call(ClinicId::PLATFORM, &secret, "k", &sent)
    }

    #[test]
    fn another_body_path_or_method_is_another_fingerprint() {
        let print = |method, path, body: &[u8]| keyed([7; 32], method, path, body).fingerprint;
        let one = print(Method::POST, "/patients", b"{}");
        assert_eq!(one, print(Method::POST, "/patients", b"{}"));
        assert_ne!(one, print(Method::PUT, "/patients", b"{}"));
        assert_ne!(one, print(Method::POST, "/patient", b"s{}"));
        assert_ne!(one, print(Method::POST, "/patients", b"{} "));
    }

    #[test]
    fn another_clinic_keeps_the_same_key_as_another_hash() {
        let (one, two) = (keyed([7; 32], Method::POST, "/", b""), keyed([8; 32], Method::POST, "/", b""));
        assert_ne!(one.key_hash, two.key_hash);
        assert_ne!(one.answer_key, two.answer_key);
    }
}
