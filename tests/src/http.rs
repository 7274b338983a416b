//! Casebook as a client sees it: HTTP, JSON and nothing else.

use anyhow::Context;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The bytes as they came.
    pub text: String,
}

impl Answer {
    /// The body; null where it is empty or no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A member of the body as text; empty if there is none.
    pub fn text_of(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    pub fn id(&self) -> String {
        self.text_of("id")
    }

    pub fn code(&self) -> String {
        self.text_of("code")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The clinic's position that the answer carries.
    pub fn position(&self) -> i64 {
        self.header("casebook-position").parse().unwrap_or_default()
    }

    /// Fails the test unless the status is the expected one, and shows what was said instead.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "answered: {}", self.text);
        self
    }
}

/// A client with a token, or without one.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub fn new(base: impl Into<String>) -> Self {
        let http = reqwest::Client::builder().pool_max_idle_per_host(512).build().expect("a client needs nothing");
        Self { http, base: base.into(), token: None, headers: Vec::new() }
    }

    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same client with a header on every request.
    #[must_use]
    pub fn with(&self, name: &'static str, value: impl ToString) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_string()));
        client
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes())).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.try_send(method, path, body).await.expect("the stack answers")
    }

    /// As [`send`](Self::send), for a stack that may be away.
    pub async fn try_send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> anyhow::Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.context("sending")?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await.context("reading")? })
    }

    /// The bytes of an answer; its text is left out where it went well.
    pub async fn download(&self, path: &str) -> (Answer, Vec<u8>) {
        let response = self.request(Method::GET, path).send().await.expect("the stack answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("the answer comes whole").to_vec();
        let text = if status.is_success() { String::new() } else { String::from_utf8_lossy(&bytes).into_owned() };
        (Answer { status, headers, text }, bytes)
    }

    /// Logs in; `clinic: None` is the platform.
    pub async fn log_in(&self, clinic: Option<&str>, username: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({"clinic": clinic, "username": username, "password": password})).await
    }
}

impl Client {
    /// Exchanges a refresh token.
    pub async fn refresh(self, token: String) -> Answer {
        self.post("/api/v1/auth/refresh", json!({"refresh_token": token})).await
    }
}
