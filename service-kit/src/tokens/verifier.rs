//! Checks access tokens.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use moka::sync::Cache;

use super::{ACCESS_TOKEN_LIFE, AUDIENCE, Claims, ISSUER, Jwks, SecretHash};
use crate::problem::Problem;

/// Tokens whose signature is remembered; the least used are forgotten first.
const REMEMBERED_TOKENS_MAX: u64 = 20_000;
/// Longer is no token of ours.
const TOKEN_BYTES_MAX: usize = 4096;
/// How far the clocks of two processes may stand apart.
const CLOCK_SKEW_SECONDS_MAX: i64 = 60;

/// Knows the public keys. Only that a signature was good is remembered: whether the token has expired is asked
/// each time, and whether its login still stands is not known here at all.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Arc<HashMap<String, DecodingKey>>,
    remembered: Cache<[u8; 32], Arc<Claims>>,
}

/// Why a token is not accepted. A client learns only whether it has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is not genuine")]
    NotGenuine,
    #[error("the token has expired")]
    Expired,
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotGenuine => Self::unauthenticated(),
            TokenError::Expired => Self::token_expired(),
        }
    }
}

impl TokenVerifier {
    /// From the public keys alone: a service that only verifies needs no private key.
    pub fn new(jwks: &Jwks) -> Self {
        let keys = jwks.keys.iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
        let keys = keys.filter_map(|key| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?)));
        let life = ACCESS_TOKEN_LIFE.to_std().unwrap_or_default();
        Self {
            keys: Arc::new(keys.collect()),
            remembered: Cache::builder().max_capacity(REMEMBERED_TOKENS_MAX).time_to_live(life).build(),
        }
    }

    /// The claims of a token that is genuine and, at `now`, has not expired.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Claims>, TokenError> {
        let claims = self.genuine(token)?;
        if claims.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        match claims.iat > now.timestamp() + CLOCK_SKEW_SECONDS_MAX {
            true => Err(TokenError::NotGenuine),
            false => Ok(claims),
        }
    }

    fn genuine(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::NotGenuine);
        }
        // The hash covers the signature too: a token is remembered exactly as it was checked.
        let hash = SecretHash::of(token).0;
        if let Some(claims) = self.remembered.get(&hash) {
            return Ok(claims);
        }
        let claims = Arc::new(self.check(token).ok_or(TokenError::NotGenuine)?);
        self.remembered.insert(hash, claims.clone());
        Ok(claims)
    }

    fn check(&self, token: &str) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.keys.get(&kid)?;
        jsonwebtoken::decode::<Claims>(token, key, &validation()).ok().map(|token| token.claims)
    }
}

/// EdDSA and nothing else, whatever the header says. Expiry is asked in [`TokenVerifier::verify`].
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation
}

#[cfg(test)]
mod tests;
