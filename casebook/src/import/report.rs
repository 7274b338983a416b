//! What was not taken, and why: a CSV file for the operator. It repeats no value of the book.

use std::{collections::BTreeSet, fs::File, path::Path};

use anyhow::{Context, Result};
use derive_more::Display;
use serde::{Serialize, Serializer};

/// Where on its way a line was refused. What lies before it was recorded, what lies after it was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display)]
pub enum Stage {
    #[display("read")]
    Read,
    #[display("register-clinic")]
    RegisterClinic,
    #[display("activate-subscription")]
    ActivateSubscription,
    #[display("renew-activation")]
    RenewActivation,
    #[display("register-doctor")]
    RegisterDoctor,
    #[display("register-patient")]
    RegisterPatient,
    #[display("book")]
    Book,
    #[display("check-in")]
    CheckIn,
    #[display("start")]
    Start,
    #[display("complete")]
    Complete,
    #[display("no-show")]
    MarkNoShow,
    #[display("cancel")]
    Cancel,
    #[display("add-medicine")]
    AddMedicine,
    #[display("describe-substance")]
    DescribeSubstance,
    #[display("set-interactions")]
    SetInteractions,
}

impl Stage {
    /// The command of the stage, and the event that says that it has been passed.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("", ""),
            Self::RegisterClinic => ("RegisterClinic", "ClinicRegistered"),
            Self::ActivateSubscription => ("ActivateSubscription", "SubscriptionActivated"),
            Self::RenewActivation => ("RenewActivation", "ActivationRenewed"),
            Self::RegisterDoctor => ("RegisterDoctor", "DoctorRegistered"),
            Self::RegisterPatient => ("RegisterPatient", "PatientRegistered"),
            Self::Book => ("BookAppointment", "AppointmentBooked"),
            Self::CheckIn => ("CheckIn", "PatientCheckedIn"),
            Self::Start => ("StartAppointment", "AppointmentStarted"),
            Self::Complete => ("CompleteAppointment", "AppointmentFulfilled"),
            Self::MarkNoShow => ("MarkNoShow", "AppointmentMarkedNoShow"),
            Self::Cancel => ("CancelAppointment", "AppointmentCancelled"),
            Self::AddMedicine => ("ImportMedicine", "MedicineAdded"),
            Self::DescribeSubstance => ("DescribeSubstance", "SubstanceDescribed"),
            Self::SetInteractions => ("SetInteractions", "InteractionsSet"),
        }
    }

    pub fn command(self) -> &'static str {
        self.names().0
    }

    pub fn event_type(self) -> &'static str {
        self.names().1
    }

    /// Whether its command makes a new stream.
    pub fn creates(self) -> bool {
        matches!(self, Self::RegisterClinic | Self::RegisterDoctor | Self::RegisterPatient | Self::Book)
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A line that was not taken, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    pub line: u64,
    pub stage: Stage,
    /// The refusal's code: `slot-taken`, `outside-working-hours`, …
    pub code: String,
    pub reason: String,
}

/// Writes the report, in the order of the lines; a header alone where nothing was refused.
pub fn write(path: &Path, refused: &[Refused]) -> Result<()> {
    let file = File::create(path).with_context(|| format!("writing the report {path:?}"))?;
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(file);
    csv.write_record(["line", "step", "code", "reason"])?;
    for refused in refused.iter().collect::<BTreeSet<_>>() {
        csv.serialize(refused)?;
    }
    csv.flush().with_context(|| format!("writing the report {path:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_in_the_order_of_the_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let refused = |line, stage, reason: &str| Refused { line, stage, code: "c".into(), reason: reason.into() };
        write(&path, &[refused(9, Stage::Book, "the day, taken"), refused(2, Stage::Read, "\"x\" is empty")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "line,step,code,reason\n2,read,c,\"\"\"x\"\" is empty\"\n9,book,c,\"the day, taken\"\n");
    }
}
