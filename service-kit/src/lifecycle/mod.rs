//! How a process runs, is asked how it is, and stops: its tasks, its probes, its signals.

mod health;

use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::Router;
pub use health::{CheckFuture, Health};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::problem::causes;

/// How long tasks and open requests may take to end once the process is told to stop.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

type TaskError = Box<dyn Error + Send + Sync>;

/// The tasks of a process. When one fails, all are stopped: a process is whole or it ends.
#[derive(Clone, Default)]
pub struct Lifecycle {
    stop: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<OnceLock<&'static str>>,
}

/// Why a process did not end well.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    #[error("{0} failed")]
    TaskFailed(&'static str),
    #[error("{0} tasks did not end within {1:?}")]
    TasksLeft(usize, Duration),
}

impl Lifecycle {
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process is to stop. Tasks and endless answers (server-sent events) watch it.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Asks everything to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Runs a task that ends well only when the process stops. An error or a panic stops the process.
    pub fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<TaskError> + Send + 'static,
    {
        let running = tokio::spawn(task);
        let lifecycle = self.clone();
        self.tasks.spawn(async move {
            let outcome = match running.await {
                Ok(outcome) => outcome.map_err(Into::into),
                Err(panic) => Err(panic.into()),
            };
            lifecycle.ended(name, outcome);
        });
    }

    fn ended(&self, name: &'static str, outcome: Result<(), TaskError>) {
        match outcome {
            Ok(()) if self.stop.is_cancelled() => tracing::debug!(task = name, "task ended"),
            Ok(()) => self.fail(name, "it ended by itself"),
            Err(error) => self.fail(name, &causes(error.as_ref())),
        }
    }

    fn fail(&self, name: &'static str, causes: &str) {
        tracing::error!(task = name, causes, "task failed, the process stops");
        // Only the first failure is the reason.
        let _ = self.failed.set(name);
        self.stop.cancel();
    }

    /// Serves until the process stops, then lets open requests end.
    pub fn serve(&self, name: &'static str, listener: TcpListener, router: Router) {
        let stop = self.stop.clone();
        self.spawn(name, async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
        });
    }

    /// Waits for SIGINT, SIGTERM or a failed task, then ends everything within [`SHUTDOWN_TIMEOUT`].
    pub async fn run(self) -> Result<(), LifecycleError> {
        self.run_within(SHUTDOWN_TIMEOUT).await
    }

    async fn run_within(self, limit: Duration) -> Result<(), LifecycleError> {
        tokio::select! {
            () = self.stop.cancelled() => {}
            signal = stop_signal() => tracing::info!(signal, "stopping"),
        }
        self.stop.cancel();
        self.tasks.close();
        let in_time = tokio::time::timeout(limit, self.tasks.wait()).await.is_ok();
        match self.failed.get() {
            Some(name) => Err(LifecycleError::TaskFailed(name)),
            None if in_time => Ok(()),
            None => Err(LifecycleError::TasksLeft(self.tasks.len(), limit)),
        }
    }
}

/// The name of the signal that came. A signal that cannot be watched never comes.
async fn stop_signal() -> &'static str {
    tokio::select! {
        () = watch(SignalKind::interrupt()) => "SIGINT",
        () = watch(SignalKind::terminate()) => "SIGTERM",
    }
}

async fn watch(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::error!(causes = %causes(&error), "a signal cannot be watched");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
