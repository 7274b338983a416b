//! `casebook contracts`: the files under `docs/` that are generated from the code and compared in CI.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::{Arg, Args, CommandFactory};
use events::{
    AccessEvent, AggregateKind, AppointmentEvent, CaseStudyEvent, CatalogueEvent, ChargeEvent, ClinicEvent,
    DentalChartEvent, DentalTemplateEvent, DepartmentEvent, DoctorEvent, DocumentEvent, InvoiceEvent, LabOrderEvent,
    LabReportEvent, MedicineEvent, NoteEvent, PatientEvent, PrescriptionEvent, ShortKeyEvent, StaffEvent,
    SubstanceEvent, VisitEvent,
};
use schemars::schema_for;

use crate::{Casebook, api::Api};

/// Write the generated files: the schemas of all events, the API and the configuration
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
        (AggregateKind::Document, schema_for!(DocumentEvent)),
        (AggregateKind::DentalChart, schema_for!(DentalChartEvent)),
        (AggregateKind::DentalTemplate, schema_for!(DentalTemplateEvent)),
        (AggregateKind::Charge, schema_for!(ChargeEvent)),
        (AggregateKind::Invoice, schema_for!(InvoiceEvent)),
        (AggregateKind::Medicine, schema_for!(MedicineEvent)),
        (AggregateKind::Substance, schema_for!(SubstanceEvent)),
        (AggregateKind::Catalogue, schema_for!(CatalogueEvent)),
        (AggregateKind::ShortKey, schema_for!(ShortKeyEvent)),
        (AggregateKind::LabOrder, schema_for!(LabOrderEvent)),
        (AggregateKind::LabReport, schema_for!(LabReportEvent)),
        (AggregateKind::Visit, schema_for!(VisitEvent)),
        (AggregateKind::Department, schema_for!(DepartmentEvent)),
        (AggregateKind::Prescription, schema_for!(PrescriptionEvent)),
        (AggregateKind::Note, schema_for!(NoteEvent)),
        (AggregateKind::CaseStudy, schema_for!(CaseStudyEvent)),
        (AggregateKind::Access, schema_for!(AccessEvent)),
    ];
    let mut files = BTreeMap::from([
        (PathBuf::from("configuration.md"), configuration()),
        (PathBuf::from("api/openapi.json"), String::from_utf8(Api::new().openapi().to_vec())? + "\n"),
    ]);
    for (kind, schema) in events {
        files.insert(format!("events/{kind}.json").into(), serde_json::to_string_pretty(&schema)? + "\n");
    }
    Ok(files)
}

/// What can be set, by environment or by option.
fn configuration() -> String {
    let mut text = "# Configuration\n\nWritten by `make contracts` from the program itself. Every setting is an environment variable \
                    and an option of every command; the option wins.\n\n\
                    | variable | option | default | what |\n| --- | --- | --- | --- |\n"
        .to_owned();
    let program = Casebook::command();
    let mut rows: Vec<String> = program.get_arguments().filter_map(setting).collect();
    rows.sort();
    text.extend(rows);
    text
}

/// A line of the table, for an option that can be set by the environment.
fn setting(option: &Arg) -> Option<String> {
    let variable = option.get_env()?.to_str()?;
    let name =
        option.get_long().filter(|_| !option.is_hide_set()).map(|name| format!("`--{name}`")).unwrap_or_default();
    let default = option.get_default_values().join(std::ffi::OsStr::new(", "));
    let default = default.to_str().filter(|text| !text.is_empty()).map(|text| format!("`{text}`")).unwrap_or_default();
    let about = option.get_help().map(ToString::to_string).unwrap_or_default();
    Some(format!("| `{variable}` | {name} | {default} | {about} |\n"))
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
