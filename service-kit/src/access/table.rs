//! The table itself. Columns as in the design: platform admin, operator, clinic admin, doctor, nurse,
//! receptionist, laboratory technician, pharmacist, billing, auditor, patient.

use events::Role;

use super::{
    Capability::{self, *},
    Cell,
    Limit::*,
};

const COLUMNS: usize = 11;

const NONE: Cell = Cell::Nothing;
const READ: Cell = Cell::Read;
const FULL: Cell = Cell::Full;

const fn reads(limit: super::Limit) -> Cell {
    Cell::ReadWithin(limit)
}

const fn within(limit: super::Limit) -> Cell {
    Cell::Within(limit)
}

/// Reads everything, writes within the limit.
const fn writes(limit: super::Limit) -> Cell {
    Cell::WriteWithin(limit)
}

/// What one role may do with one capability.
pub const fn cell(capability: Capability, role: Role) -> Cell {
    row(capability)[column(role)]
}

const fn column(role: Role) -> usize {
    match role {
        Role::PlatformAdmin => 0,
        Role::Operator => 1,
        Role::ClinicAdmin => 2,
        Role::Doctor => 3,
        Role::Nurse => 4,
        Role::Receptionist => 5,
        Role::LabTechnician => 6,
        Role::Pharmacist => 7,
        Role::Billing => 8,
        Role::Auditor => 9,
        Role::Patient => 10,
    }
}

#[rustfmt::skip]
const fn row(capability: Capability) -> [Cell; COLUMNS] {
    match capability {
        //                  PA                          OP                 CA                      DR                   NU               RE               LT                  PH    BI             AU              PT
        Clinics         => [FULL,                       NONE,              NONE,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        ClinicProfile   => [READ,                       NONE,              FULL,                   READ,                READ,            READ,            READ,               READ, READ,          READ,           NONE],
        Staff           => [within(FirstAdministrator), NONE,              FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        DoctorHours     => [NONE,                       NONE,              FULL,                   writes(Own),         READ,            READ,            NONE,               NONE, NONE,          READ,           NONE],
        PatientRegister => [NONE,                       NONE,              FULL,                   FULL,                FULL,            FULL,            NONE,               NONE, NONE,          READ,           within(OwnContact)],
        PatientRead     => [NONE,                       NONE,              FULL,                   FULL,                FULL,            FULL,            READ,               READ, READ,          READ,           reads(Own)],
        PatientMerge    => [NONE,                       NONE,              FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        Appointments    => [NONE,                       NONE,              FULL,                   FULL,                READ,            FULL,            NONE,               NONE, NONE,          READ,           within(Own)],
        Overbook        => [NONE,                       NONE,              FULL,                   within(Own),         NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        CheckIn         => [NONE,                       NONE,              FULL,                   READ,                FULL,            FULL,            NONE,               NONE, NONE,          READ,           NONE],
        Vitals          => [NONE,                       NONE,              READ,                   FULL,                FULL,            NONE,            READ,               READ, NONE,          READ,           reads(Own)],
        Allergies       => [NONE,                       NONE,              READ,                   FULL,                FULL,            READ,            READ,               READ, NONE,          READ,           reads(Own)],
        Problems        => [NONE,                       NONE,              READ,                   FULL,                FULL,            NONE,            READ,               READ, NONE,          READ,           reads(Own)],
        Visits          => [NONE,                       NONE,              READ,                   FULL,                writes(Triage),  within(Open),    NONE,               NONE, NONE,          reads(Grant),   reads(Own)],
        Notes           => [NONE,                       NONE,              NONE,                   FULL,                within(Own),     NONE,            NONE,               NONE, NONE,          reads(Grant),   reads(Released)],
        Prescribe       => [NONE,                       NONE,              NONE,                   FULL,                writes(Draft),   NONE,            NONE,               READ, NONE,          reads(Grant),   reads(Own)],
        Dispense        => [NONE,                       NONE,              NONE,                   FULL,                NONE,            NONE,            NONE,               FULL, NONE,          READ,           reads(Own)],
        LabResults      => [NONE,                       NONE,              NONE,                   writes(Verify),      NONE,            NONE,            FULL,               NONE, NONE,          reads(Grant),   reads(Released)],
        DentalChart     => [NONE,                       NONE,              NONE,                   FULL,                writes(Observe), NONE,            NONE,               NONE, NONE,          reads(Grant),   reads(Own)],
        Documents       => [NONE,                       NONE,              within(Administrative), FULL,                FULL,            within(Upload),  within(Laboratory), NONE, NONE,          reads(Grant),   within(Own)],
        Medicines       => [within(Platform),           NONE,              FULL,                   READ,                READ,            READ,            READ,               READ, READ,          READ,           NONE],
        ShortKeys       => [NONE,                       NONE,              FULL,                   writes(OwnKeys),     READ,            READ,            READ,               READ, READ,          READ,           NONE],
        CaseStudies     => [NONE,                       NONE,              writes(Approve),        FULL,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        Consent         => [NONE,                       NONE,              FULL,                   FULL,                FULL,            FULL,            NONE,               NONE, NONE,          READ,           within(Own)],
        Restriction     => [NONE,                       NONE,              FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        PortalAccounts  => [NONE,                       NONE,              FULL,                   NONE,                NONE,            FULL,            NONE,               NONE, NONE,          READ,           NONE],
        LiveEvents      => [NONE,                       reads(Counts),     FULL,                   FULL,                FULL,            FULL,            FULL,               FULL, FULL,          FULL,           reads(Own)],
        Import          => [NONE,                       FULL,              within(OwnClinic),      NONE,                NONE,            NONE,            NONE,               NONE, NONE,          NONE,           NONE],
        Billing         => [NONE,                       NONE,              FULL,                   READ,                NONE,            writes(Payment), NONE,               NONE, FULL,          READ,           reads(Own)],
        Statistics      => [reads(Counts),              reads(Technical),  FULL,                   reads(Own),          NONE,            reads(Queue),    reads(Laboratory),  NONE, reads(Money),  READ,           NONE],
        Audit           => [reads(Metadata),            within(Verify),    FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          FULL,           reads(OwnAccessLog)],
        Replay          => [NONE,                       NONE,              FULL,                   within(OwnPatients), NONE,            NONE,            NONE,               NONE, NONE,          within(Grant),  NONE],
        Export          => [NONE,                       NONE,              FULL,                   within(OnePatient),  NONE,            NONE,            NONE,               NONE, NONE,          within(Grant),  within(Own)],
        Operations      => [NONE,                       FULL,              NONE,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
        BreakGlass      => [NONE,                       NONE,              NONE,                   FULL,                FULL,            NONE,            NONE,               NONE, NONE,          within(Reviews), NONE],
        Erasure         => [NONE,                       NONE,              FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           within(Request)],
        LegalHold       => [NONE,                       NONE,              FULL,                   NONE,                NONE,            NONE,            NONE,               NONE, NONE,          READ,           NONE],
    }
}
