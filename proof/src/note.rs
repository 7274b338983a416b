//! Signed notes, as C2SP specifies them (c2sp.org/signed-note): a text that people can read, an empty line, and a
//! line for each signature. Ed25519 only.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, prelude::BASE64_STANDARD};

use crate::row::sha256;

/// The kind of key in key hashes and verifier keys: Ed25519.
const ED25519_KIND: u8 = 1;
const SIGNATURE_PREFIX: &str = "\u{2014} ";
const KEY_HASH_BYTES: usize = 4;

/// Where a note's text ends: before the empty line.
const END_OF_TEXT: &str = "\n\n";

/// The key by which notes are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// What a verifier is told by another way than the notes come: hexadecimal SHA-256 of the key.
    pub fn fingerprint(&self) -> String {
        hex::encode(sha256(&self.0))
    }

    /// How signatures name the key.
    fn key_hash(&self, name: &str) -> [u8; KEY_HASH_BYTES] {
        let content = [name.as_bytes(), b"\n", &[ED25519_KIND], &self.0].concat();
        *sha256(&content).first_chunk().expect("a SHA-256 has more bytes")
    }

    /// `name+key hash+key`: how a key is published beside notes.
    pub fn to_verifier_key(&self, name: &str) -> String {
        let key = BASE64_STANDARD.encode([&[ED25519_KIND][..], &self.0].concat());
        format!("{name}+{}+{key}", hex::encode(self.key_hash(name)))
    }

    /// The name and the key of a verifier key; `None` where it is none.
    pub fn from_verifier_key(text: &str) -> Option<(&str, Self)> {
        let (name, rest) = text.split_once('+')?;
        let (key_hash, key) = rest.split_once('+')?;
        let key = BASE64_STANDARD.decode(key).ok()?;
        let key = Self(key.strip_prefix(&[ED25519_KIND])?.try_into().ok()?);
        (is_name(name) && hex::encode(key.key_hash(name)) == key_hash).then_some((name, key))
    }

    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    pub fn from_base64(text: &str) -> Option<Self> {
        Some(Self(BASE64_STANDARD.decode(text).ok()?.try_into().ok()?))
    }
}

/// The key by which notes are signed. It is never printed.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// `None`: the bytes are no seed of a key.
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
    }

    /// The note: text, empty line, signature. The text ends with a newline, the name holds neither blank nor `+`.
    pub fn sign(&self, name: &str, text: &str) -> String {
        let signature = [&self.public().key_hash(name), self.0.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n{SIGNATURE_PREFIX}{name} {}\n", BASE64_STANDARD.encode(signature))
    }
}

/// Why something is no signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("the text of the note is not followed by an empty line and signatures")]
    NoSignatures,
    #[error("the text of the note holds a control character")]
    ControlCharacter,
    #[error("a line of the signatures is no signature")]
    MalformedSignature,
}

/// A note as it came; whether it is signed is not known before [`is_signed_by`](Self::is_signed_by).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// With the newline at its end: what is signed.
    pub text: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature<'a> {
    name: &'a str,
    key_hash: [u8; KEY_HASH_BYTES],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        let end = note.rfind(END_OF_TEXT).ok_or(NoteError::NoSignatures)? + 1;
        let (text, signatures) = (&note[..end], &note[end + 1..]);
        if text.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(NoteError::ControlCharacter);
        }
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let signatures = signatures.split('\n').map(|line| Signature::parse(line).ok_or(NoteError::MalformedSignature));
        Ok(Self { text, signatures: signatures.collect::<Result<_, _>>()? })
    }

    /// Whether one of the signatures is that of the key, by this name.
    pub fn is_signed_by(&self, name: &str, key: &PublicKey) -> bool {
        let key_hash = key.key_hash(name);
        let mut own = self.signatures.iter().filter(|line| line.name == name && line.key_hash == key_hash);
        own.any(|line| UnparsedPublicKey::new(&ED25519, key.0).verify(self.text.as_bytes(), &line.signature).is_ok())
    }
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let signature = BASE64_STANDARD.decode(signature).ok()?;
        let (key_hash, signature) = signature.split_first_chunk()?;
        is_name(name).then_some(Self { name, key_hash: *key_hash, signature: signature.to_vec() })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of golang.org/x/mod/sumdb/note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_known_note_is_verified() {
        let (name, key) = PublicKey::from_verifier_key(KEY).unwrap();
        let note = Note::parse(NOTE).unwrap();
        assert!(note.is_signed_by(name, &key));
        assert!(!note.is_signed_by("somebody", &key));
        assert_eq!(key.to_verifier_key(name), KEY);
        let changed = NOTE.replace("answer", "Answer");
        assert!(!Note::parse(&changed).unwrap().is_signed_by(name, &key));
    }

    #[test]
    fn what_is_signed_is_verified_by_its_key_alone() {
        let (key, other) = (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let signed = key.sign("casebook/x", "one\ntwo\n");
        let note = Note::parse(&signed).unwrap();
        assert_eq!(note.text, "one\ntwo\n");
        assert!(note.is_signed_by("casebook/x", &key.public()));
        assert!(!note.is_signed_by("casebook/x", &other.public()));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        for (text, error) in [
            ("text\n", NoteError::NoSignatures),
            ("text\n\n— name c2lnbmF0dXJl", NoteError::NoSignatures),
            ("te\rxt\n\n— name c2lnbmF0dXJl\n", NoteError::ControlCharacter),
            ("text\n\nname c2lnbmF0dXJl\n", NoteError::MalformedSignature),
            ("text\n\n— na+me c2lnbmF0dXJl\n", NoteError::MalformedSignature),
            ("text\n\n— name !\n", NoteError::MalformedSignature),
        ] {
            assert_eq!(Note::parse(text), Err(error), "{text:?}");
        }
    }
}
