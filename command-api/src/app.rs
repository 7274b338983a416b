//! What the handlers share.

use std::sync::Arc;

use attachments::Attachments;
use axum::extract::FromRef;
use event_store::Store;
use service_kit::{Authority, tokens::TokenSigner};

use crate::{
    auth::passwords::Passwords,
    execute::{Executor, Turns},
};

#[derive(Clone)]
pub struct App {
    pub executor: Executor,
    pub passwords: Passwords,
    pub signer: TokenSigner,
    pub attachments: Attachments,
    authority: Authority,
    /// Requests with one idempotency key take turns: the second one finds the first one's answer.
    pub(crate) keys: Arc<Turns>,
}

impl App {
    pub fn new(store: Store, authority: Authority, signer: TokenSigner, attachments: Attachments) -> Self {
        let executor = Executor::new(store);
        Self { executor, passwords: Passwords::start(), signer, attachments, authority, keys: Arc::default() }
    }

    pub fn store(&self) -> &Store {
        self.executor.store()
    }
}

impl FromRef<App> for Authority {
    fn from_ref(app: &App) -> Self {
        app.authority.clone()
    }
}
