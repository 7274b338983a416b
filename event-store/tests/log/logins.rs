//! Secrets of logins, sessions, and whether a token still stands.

use chrono::{DateTime, TimeDelta, Utc};
use event_store::{Activation, CredentialChange, FirstSecret, PasswordHash, RefreshToken, Rotation, Standing, Store};
use events::{ClinicId, StaffEvent, UserId, claim::KeyedHash};
use uuid::Uuid;

use crate::world::{World, append, clinic};

struct Login {
    store: Store,
    clinic: ClinicId,
    user: UserId,
    _world: World,
}

impl Login {
    async fn new(secret: FirstSecret) -> Self {
        let world = World::new().await;
        let store = world.store();
        let login = Self { clinic: clinic(&store).await, store, user: UserId(Uuid::now_v7()), _world: world };
        let username_hash = KeyedHash("asha".into());
        login.change(CredentialChange::Create { user: login.user, username_hash, secret }).await;
        login
    }

    /// In the append of an event, as every change of a secret.
    async fn change(&self, change: CredentialChange) {
        let event = StaffEvent::PasswordChanged { patient: None };
        let mut append = append(self.clinic, [(self.user.into(), event.into())]);
        append.credentials.push(change);
        self.store.append(append).await.unwrap();
    }

    async fn credential(&self) -> event_store::Credential {
        let username = KeyedHash("asha".into());
        self.store.credential_of_username(self.clinic, &username).await.unwrap().unwrap()
    }

    async fn session(&self, token: u8) -> Uuid {
        let session = Uuid::now_v7();
        self.store.begin_session(self.clinic, self.user, session, refresh(token), Utc::now()).await.unwrap();
        session
    }

    async fn standing(&self, session: Uuid, issued_at: DateTime<Utc>) -> Standing {
        let begun =
            self.store.begin_command(self.clinic, self.user, session, issued_at, Some([1; 32]), true).await.unwrap();
        assert!(begun.answer.is_none());
        begun.standing
    }
}

fn password(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

fn with_password() -> FirstSecret {
    FirstSecret::Password { password: password("first"), must_change: true }
}

fn refresh(token: u8) -> RefreshToken {
    RefreshToken { hash: [token; 32], expires_at: Utc::now() + TimeDelta::days(7) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_becomes_a_password() {
    let expires_at = DateTime::from_timestamp_micros((Utc::now() + TimeDelta::hours(72)).timestamp_micros()).unwrap();
    let login = Login::new(FirstSecret::Activation(Activation { hash: [3; 32], expires_at })).await;
    let invited = login.credential().await;
    assert_eq!((invited.user, invited.activation), (login.user, Some(([3; 32], expires_at))));
    assert!(invited.password_hash.is_none());
    login.change(CredentialChange::SetPassword { user: login.user, password: password("own") }).await;
    let active = login.credential().await;
    assert_eq!((active.password_hash.as_deref(), active.activation), (Some("own"), None));
    login
        .change(CredentialChange::RenewActivation {
            user: login.user,
            activation: Activation { hash: [4; 32], expires_at },
        })
        .await;
    let renewed = login.credential().await;
    assert_eq!((renewed.password_hash, renewed.activation), (None, Some(([4; 32], expires_at))));
    let nobody = KeyedHash("ravi".into());
    assert!(login.store.credential_of_username(login.clinic, &nobody).await.unwrap().is_none());
    assert!(login.store.credential_of_username(ClinicId::PLATFORM, &KeyedHash("asha".into())).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_for_a_login_that_does_not_exist_fails_with_its_append() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, user) = (clinic(&store).await, UserId(Uuid::now_v7()));
    let mut append = append(clinic, [(user.into(), StaffEvent::PasswordChanged { patient: None }.into())]);
    append.credentials.push(CredentialChange::Unlock { user });
    assert!(matches!(store.append(append).await, Err(event_store::AppendError::Refused(_))));
    assert_eq!(store.head(clinic, events::Ledger::Record).await.unwrap().position, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_logins_are_counted_in_a_row() {
    let login = Login::new(with_password()).await;
    assert!(login.credential().await.must_change_password);
    for n in 1..=3 {
        assert_eq!(login.store.count_failed_login(login.clinic, login.user).await.unwrap(), n);
    }
    login.store.forget_failed_logins(login.clinic, login.user).await.unwrap();
    assert_eq!(login.store.count_failed_login(login.clinic, login.user).await.unwrap(), 1);
    login.change(CredentialChange::Lock { user: login.user, until: Some(Utc::now() + TimeDelta::minutes(15)) }).await;
    let locked = login.credential().await;
    assert!(locked.locked_until.is_some() && !locked.locked && locked.failed_logins == 0);
    login.change(CredentialChange::Lock { user: login.user, until: None }).await;
    assert!(login.credential().await.locked);
    login.change(CredentialChange::Unlock { user: login.user }).await;
    let unlocked = login.credential().await;
    assert!(unlocked.locked_until.is_none() && !unlocked.locked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_stands_until_something_ends_it() {
    let login = Login::new(with_password()).await;
    let session = login.session(1).await;
    assert_eq!(login.standing(session, Utc::now()).await, Standing::Good);
    assert_eq!(login.standing(Uuid::now_v7(), Utc::now()).await, Standing::Ended, "no such session");
    let issued_at = Utc::now();
    login.change(CredentialChange::EndTokens { user: login.user }).await;
    assert_eq!(login.standing(session, issued_at).await, Standing::Ended, "a role has changed");
    assert_eq!(login.standing(session, Utc::now()).await, Standing::Good, "the session gives a new one");
    login.store.revoke_session(login.clinic, session, Utc::now()).await.unwrap();
    assert_eq!(login.standing(session, Utc::now()).await, Standing::Ended, "logged out");

    type Change = fn(UserId) -> CredentialChange;
    let ends: [(Change, Standing); 3] = [
        (|user| CredentialChange::SetPassword { user, password: password("new") }, Standing::Good),
        (|user| CredentialChange::Lock { user, until: None }, Standing::Ended),
        (|user| CredentialChange::Disable { user }, Standing::Ended),
    ];
    for (n, (change, afterwards)) in ends.into_iter().enumerate() {
        let token = 10 + u8::try_from(n).unwrap();
        let session = login.session(token).await;
        login.change(change(login.user)).await;
        assert_eq!(login.standing(session, Utc::now()).await, Standing::Ended);
        let rotated = login.store.rotate(login.clinic, &[token; 32], refresh(token + 100), Utc::now()).await.unwrap();
        assert_eq!(rotated, Rotation::Refused);
        let later = login.session(token + 50).await;
        assert_eq!(login.standing(later, Utc::now()).await, afterwards);
        login.change(CredentialChange::Unlock { user: login.user }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_a_reused_one_ends_the_session() {
    let login = Login::new(with_password()).await;
    let (store, clinic, user) = (&login.store, login.clinic, login.user);
    let session = login.session(1).await;
    let rotate =
        |from: u8, to: u8| async move { store.rotate(clinic, &[from; 32], refresh(to), Utc::now()).await.unwrap() };
    assert_eq!(rotate(9, 2).await, Rotation::Refused, "unknown");
    assert_eq!(rotate(1, 2).await, Rotation::Rotated { user, session });
    assert_eq!(rotate(2, 3).await, Rotation::Rotated { user, session });
    assert_eq!(rotate(1, 4).await, Rotation::Reused { user, session });
    assert_eq!(login.standing(session, Utc::now()).await, Standing::Ended);
    assert_eq!(rotate(3, 5).await, Rotation::Refused, "the thief's or the owner's: nobody knows");

    let session = login.session(20).await;
    let both = [
        store.rotate(clinic, &[20; 32], refresh(21), Utc::now()),
        store.rotate(clinic, &[20; 32], refresh(22), Utc::now()),
    ];
    let mut answers: Vec<_> = futures::future::join_all(both).await.into_iter().map(Result::unwrap).collect();
    answers.sort_by_key(|answer| matches!(answer, Rotation::Reused { .. }));
    assert_eq!(answers, [Rotation::Rotated { user, session }, Rotation::Reused { user, session }]);

    let expired = RefreshToken { hash: [30; 32], expires_at: Utc::now() - TimeDelta::seconds(1) };
    store.begin_session(clinic, user, Uuid::now_v7(), expired, Utc::now()).await.unwrap();
    assert_eq!(rotate(30, 31).await, Rotation::Refused);
    assert_eq!(store.forget_expired_sessions(Utc::now()).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_of_a_user_end_at_once() {
    let login = Login::new(with_password()).await;
    let sessions = [login.session(1).await, login.session(2).await];
    let issued_at = Utc::now();
    login.store.revoke_sessions(login.clinic, login.user, Utc::now()).await.unwrap();
    for session in sessions {
        assert_eq!(login.standing(session, issued_at).await, Standing::Ended);
    }
    let later = login.session(3).await;
    assert_eq!(login.standing(later, Utc::now()).await, Standing::Good);
}
