//! What was found, as people read it.

use std::fmt;

use proof::bundle::Kind;

use crate::report::{BundleFault, Fault, Finding, LedgerName, Outcome, Report, Summary};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = match self.kind {
            Kind::Clinic => "the whole of clinic",
            Kind::Range => "a stretch of clinic",
            Kind::Patient => "one patient of clinic",
        };
        writeln!(f, "A bundle of {about} {}, made at {} by its own account.", self.clinic, self.made_at)?;
        match self.outcome {
            Outcome::Intact => writeln!(f, "INTACT: {}.", scope(self))?,
            Outcome::NotIntact => writeln!(f, "NOT INTACT.")?,
        }
        self.findings.iter().try_for_each(|finding| writeln!(f, "- {finding}."))?;
        ledger(f, LedgerName::Record, &self.record, self)?;
        ledger(f, LedgerName::Access, &self.access, self)?;
        match self.anchors_compared {
            Some(0) => {
                writeln!(f, "None of the anchors given is older than the bundle: nothing was compared with them.")
            }
            Some(count) => writeln!(f, "{count} anchors were compared."),
            None => writeln!(
                f,
                "No anchors were given: whoever owns the database and the signing key could have signed anew."
            ),
        }
    }
}

fn scope(report: &Report) -> &'static str {
    match (report.kind, report.anchors_compared) {
        (Kind::Patient, _) => "every event of the chart is one that was signed, and none is missing",
        (_, Some(_)) => "nothing was altered, dropped or cut off, as far as signatures and anchors reach",
        (_, None) => "nothing was altered, dropped or cut off, as far as signatures reach",
    }
}

fn ledger(f: &mut fmt::Formatter<'_>, name: LedgerName, summary: &Summary, report: &Report) -> fmt::Result {
    let Summary { rows, withheld, opened, covered_upto, last } = summary;
    write!(f, "{name}: {rows} rows, {opened} opened, {withheld} withheld; ")?;
    match (last - covered_upto, report.kind) {
        (0, _) => writeln!(f, "all of them are proved."),
        (after, Kind::Clinic | Kind::Range) => writeln!(
            f,
            "proved up to position {covered_upto}. The {after} after it are not yet covered: ask for a later bundle."
        ),
        (_, Kind::Patient) => {
            writeln!(f, "proved up to position {covered_upto}; later ones are not yet covered: ask for a later bundle.")
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ledger) = self.ledger {
            write!(f, "{ledger}: ")?;
        }
        match &self.fault {
            Fault::Proof(verdict) => verdict.fmt(f),
            Fault::Bundle(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for BundleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpenedAt { position } => {
                write!(
                    f,
                    "the sealed part at position {position} does not open: its key is not the one it was sealed with"
                )
            }
            Self::EventMissing { patient, patient_version } => {
                write!(f, "event number {patient_version} of patient {patient} is missing")
            }
            Self::CountNotProven { patient } => {
                write!(f, "nothing proves how many events patient {patient} has")
            }
            Self::FileDamaged { file } => write!(f, "{file} is not the file that the manifest names"),
        }
    }
}
