//! A line for each event; two where what it is depends on what it says.

use super::{
    Action,
    Category::{self, *},
    Meaning,
    Outcome::*,
};

const C: Action = Action::Create;
const R: Action = Action::Read;
const U: Action = Action::Update;
const E: Action = Action::Execute;

const fn line(event: &'static str, category: Category, action: Action, says: &'static str) -> Meaning {
    Meaning::new(event, category, action, says)
}

const FAILED_LOGINS: &str = r#""reason":"failed_logins""#;
const TYPED: &str = r#""q":{"#;
const TO_READ: &str = r#""need":"read""#;
const REUSED: &str = r#""failure":"token_reused""#;

/// In the order of the enums of events.
#[rustfmt::skip]
pub const TABLE: &[Meaning] = &[
    // The clinic.
    line("ClinicRegistered", Configuration, C, "registered the clinic {slug}"),
    line("ClinicProfileUpdated", Configuration, U, "changed the clinic's profile"),
    line("OfficeAdded", Configuration, C, "added the office {office.name}"),
    line("OfficeClosed", Configuration, U, "closed the office {office}"),
    line("OfficeHoursSet", Configuration, U, "set the hours of the office {office}"),
    line("ClosureDeclared", Configuration, C, "declared [the office {closure.office} ]closed from {closure.from} to {closure.to}"),
    line("ClosureCancelled", Configuration, U, "cancelled a closure"),
    line("SettingsChanged", Configuration, U, "changed the clinic's settings"),
    line("SubscriptionActivated", Configuration, U, "activated the plan {plan}, paid until {paid_until}"),
    line("PlanChanged", Configuration, U, "changed the plan from {from} to {to}"),
    line("LimitsSet", Configuration, U, "set the clinic's limits"),
    line("ClinicSuspended", Configuration, U, "suspended the clinic"),
    line("ClinicResumed", Configuration, U, "resumed the clinic"),
    line("LegalHoldPlaced", Privilege, C, "placed a legal hold[ on the record of patient {patient}]"),
    line("LegalHoldLifted", Privilege, U, "lifted the legal hold {hold}"),
    line("ClinicClosed", Configuration, U, "closed the clinic: its records are kept until {retention_until}"),
    line("ClinicShredded", Configuration, E, "had the clinic's keys destroyed: its retention has run out"),
    line("AuditorGranted", Privilege, C, "granted the auditor {grant.auditor} a look at {grant.scope} from {grant.from} to {grant.to}, until {grant.expires}"),
    line("AuditorGrantRevoked", Privilege, U, "revoked a grant of the auditor {auditor}"),
    // Logins.
    line("StaffInvited", Privilege, C, "invited {resource} as {roles}[ for patient {patient}]"),
    line("StaffActivated", Login, U, "activated the login {resource}"),
    line("ActivationRenewed", Login, U, "renewed the activation of the login {resource}"),
    line("RoleGranted", Privilege, U, "gave {resource} the role {role}"),
    line("RoleRevoked", Privilege, U, "took the role {role} from {resource}"),
    line("PasswordChanged", Login, U, "changed the password of {resource}"),
    line("PasswordResetRequested", Login, E, "asked for a new password of {resource}"),
    line("StaffLocked", Security, U, "locked {resource} after failed logins[ until {until}]").with(FAILED_LOGINS),
    line("StaffLocked", Privilege, U, "locked {resource}[ until {until}]").without(FAILED_LOGINS),
    line("StaffUnlocked", Privilege, U, "unlocked {resource}"),
    line("StaffDeactivated", Privilege, U, "deactivated the login {resource}"),
    line("EmergencyAccessGranted", BreakGlass, E, "broke the glass to the record of patient {patient} until {expires} ({reason})"),
    line("EmergencyAccessEnded", BreakGlass, E, "ended the emergency access of {resource} to the record of patient {patient}"),
    line("EmergencyAccessReviewed", BreakGlass, U, "reviewed the emergency access of {resource} to the record of patient {patient}: {verdict}"),
    // Doctors.
    line("DoctorRegistered", Configuration, C, "registered {resource} as a doctor"),
    line("OfficeAssigned", Configuration, U, "assigned {resource} to the office {office}"),
    line("OfficeUnassigned", Configuration, U, "took {resource} from the office {office}"),
    line("PrimaryOfficeSet", Configuration, U, "made the office {office} the primary one of {resource}"),
    line("WorkingHoursSet", Configuration, U, "set the working hours of {resource}"),
    line("LeaveDeclared", Configuration, C, "declared leave of {resource} from {span.from} to {span.to}"),
    line("LeaveCancelled", Configuration, U, "cancelled a leave of {resource}"),
    line("FeeSet", Configuration, U, "set the fee of {resource}"),
    line("LicenceRecorded", Configuration, U, "recorded a licence of {resource}"),
    line("DoctorDeactivated", Configuration, U, "deactivated the doctor {resource}"),
    // Patients.
    line("PatientRegistered", ClinicalWrite, C, "registered patient {patient}"),
    line("DemographicsUpdated", ClinicalWrite, U, "changed the demographics of patient {patient}"),
    line("IdentifierAdded", ClinicalWrite, C, "added an identifier ({identifier.type}) of patient {patient}"),
    line("IdentifierEnded", ClinicalWrite, U, "ended an identifier ({identifier.type}) of patient {patient}"),
    line("EmergencyContactSet", ClinicalWrite, U, "set the emergency contact of patient {patient}"),
    line("FamilyLinked", ClinicalWrite, U, "linked patient {patient} with the relative {relative}"),
    line("AllergyRecorded", ClinicalWrite, C, "recorded an allergy of patient {patient}"),
    line("AllergyVerified", ClinicalWrite, U, "verified an allergy of patient {patient}"),
    line("AllergyRefuted", ClinicalWrite, U, "refuted an allergy of patient {patient}"),
    line("AllergyResolved", ClinicalWrite, U, "resolved an allergy of patient {patient}"),
    line("NoKnownAllergiesAsserted", ClinicalWrite, U, "asserted that patient {patient} has no known allergies"),
    line("ProblemAdded", ClinicalWrite, C, "added a problem of patient {patient}"),
    line("ProblemResolved", ClinicalWrite, U, "resolved a problem of patient {patient}"),
    line("ConsentGiven", ClinicalWrite, C, "recorded the consent of patient {patient} ({scope})"),
    line("ConsentWithdrawn", ClinicalWrite, U, "withdrew a consent of patient {patient} ({scope})"),
    line("RecordRestricted", Privilege, U, "set the record of patient {patient} to {confidentiality}"),
    line("PatientDeactivated", ClinicalWrite, U, "deactivated patient {patient}"),
    line("PatientReactivated", ClinicalWrite, U, "reactivated patient {patient}"),
    line("DeathRecorded", ClinicalWrite, U, "recorded the death of patient {patient}"),
    line("PatientMerged", ClinicalWrite, U, "merged patient {source} into patient {patient}"),
    line("PatientMergedInto", ClinicalWrite, U, "closed the record of patient {patient}, to be read on under patient {survivor}"),
    line("PatientUnmerged", ClinicalWrite, U, "separated patient {source} from patient {patient}"),
    line("PatientUnmergedFrom", ClinicalWrite, U, "opened the record of patient {patient} again, apart from patient {survivor}"),
    line("ErasureRequested", Privilege, C, "requested that patient {patient} be erased"),
    line("ErasureRefused", Privilege, U, "was refused the erasure of patient {patient} ({basis}): kept until {until}"),
    line("PatientErased", Privilege, E, "had patient {patient} erased ({cause})"),
    // Appointments.
    line("AppointmentBooked", ClinicalWrite, C, "booked appointment {resource} of patient {patient} with {slot.doctor} for {slot.start}"),
    line("AppointmentWaitlisted", ClinicalWrite, C, "put appointment {resource} of patient {patient} with {slot.doctor} on the waiting list"),
    line("AppointmentConfirmed", ClinicalWrite, U, "confirmed appointment {resource} of patient {patient}"),
    line("AppointmentRescheduled", ClinicalWrite, U, "rescheduled appointment {resource} of patient {patient} from {from.start} to {to.start}"),
    line("AppointmentCancelled", ClinicalWrite, U, "cancelled appointment {resource} of patient {patient} (by the {by})"),
    line("PatientCheckedIn", ClinicalWrite, U, "checked patient {patient} in for appointment {resource} with token {token}"),
    line("AppointmentStarted", ClinicalWrite, U, "started appointment {resource} of patient {patient}"),
    line("AppointmentFulfilled", ClinicalWrite, U, "completed appointment {resource} of patient {patient}"),
    line("AppointmentMarkedNoShow", ClinicalWrite, U, "marked patient {patient} as not come to appointment {resource}"),
    line("AppointmentEnteredInError", ClinicalWrite, U, "struck out appointment {resource} of patient {patient} as entered in error"),
    // Documents.
    line("DocumentRegistered", ClinicalWrite, C, "announced the document {resource} of patient {patient} ({kind}, {media_type}, {size} bytes)"),
    line("DocumentUploaded", ClinicalWrite, U, "uploaded the content of document {resource} of patient {patient} ({size} bytes)"),
    line("DocumentUploadFailed", ClinicalWrite, U, "did not upload the content of document {resource} of patient {patient} ({failure})"),
    line("DocumentClassified", ClinicalWrite, U, "classified the document {resource} of patient {patient} as {kind} (was {was})"),
    line("DocumentSuperseded", ClinicalWrite, U, "replaced the document {resource} of patient {patient} by the document {by}"),
    line("DocumentReviewed", ClinicalWrite, U, "reviewed the document {resource} of patient {patient}"),
    line("DocumentReleased", ClinicalWrite, U, "released the document {resource} to patient {patient}"),
    line("DocumentEnteredInError", ClinicalWrite, U, "struck out the document {resource} of patient {patient} as entered in error"),
    line("DocumentContentErased", Privilege, E, "had the content of document {resource} of patient {patient} erased"),
    // Dental charts.
    line("ObservationRecorded", ClinicalWrite, C, "recorded an observation on tooth {tooth} of patient {patient}"),
    line("ObservationCorrected", ClinicalWrite, U, "corrected an observation on tooth {tooth} of patient {patient} ({reason})"),
    line("ObservationEnteredInError", ClinicalWrite, U, "struck out an observation on tooth {tooth} of patient {patient} as entered in error ({reason})"),
    line("ProcedurePlanned", ClinicalWrite, C, "planned a dental procedure for patient {patient}"),
    line("ProcedureStarted", ClinicalWrite, U, "started a dental procedure on patient {patient}"),
    line("ProcedureCompleted", ClinicalWrite, U, "completed a dental procedure on patient {patient}"),
    line("ProcedureCancelled", ClinicalWrite, U, "cancelled a dental procedure of patient {patient} that was {was} ({reason})"),
    line("ToothExtracted", ClinicalWrite, U, "extracted tooth {tooth} of patient {patient}"),
    line("ExtractionEnteredInError", ClinicalWrite, U, "struck out the extraction of tooth {tooth} of patient {patient} as entered in error ({reason})"),
    line("DentalTemplateDefined", Configuration, C, "defined the dental template {name}"),
    line("DentalTemplateRetired", Configuration, U, "retired a dental template"),
    // Money.
    line("ChargeCaptured", ClinicalWrite, C, "captured a charge of {amount.total} minor units ({amount.unit_price.currency}) for patient {patient}"),
    line("ChargeCancelled", ClinicalWrite, U, "cancelled a charge of patient {patient} ({reason})"),
    line("ChargeInvoiced", ClinicalWrite, U, "put a charge of patient {patient} on the invoice {invoice}"),
    line("InvoiceIssued", ClinicalWrite, C, "issued the invoice {resource} over {total} minor units ({currency}) to patient {patient}"),
    line("PaymentRecorded", ClinicalWrite, U, "recorded a payment of {amount.minor} minor units ({amount.currency}, {method}) on the invoice {resource} of patient {patient}"),
    line("CreditNoteIssued", ClinicalWrite, U, "issued the credit note {number} of {amount.minor} minor units ({amount.currency}) on the invoice {resource} of patient {patient} ({reason})"),
    line("RefundIssued", ClinicalWrite, U, "refunded {amount.minor} minor units ({amount.currency}, {method}) of the invoice {resource} to patient {patient} ({reason})"),
    // Medicines.
    line("MedicineAdded", Configuration, C, "added the medicine {entry.name}"),
    line("MedicineUpdated", Configuration, U, "changed the medicine {entry.name}"),
    line("MedicineRetired", Configuration, U, "retired the medicine {resource}"),
    line("MedicineOverridden", Configuration, U, "put the clinic's own wording over the medicine {entry.name}"),
    line("MedicineOverrideLifted", Configuration, U, "took the clinic's own wording from the medicine {resource}"),
    line("MedicineHidden", Configuration, U, "hid the medicine {resource}"),
    line("MedicineShown", Configuration, U, "showed the medicine {resource} again"),
    line("SubstanceDescribed", Configuration, U, "described the substance {entry.name} ({source})"),
    line("InteractionsSet", Configuration, U, "set the interactions of {name} ({source})"),
    line("CatalogueImported", Configuration, E, "imported a list of {list} from {source}: {count} lines"),
    // The access ledger.
    line("PatientShown", Read, R, "was shown data of patient {patient} ({category})[, as the record stood at position {moment.as_of}][, in the replay {moment.replay}][, under the emergency access {emergency}]"),
    line("PatientsListed", Search, R, "searched among the patients; found: {count} ({category})").with(TYPED),
    line("PatientsListed", Read, R, "was shown a list; patients on it: {count} ({category})").without(TYPED),
    line("AccessRefused", Security, R, "was refused {operation}[ of patient {patient}]: it needs the right to {need} ({capability})").with(TO_READ).failed(SeriousFailure, "forbidden"),
    line("AccessRefused", Security, E, "was refused {operation}[ of patient {patient}]: it needs the right to {need} ({capability})").without(TO_READ).failed(SeriousFailure, "forbidden"),
    line("CrossClinicAttempted", Security, E, "was refused {operation}: it named another clinic ({slug})").failed(SeriousFailure, "cross-clinic"),
    line("PlatformRefused", Security, E, "was refused {operation}: it belongs to the platform").failed(SeriousFailure, "platform-only"),
    line("LoggedIn", Login, E, "logged in"),
    line("LoginFailed", Login, E, "used a refresh token[ of {user}] a second time, and its session was ended").with(REUSED).failed(SeriousFailure, "{failure}"),
    line("LoginFailed", Login, E, "failed to log in[ as {user}]: {failure}").without(REUSED).failed(MinorFailure, "{failure}"),
    line("LoggedOut", Login, E, "logged out"),
    line("HandedOut", Export, R, "exported data[ of patient {patient}] ({category})").with(r#""handout":"export""#),
    line("HandedOut", Download, R, "downloaded data[ of patient {patient}] ({category})").with(r#""handout":"download""#),
    line("HandedOut", Print, R, "printed data[ of patient {patient}] ({category})").with(r#""handout":"print""#),
    line("AuditRead", Read, R, "looked at the audit trail ({part})[ of patient {patient}]; entries shown: {count}"),
    line("DisclosureRecorded", Disclosure, C, "accounted for a disclosure about patient {patient}"),
];
