use std::collections::HashSet;

use super::{
    Capability::{self, *},
    *,
};

/// As the design prints it.
const MATRIX: &str = "\
| capability | PA | OP | CA | DR | NU | RE | LT | PH | BI | AU | PT |
|---|---|---|---|---|---|---|---|---|---|---|---|
| register / suspend clinics, plans | ● | – | – | – | – | – | – | – | – | ○ | – |
| clinic profile, offices, hours, settings, departments | ○ | – | ● | ○ | ○ | ○ | ○ | ○ | ○ | ○ | – |
| staff and roles | ◐ first admin | – | ● | – | – | – | – | – | – | ○ | – |
| doctor hours, leave | – | – | ● | ◐ own | ○ | ○ | – | – | – | ○ | – |
| register / update patients | – | – | ● | ● | ● | ● | – | – | – | ○ | ◐ own contact |
| read demographics | – | – | ● | ● | ● | ● | ○ | ○ | ○ | ○ | ◐ own |
| merge, unmerge, deactivate | – | – | ● | – | – | – | – | – | – | ○ | – |
| appointments | – | – | ● | ● | ○ | ● | – | – | – | ○ | ◐ own |
| overbook | – | – | ● | ◐ own | – | – | – | – | – | ○ | – |
| check-in, queue | – | – | ● | ○ | ● | ● | – | – | – | ○ | – |
| vitals, allergies, problems | – | – | ○ | ● | ● | ○ allergies | ○ | ○ | – | ○ | ○ own |
| visits | – | – | ○ | ● | ◐ triage | ◐ open | – | – | – | ◐ grant | ○ own |
| notes | – | – | – | ● | ◐ own | – | – | – | – | ◐ grant | ◐ released |
| diagnosis, issue prescription, order tests | – | – | – | ● | ◐ draft | – | – | ○ | – | ◐ grant | ◐ own |
| dispense, refill | – | – | – | ● | – | – | – | ● | – | ○ | ○ own |
| record / verify results | – | – | – | ◐ verify | – | – | ● | – | – | ◐ grant | ◐ released |
| dental chart | – | – | – | ● | ◐ observe | – | – | – | – | ◐ grant | ○ own |
| documents | – | – | ◐ admin | ● | ● | ◐ upload | ◐ lab | – | – | ◐ grant | ◐ own |
| medicines, short keys | ◐ platform | – | ● | ◐ own keys | ○ | ○ | ○ | ○ | ○ | ○ | – |
| case studies | – | – | ◐ approve | ● | – | – | – | – | – | ○ | – |
| consent, restriction, portal accounts | – | – | ● | ◐ consent | ◐ consent | ◐ consent, portal | – | – | – | ○ | ◐ own consent |
| live events | – | ◐ counts | ● | ● | ● | ● | ● | ● | ● | ● | ◐ own |
| import | – | ● | ◐ own clinic | – | – | – | – | – | – | – | – |
| invoices, payments | – | – | ● | ○ | – | ◐ payment | – | – | ● | ○ | ○ own |
| statistics | ◐ counts | ◐ technical | ● | ◐ own | – | ◐ queue | ◐ lab | – | ◐ money | ○ | – |
| audit trail, access log, verification | ◐ metadata | ◐ verify | ● | – | – | – | – | – | – | ● | ◐ own access log |
| replay, state at an earlier time | – | – | ● | ◐ own patients | – | – | – | – | – | ◐ grant | – |
| export | – | – | ● | ◐ a patient | – | – | – | – | – | ◐ grant | ◐ own |
| rebuild, backups, parked events | – | ● | – | – | – | – | – | – | – | ○ | – |
| break the glass | – | – | – | ● | ● | – | – | – | – | ◐ reviews | – |
| erasure, legal hold | – | – | ● two persons | – | – | – | – | – | – | ○ | ◐ request |";

/// Which capabilities make up a row.
const ROWS: &[(&str, &[Capability])] = &[
    ("register / suspend clinics, plans", &[Clinics]),
    ("clinic profile, offices, hours, settings, departments", &[ClinicProfile]),
    ("staff and roles", &[Staff]),
    ("doctor hours, leave", &[DoctorHours]),
    ("register / update patients", &[PatientRegister]),
    ("read demographics", &[PatientRead]),
    ("merge, unmerge, deactivate", &[PatientMerge]),
    ("appointments", &[Appointments]),
    ("overbook", &[Overbook]),
    ("check-in, queue", &[CheckIn]),
    ("vitals, allergies, problems", &[Vitals, Allergies, Problems]),
    ("visits", &[Visits]),
    ("notes", &[Notes]),
    ("diagnosis, issue prescription, order tests", &[Prescribe]),
    ("dispense, refill", &[Dispense]),
    ("record / verify results", &[LabResults]),
    ("dental chart", &[DentalChart]),
    ("documents", &[Documents]),
    ("medicines, short keys", &[Medicines, ShortKeys]),
    ("case studies", &[CaseStudies]),
    ("consent, restriction, portal accounts", &[Consent, Restriction, PortalAccounts]),
    ("live events", &[LiveEvents]),
    ("import", &[Import]),
    ("invoices, payments", &[Billing]),
    ("statistics", &[Statistics]),
    ("audit trail, access log, verification", &[Audit]),
    ("replay, state at an earlier time", &[Replay]),
    ("export", &[Export]),
    ("rebuild, backups, parked events", &[Operations]),
    ("break the glass", &[BreakGlass]),
    ("erasure, legal hold", &[Erasure, LegalHold]),
];

/// Where a cell names a part of its row, the parts differ; every other part has nothing.
const NAMED_PARTS: &[(&str, &[(Capability, &str)])] = &[
    ("○ allergies", &[(Allergies, "○")]),
    ("◐ platform", &[(Medicines, "◐ platform")]),
    ("◐ own keys", &[(Medicines, "○"), (ShortKeys, "◐ own keys")]),
    ("◐ consent", &[(Consent, "●")]),
    ("◐ consent, portal", &[(Consent, "●"), (PortalAccounts, "●")]),
    ("◐ own consent", &[(Consent, "◐ own")]),
    ("◐ request", &[(Erasure, "◐ request")]),
];

fn printed_part(printed: &'static str, capability: Capability) -> &'static str {
    match NAMED_PARTS.iter().find(|(whole, _)| *whole == printed) {
        None => printed,
        Some((_, parts)) => parts.iter().find(|(part, _)| *part == capability).map_or("–", |(_, cell)| cell),
    }
}

/// Whether the table's cell is what the matrix prints. "two persons" is a rule of the domain, not of a role.
fn agrees(printed: &str, cell: Cell) -> bool {
    let (symbol, words) = printed.split_once(' ').unwrap_or((printed, ""));
    match (symbol, cell) {
        ("●", Cell::Full) => matches!(words, "" | "two persons"),
        ("○", Cell::Read) | ("–", Cell::Nothing) => words.is_empty(),
        ("○", Cell::ReadWithin(limit)) => limit.to_string() == words,
        ("◐", Cell::ReadWithin(limit) | Cell::Within(limit) | Cell::WriteWithin(limit)) => limit.to_string() == words,
        _ => false,
    }
}

fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    MATRIX.lines().skip(2).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        (cells.next().unwrap(), cells.collect())
    })
}

#[test]
fn the_table_is_the_matrix() {
    for (name, cells) in rows() {
        let (_, capabilities) = ROWS.iter().find(|(row, _)| *row == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(cells.len(), Role::VARIANTS.len(), "{name}");
        for capability in *capabilities {
            for (role, printed) in Role::VARIANTS.iter().zip(&cells) {
                let (printed, cell) = (printed_part(printed, *capability), cell(*capability, *role));
                assert!(agrees(printed, cell), "{name}, {capability} of {role}: {printed} is not {cell:?}");
            }
        }
    }
}

#[test]
fn every_capability_stands_in_exactly_one_row() {
    let listed: Vec<Capability> = ROWS.iter().flat_map(|(_, capabilities)| capabilities.iter().copied()).collect();
    assert_eq!(listed.len(), Capability::VARIANTS.len());
    assert_eq!(listed.iter().collect::<HashSet<_>>().len(), listed.len());
    assert_eq!(rows().count(), ROWS.len());
}

#[test]
fn every_named_part_is_printed_somewhere() {
    for (printed, _) in NAMED_PARTS {
        assert!(rows().any(|(_, cells)| cells.contains(printed)), "{printed}");
    }
}

#[test]
fn roles_add_up() {
    let both = grant(&[Role::Doctor, Role::Billing], Capability::Billing);
    assert!(both.write.is_everything());
    let doctor = grant(&[Role::Doctor], Overbook);
    assert!(doctor.write.covers(Limit::Own) && !doctor.write.is_everything());
    let statistics = grant(&[Role::Doctor, Role::Receptionist], Statistics);
    assert!(statistics.read.covers(Limit::Own) && statistics.read.covers(Limit::Queue));
    assert!(!statistics.read.covers(Limit::Money) && !statistics.allows_write());
}

#[test]
fn no_role_no_grant() {
    for capability in Capability::VARIANTS {
        assert_eq!(grant(&[], *capability), Grant::NOTHING);
    }
}

#[test]
fn nobody_of_the_platform_reads_a_patient() {
    let about_patients = [
        PatientRegister,
        PatientRead,
        PatientMerge,
        Appointments,
        Vitals,
        Allergies,
        Problems,
        Visits,
        Notes,
        Prescribe,
        Dispense,
        LabResults,
        DentalChart,
        Documents,
        CaseStudies,
        Consent,
        Billing,
        Replay,
        Export,
        BreakGlass,
    ];
    for capability in about_patients {
        assert_eq!(grant(&[Role::PlatformAdmin, Role::Operator], capability), Grant::NOTHING, "{capability}");
    }
}
