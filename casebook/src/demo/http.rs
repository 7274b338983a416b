//! The client of the demo.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Http {
    base: Url,
    token: Option<String>,
    client: Client,
}

impl Http {
    pub fn new(base: Url) -> Result<Self> {
        Ok(Self { base, token: None, client: Client::builder().timeout(TIMEOUT).build()? })
    }

    /// From now on as the login that the token stands for.
    pub fn log_in(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Another one, as the login that the token stands for.
    pub fn logged_in(&self, token: String) -> Result<Self> {
        let mut http = Self::new(self.base.clone())?;
        http.log_in(token);
        Ok(http)
    }

    /// A command that must succeed.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.send(path, body).await?;
        ensure!(status.is_success(), "POST {path} answered {status}: {answer}");
        Ok(answer)
    }

    /// A command that may find its place taken; `false`: it has.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<bool> {
        match self.send(path, body).await? {
            (status, _) if status.is_success() => Ok(true),
            (StatusCode::CONFLICT, _) => Ok(false),
            (status, problem) => bail!("POST {path} answered {status}: {problem}"),
        }
    }

    async fn send(&self, path: &str, body: &Value) -> Result<(StatusCode, Value)> {
        let mut request = self.client.post(self.base.join(path)?).json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.with_context(|| format!("is Casebook running on {}?", self.base))?;
        let status = answer.status();
        let body = answer.json().await.with_context(|| format!("POST {path} answered {status} without JSON"))?;
        Ok((status, body))
    }
}

/// A text member of an answer.
pub(super) fn text(answer: &Value, member: &str) -> Result<String> {
    answer[member].as_str().map(str::to_owned).with_context(|| format!("the answer has no `{member}`"))
}
