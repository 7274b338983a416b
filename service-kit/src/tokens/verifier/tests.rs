use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use events::{ClinicId, Role, UserId};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::tokens::{Identity, SigningKeys};

fn identity() -> Identity {
    Identity {
        user: UserId(Uuid::now_v7()),
        clinic: ClinicId(Uuid::now_v7()),
        slug: Some("sunrise".to_owned()),
        roles: vec![Role::Doctor, Role::ClinicAdmin],
        name: "asha".to_owned(),
        session: Uuid::now_v7(),
        patient: None,
    }
}

fn keys() -> (tempfile::TempDir, SigningKeys) {
    let folder = tempfile::tempdir().unwrap();
    let keys = SigningKeys::open(&folder.path().join("key.pem")).unwrap();
    (folder, keys)
}

/// The same token with other claims and header, as somebody without the key can make it.
fn reassembled(token: &str, header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let edit = |part: &str, change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        change(&mut value);
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    };
    format!("{}.{}.{}", edit(parts[0], &header), edit(parts[1], &claims), parts[2])
}

#[test]
fn a_signed_token_says_who_it_is_until_it_expires() {
    let (_folder, keys) = keys();
    let (identity, now) = (identity(), Utc::now());
    let token = keys.signer().sign(identity.clone(), now).unwrap();
    let verifier = keys.verifier();
    let claims = verifier.verify(&token, now).unwrap();
    assert_eq!(claims.identity, identity);
    assert_eq!(claims.issued_at().timestamp_micros(), now.timestamp_micros());
    assert!(verifier.verify(&token, now + ACCESS_TOKEN_LIFE - TimeDelta::seconds(1)).is_ok());
    // Its signature is remembered by now; that it expires is not forgotten over that.
    assert_eq!(verifier.verify(&token, now + ACCESS_TOKEN_LIFE), Err(TokenError::Expired));
    assert_eq!(keys.verifier().verify(&token, now + ACCESS_TOKEN_LIFE), Err(TokenError::Expired));
}

#[test]
fn a_token_from_the_future_is_not_genuine() {
    let (_folder, keys) = keys();
    let now = Utc::now();
    let token = keys.signer().sign(identity(), now + TimeDelta::minutes(5)).unwrap();
    assert_eq!(keys.verifier().verify(&token, now), Err(TokenError::NotGenuine));
}

#[test]
fn a_tampered_token_is_not_genuine() {
    let (_folder, keys) = keys();
    let (verifier, now) = (keys.verifier(), Utc::now());
    let token = keys.signer().sign(identity(), now).unwrap();
    verifier.verify(&token, now).unwrap();
    let none = |_: &mut Value| {};
    let forgeries = [
        reassembled(&token, none, |claims| claims["clinic"] = json!(Uuid::now_v7())),
        reassembled(&token, none, |claims| claims["exp"] = json!(now.timestamp() + 9_999_999)),
        reassembled(&token, none, |claims| claims["roles"] = json!(["platform_admin"])),
        reassembled(&token, |header| header["alg"] = json!("none"), none),
        reassembled(&token, |header| header["alg"] = json!("HS256"), none),
        reassembled(&token, |header| header["kid"] = json!("another"), none),
        format!("{}.", token.rsplit_once('.').unwrap().0),
        token[..token.len() - 8].to_owned(),
        "a.b.c".to_owned(),
        String::new(),
        "x".repeat(TOKEN_BYTES_MAX + 1),
    ];
    for forged in forgeries {
        assert_eq!(verifier.verify(&forged, now), Err(TokenError::NotGenuine), "{forged}");
    }
}

#[test]
fn an_unsigned_token_is_not_genuine() {
    let (_folder, keys) = keys();
    let now = Utc::now();
    let token = keys.signer().sign(identity(), now).unwrap();
    let stripped = reassembled(&token, |header| header["alg"] = json!("none"), |_| {});
    let unsigned = format!("{}.", stripped.rsplit_once('.').unwrap().0);
    assert_eq!(keys.verifier().verify(&unsigned, now), Err(TokenError::NotGenuine));
}

#[test]
fn a_public_key_used_as_a_shared_secret_signs_nothing() {
    let (_folder, keys) = keys();
    let now = Utc::now();
    let public = BASE64_URL_SAFE_NO_PAD.decode(&keys.jwks().keys[0].x).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(keys.jwks().keys[0].kid.clone());
    let claims = Claims::new(identity(), now);
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(keys.verifier().verify(&forged, now), Err(TokenError::NotGenuine));
}

#[test]
fn another_installation_s_token_is_not_genuine() {
    let ((_one, ours), (_other, theirs)) = (keys(), keys());
    let now = Utc::now();
    let token = theirs.signer().sign(identity(), now).unwrap();
    assert_eq!(ours.verifier().verify(&token, now), Err(TokenError::NotGenuine));
}

/// Signs claims that the signer would never make.
fn signed_with(folder: &tempfile::TempDir, keys: &SigningKeys, change: impl Fn(&mut Claims)) -> String {
    let text = std::fs::read(folder.path().join("key.pem")).unwrap();
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(keys.jwks().keys[0].kid.clone());
    let mut claims = Claims::new(identity(), Utc::now());
    change(&mut claims);
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_pem(&text).unwrap()).unwrap()
}

#[test]
fn a_token_for_another_audience_or_of_another_issuer_is_not_genuine() {
    let (folder, keys) = keys();
    let verifier = keys.verifier();
    assert!(verifier.verify(&signed_with(&folder, &keys, |_| {}), Utc::now()).is_ok());
    for change in
        [|claims: &mut Claims| claims.aud = "elsewhere".into(), |claims: &mut Claims| claims.iss = "elsewhere".into()]
    {
        let token = signed_with(&folder, &keys, change);
        assert_eq!(verifier.verify(&token, Utc::now()), Err(TokenError::NotGenuine));
    }
}

#[test]
fn a_rotated_key_still_verifies_what_it_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let now = Utc::now();
    let before = SigningKeys::open(&path).unwrap().signer().sign(identity(), now).unwrap();
    let rotated = SigningKeys::rotate(&path).unwrap();
    let after = rotated.signer().sign(identity(), now).unwrap();
    let verifier = TokenVerifier::new(&rotated.jwks());
    assert!(verifier.verify(&before, now).is_ok() && verifier.verify(&after, now).is_ok());
}
