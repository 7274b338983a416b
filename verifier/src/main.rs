//! `casebook-verify`: whether an export bundle is what was recorded. Needs no server and no network.
//!
//! Ends with 0 where it is intact, 1 where it is not, 2 where it cannot be used.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use verifier::{Outcome, Report, Unusable, verify};

/// Verify an export bundle of Casebook, without Casebook
#[derive(Parser)]
#[command(name = "casebook-verify", version)]
struct Options {
    /// What was exported.
    bundle: PathBuf,
    /// SHA-256 of the key that signs checkpoints, in hexadecimal digits. Never take it from where the bundle came from.
    #[arg(long)]
    fingerprint: String,
    /// The folder of anchored checkpoints, or a copy of it that was kept elsewhere.
    #[arg(long)]
    anchors: Option<PathBuf>,
    /// For programs.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let verified = verify(&options.bundle, &options.fingerprint, options.anchors.as_deref());
    let text = if options.json { json(&verified) } else { words(&verified) };
    let said = writeln!(std::io::stdout(), "{text}");
    match verified {
        Ok(report) if said.is_ok() && report.outcome == Outcome::Intact => ExitCode::SUCCESS,
        Ok(report) if report.outcome == Outcome::NotIntact => ExitCode::from(1),
        _ => ExitCode::from(2),
    }
}

fn json(verified: &Result<Report, Unusable>) -> String {
    match verified {
        Ok(report) => serde_json::to_string(report).expect("a report is plain data"),
        Err(error) => serde_json::json!({"outcome": "unusable", "error": error.to_string()}).to_string(),
    }
}

fn words(verified: &Result<Report, Unusable>) -> String {
    match verified {
        Ok(report) => report.to_string().trim_end().to_owned(),
        Err(error) => format!("This cannot be verified: {error}."),
    }
}
