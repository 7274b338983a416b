//! The log: lines for people or JSON for machines, on standard error.

use std::{io::IsTerminal, panic::PanicHookInfo};

use tracing_subscriber::{EnvFilter, filter::ParseError, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("CASEBOOK_LOG is not a log filter")]
    Filter(#[from] ParseError),
    #[error("the log was set up twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets the log of the process up; once, first thing in `main`.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(&config.filter)?);
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => registry.with(lines).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init()?,
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic is logged by its place. Its message only when it was written in the program: a formatted one may
/// hold data.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, message = literal_message(panic.payload()), "panic");
}

fn literal_message(payload: &(dyn std::any::Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(not logged: it may hold data)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formatted_panic_message_is_withheld() {
        assert_eq!(literal_message(&"a rule of the program is broken"), "a rule of the program is broken");
        assert_eq!(literal_message(&format!("patient {}", "Asha")), "(not logged: it may hold data)");
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        let config = LogConfig { filter: "info,=x=".to_owned(), format: LogFormat::Text };
        assert!(matches!(init(&config), Err(TelemetryError::Filter(_))));
    }
}
