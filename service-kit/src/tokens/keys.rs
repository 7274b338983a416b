//! The Ed25519 keys that sign access tokens, and the file that holds them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, errors::Error as JwtError};
use serde::{Deserialize, Serialize};

use super::{Claims, Identity, TokenVerifier};

const PEM_TAG: &str = "PRIVATE KEY";
const OWNER_ONLY: u32 = 0o600;

/// The keys of one installation, the newest first. The first signs; the others, kept until their last token
/// has expired, only verify.
pub struct SigningKeys(Vec<SigningKey>);

struct SigningKey {
    kid: String,
    /// Public key, base64url: the `x` of a JWK.
    x: String,
    pkcs8: EncodingKey,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the signing key file cannot be read or written")]
    Io(#[from] io::Error),
    #[error("the signing key file must hold Ed25519 private keys (PKCS#8) in PEM")]
    NotKeys,
}

/// The public keys, as `/.well-known/jwks.json` shows them (RFC 7517, RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub kid: String,
    pub x: String,
}

impl SigningKeys {
    /// Reads the file, or makes it (mode 0600) with one new key.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        match fs::read(path) {
            Ok(text) => Self::from_pem(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error.into()),
        }
    }

    fn create(path: &Path) -> Result<Self, KeyFileError> {
        let pem = new_key_pem();
        match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
            Ok(mut file) => {
                file.write_all(pem.as_bytes())?;
                file.sync_all()?;
                Self::from_pem(pem.as_bytes())
            }
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::from_pem(&fs::read(path)?),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a new key in front, so that it signs from now on; the file is replaced whole.
    pub fn rotate(path: &Path) -> Result<Self, KeyFileError> {
        let pem = format!("{}{}", new_key_pem(), fs::read_to_string(path)?);
        let keys = Self::from_pem(pem.as_bytes())?;
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&fresh)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        Ok(keys)
    }

    fn from_pem(text: &[u8]) -> Result<Self, KeyFileError> {
        let blocks = pem::parse_many(text).map_err(|_| KeyFileError::NotKeys)?;
        let keys: Option<Vec<_>> = blocks.iter().map(SigningKey::from_block).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self).ok_or(KeyFileError::NotKeys)
    }

    pub fn signer(&self) -> TokenSigner {
        let key = &self.0[0];
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        TokenSigner { header, key: key.pkcs8.clone() }
    }

    pub fn verifier(&self) -> TokenVerifier {
        TokenVerifier::new(&self.jwks())
    }

    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.0.iter().map(SigningKey::jwk).collect() }
    }
}

fn new_key_pem() -> String {
    let key = Ed25519KeyPair::generate().expect("the operating system gives random bytes");
    let pkcs8 = key.to_pkcs8v1().expect("an Ed25519 key has a PKCS#8 form");
    pem::encode_config(
        &pem::Pem::new(PEM_TAG, pkcs8.as_ref()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

impl SigningKey {
    fn from_block(block: &pem::Pem) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(block.contents()).ok().filter(|_| block.tag() == PEM_TAG)?;
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Some(Self { kid: thumbprint(&x), x, pkcs8: EncodingKey::from_ed_der(block.contents()) })
    }

    fn jwk(&self) -> Jwk {
        let text = str::to_owned;
        let (kid, x) = (self.kid.clone(), self.x.clone());
        Jwk { kty: text("OKP"), crv: text("Ed25519"), alg: text("EdDSA"), usage: text("sig"), kid, x }
    }
}

/// RFC 7638: the same key has the same id everywhere.
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// Issues access tokens.
#[derive(Clone, Debug)]
pub struct TokenSigner {
    header: Header,
    key: EncodingKey,
}

impl TokenSigner {
    /// A token for `identity`, good from `now` for [`super::ACCESS_TOKEN_LIFE`].
    pub fn sign(&self, identity: Identity, now: DateTime<Utc>) -> Result<String, JwtError> {
        jsonwebtoken::encode(&self.header, &Claims::new(identity, now), &self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key.pem");
        let first = SigningKeys::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(SigningKeys::open(&path).unwrap().jwks(), first.jwks());
    }

    #[test]
    fn a_rotated_file_keeps_the_old_key_behind_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key.pem");
        let old = SigningKeys::open(&path).unwrap().jwks();
        let rotated = SigningKeys::rotate(&path).unwrap().jwks();
        assert_eq!((rotated.keys.len(), &rotated.keys[1]), (2, &old.keys[0]));
        assert_eq!(SigningKeys::open(&path).unwrap().jwks(), rotated);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    }

    #[test]
    fn a_file_without_keys_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key.pem");
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(SigningKeys::open(&path), Err(KeyFileError::NotKeys)));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037, appendix A.3.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
