//! `casebook contracts`: the files under `docs/` that are generated from the code and compared in CI.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use events::{AggregateKind, AppointmentEvent, ClinicEvent, DoctorEvent, PatientEvent, StaffEvent};
use schemars::schema_for;

/// Write the generated files: one JSON schema for each aggregate's events.
#[derive(Args)]
pub struct Contracts {
    /// Write nothing; fail when a file differs from what the code says.
    #[arg(long)]
    check: bool,
    /// The folder of the generated files.
    #[arg(long, default_value = "docs")]
    folder: PathBuf,
}

impl Contracts {
    pub fn run(self) -> Result<()> {
        let stale: Vec<PathBuf> = contracts()?
            .into_iter()
            .filter_map(|(path, text)| self.bring(&path, &text).transpose())
            .collect::<Result<_>>()?;
        ensure!(stale.is_empty(), "not as the code says, run `make contracts`: {stale:?}");
        Ok(())
    }

    /// Writes one file, or says that it would have to be written.
    fn bring(&self, path: &Path, text: &str) -> Result<Option<PathBuf>> {
        let path = self.folder.join(path);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            return Ok(None);
        }
        if self.check {
            return Ok(Some(path));
        }
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, text).with_context(|| format!("writing {path:?}"))?;
        Ok(None)
    }
}

/// Every generated file, by its path under the folder.
fn contracts() -> Result<BTreeMap<PathBuf, String>> {
    let events = [
        (AggregateKind::Clinic, schema_for!(ClinicEvent)),
        (AggregateKind::Staff, schema_for!(StaffEvent)),
        (AggregateKind::Doctor, schema_for!(DoctorEvent)),
        (AggregateKind::Patient, schema_for!(PatientEvent)),
        (AggregateKind::Appointment, schema_for!(AppointmentEvent)),
    ];
    let file = |(kind, schema): (AggregateKind, _)| {
        Ok((PathBuf::from(format!("events/{kind}.json")), serde_json::to_string_pretty(&schema)? + "\n"))
    };
    events.into_iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_found_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = |check| Contracts { check, folder: folder.path().to_owned() }.run();
        assert!(run(true).is_err());
        run(false).unwrap();
        run(true).unwrap();
        fs::write(folder.path().join("events/patient.json"), "{}").unwrap();
        assert!(run(true).unwrap_err().to_string().contains("events/patient.json"));
    }
}
