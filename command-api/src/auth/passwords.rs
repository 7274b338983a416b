//! Password hashing: argon2id (OWASP: 19 MiB, two passes), off the async threads and never more at once
//! than there are cores, so that a storm of logins cannot starve the commands.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{PasswordHashString, SaltString, rand_core::OsRng},
};
use event_store::PasswordHash;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, task::spawn_blocking};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    /// What a password is compared with where there is no such login, so that both take as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// Takes as long as one hash.
    pub fn start() -> Self {
        let places = available_parallelism().map_or(1, NonZero::get);
        let nobody = hash_now(&SecretString::from(uuid::Uuid::new_v4().to_string())).0.into();
        Self { places: Arc::new(Semaphore::new(places)), nobody }
    }

    pub async fn hash(&self, password: SecretString) -> PasswordHash {
        self.run(move || hash_now(&password)).await
    }

    /// Whether the password is the one that was hashed; `stored: None` for a login that does not exist or
    /// has no password yet, which is never right and takes as long.
    pub async fn verify(&self, password: SecretString, stored: Option<PasswordHash>) -> bool {
        let (exists, nobody) = (stored.is_some(), Arc::clone(&self.nobody));
        let right = self.run(move || match stored {
            Some(stored) => verify_now(&password, &stored.0),
            None => verify_now(&password, &nobody),
        });
        right.await && exists
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        spawn_blocking(work).await.expect("hashing does not panic")
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &SecretString) -> PasswordHash {
    let salt = SaltString::generate(&mut OsRng);
    let hash = hasher().hash_password(password.expose_secret().as_bytes(), &salt);
    PasswordHash(hash.expect("a password of bounded length hashes").to_string())
}

fn verify_now(password: &SecretString, stored: &str) -> bool {
    PasswordHashString::new(stored)
        .is_ok_and(|hash| hasher().verify_password(password.expose_secret().as_bytes(), &hash.password_hash()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_login_that_exists_is_right() {
        let passwords = Passwords::start();
        let stored = passwords.hash("correct horse".into()).await;
        assert!(passwords.verify("correct horse".into(), Some(stored.clone())).await);
        assert!(!passwords.verify("wrong horse".into(), Some(stored)).await);
        assert!(!passwords.verify("correct horse".into(), None).await);
    }
}
