//! What a group changes beside its events, as `log.append` takes it.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use events::{
    ClinicId, DoctorId, PatientId, Position, StreamId,
    claim::{ClaimChange, ClaimKey, DoctorTime, Scope},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    credentials::{Activation, CredentialChange, FirstSecret},
    outbox::NewMail,
};

/// What a command does to the claims in the end: what it takes and frees itself leaves no trace.
#[derive(Default)]
pub(super) struct NetClaims {
    pub(super) freed: Vec<(StreamId, ClaimKey)>,
    pub(super) taken: Vec<(StreamId, ClaimKey)>,
    pub(super) times_freed: Vec<(StreamId, DoctorId)>,
    pub(super) times_taken: Vec<(StreamId, DoctorTime)>,
}

impl NetClaims {
    pub(super) fn of(changes: &[(StreamId, ClaimChange)]) -> Self {
        let mut net = Self::default();
        for (holder, change) in changes {
            net.add(*holder, change);
        }
        net
    }

    fn add(&mut self, holder: StreamId, change: &ClaimChange) {
        match change {
            ClaimChange::Take(claim) => self.taken.push((holder, claim.clone())),
            ClaimChange::Free(claim) => {
                let before = self.taken.len();
                self.taken.retain(|taken| *taken != (holder, claim.clone()));
                if self.taken.len() == before {
                    self.freed.push((holder, claim.clone()));
                }
            }
            ClaimChange::TakeTime(time) => self.times_taken.push((holder, time.clone())),
            ClaimChange::FreeTime(doctor) => {
                self.times_taken.retain(|(taker, time)| (*taker, time.doctor) != (holder, *doctor));
                self.times_freed.push((holder, *doctor));
            }
        }
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = &ClaimKey> {
        self.freed.iter().chain(&self.taken).map(|(_, claim)| claim)
    }

    pub(super) fn doctors(&self) -> impl Iterator<Item = DoctorId> {
        self.times_freed.iter().map(|(_, doctor)| *doctor).chain(self.times_taken.iter().map(|(_, time)| time.doctor))
    }
}

/// What members of a group have taken so far. Within one statement all is freed before anything is taken, so
/// a command that frees what an earlier member takes has to wait for the next group.
#[derive(Default)]
pub(super) struct TakenHere {
    claims: HashSet<(ClinicId, StreamId, ClaimKey)>,
    times: HashSet<(ClinicId, StreamId, DoctorId)>,
}

impl TakenHere {
    pub(super) fn would_be_freed_by(&self, clinic: ClinicId, net: &NetClaims) -> bool {
        net.freed.iter().any(|(holder, claim)| self.claims.contains(&(clinic, *holder, claim.clone())))
            || net.times_freed.iter().any(|(holder, doctor)| self.times.contains(&(clinic, *holder, *doctor)))
    }

    pub(super) fn add(&mut self, clinic: ClinicId, net: &NetClaims) {
        self.claims.extend(net.taken.iter().map(|(holder, claim)| (clinic, *holder, claim.clone())));
        self.times.extend(net.times_taken.iter().map(|(holder, time)| (clinic, *holder, time.doctor)));
    }
}

#[derive(Default, Serialize)]
pub(super) struct Effects {
    #[serde(skip_serializing_if = "Option::is_none")]
    claims_freed: Option<Vec<ClaimRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims_taken: Option<Vec<ClaimRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times_freed: Option<Vec<TimeFreed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times_taken: Option<Vec<TimeTaken>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<KeyChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credentials: Vec<CredentialRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shown: Vec<ShownRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mails: Vec<MailRow>,
}

#[derive(Serialize)]
struct ClaimRow {
    member: usize,
    scope: Uuid,
    kind: &'static str,
    value: String,
    clinic: ClinicId,
    holder_kind: &'static str,
    holder_id: Uuid,
    position: Position,
}

#[derive(Serialize)]
struct TimeFreed {
    clinic: ClinicId,
    doctor: DoctorId,
    holder_kind: &'static str,
    holder_id: Uuid,
}

#[derive(Serialize)]
struct TimeTaken {
    member: usize,
    clinic: ClinicId,
    doctor: DoctorId,
    office: Uuid,
    lane: i16,
    begins: String,
    ends: String,
    holder_kind: &'static str,
    holder_id: Uuid,
    position: Position,
}

/// A key that comes or, without `wrapped`, goes.
#[derive(Serialize)]
struct KeyChange {
    clinic: ClinicId,
    patient: Option<PatientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapped: Option<String>,
}

#[derive(Serialize)]
struct ShownRow {
    clinic: ClinicId,
    position: Position,
    patients: BTreeSet<PatientId>,
}

#[derive(Serialize)]
struct MailRow {
    clinic: ClinicId,
    mail: Uuid,
    kind: &'static str,
    about: Uuid,
    patient: Option<PatientId>,
    sealed: String,
    queued_at: String,
    not_after: String,
}

#[derive(Default, Serialize)]
struct CredentialRow {
    clinic: Uuid,
    user: Uuid,
    change: &'static str,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    must_change: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// Which member of the group of which clinic, and where its last event lies.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) member: usize,
    pub(super) clinic: ClinicId,
    pub(super) position: Position,
}

impl Effects {
    pub(super) fn is_empty(&self) -> bool {
        let Self { claims_freed: _, claims_taken, times_freed: _, times_taken, keys, credentials, shown, mails } = self;
        claims_taken.is_none()
            && times_taken.is_none()
            && keys.is_empty()
            && credentials.is_empty()
            && shown.is_empty()
            && mails.is_empty()
    }

    /// Once one list of claims is there, both are: the statement asks for `claims_taken` alone.
    pub(super) fn add_claims(&mut self, source: Source, net: NetClaims) {
        if !(net.freed.is_empty() && net.taken.is_empty()) {
            let row = |(holder, claim): (StreamId, ClaimKey)| claim_row(source, holder, claim);
            self.claims_freed.get_or_insert_default().extend(net.freed.into_iter().map(row));
            self.claims_taken.get_or_insert_default().extend(net.taken.into_iter().map(row));
        }
        if !(net.times_freed.is_empty() && net.times_taken.is_empty()) {
            let freed = net.times_freed.into_iter().map(|(holder, doctor)| TimeFreed {
                clinic: source.clinic,
                doctor,
                holder_kind: holder.kind.as_str(),
                holder_id: holder.id,
            });
            self.times_freed.get_or_insert_default().extend(freed);
            let taken = net.times_taken.into_iter().map(|(holder, time)| time_taken(source, holder, &time));
            self.times_taken.get_or_insert_default().extend(taken);
        }
    }

    pub(super) fn add_key(&mut self, clinic: ClinicId, patient: Option<PatientId>, wrapped: &[u8]) {
        self.keys.push(KeyChange { clinic, patient, wrapped: Some(hex::encode(wrapped)) });
    }

    /// The key is fenced, and an erasure begins.
    pub(super) fn end_key(&mut self, clinic: ClinicId, patient: Option<PatientId>) {
        self.keys.push(KeyChange { clinic, patient, wrapped: None });
    }

    pub(super) fn add_credential(&mut self, clinic: ClinicId, at: DateTime<Utc>, change: &CredentialChange) {
        let row = CredentialRow { clinic: clinic.0, at: instant(at), ..credential_row(change) };
        self.credentials.push(row);
    }

    pub(super) fn add_mail(&mut self, clinic: ClinicId, at: DateTime<Utc>, mail: &NewMail, sealed: &[u8]) {
        self.mails.push(MailRow {
            clinic,
            mail: mail.id,
            kind: mail.kind.as_str(),
            about: mail.about,
            patient: mail.patient,
            sealed: hex::encode(sealed),
            queued_at: instant(at),
            not_after: instant(mail.not_after),
        });
    }

    /// Each patient once.
    pub(super) fn add_shown(&mut self, source: Source, patients: &[PatientId]) {
        if !patients.is_empty() {
            let patients = patients.iter().copied().collect();
            self.shown.push(ShownRow { clinic: source.clinic, position: source.position, patients });
        }
    }
}

fn claim_row(source: Source, holder: StreamId, claim: ClaimKey) -> ClaimRow {
    let scope = match claim.scope {
        Scope::Clinic => source.clinic,
        Scope::Platform => ClinicId::PLATFORM,
    };
    ClaimRow {
        member: source.member,
        scope: scope.0,
        kind: claim.kind,
        value: claim.value,
        clinic: source.clinic,
        holder_kind: holder.kind.as_str(),
        holder_id: holder.id,
        position: source.position,
    }
}

fn time_taken(source: Source, holder: StreamId, time: &DoctorTime) -> TimeTaken {
    TimeTaken {
        member: source.member,
        clinic: source.clinic,
        doctor: time.doctor,
        office: time.office.0,
        lane: time.lane,
        begins: instant(time.from),
        ends: instant(time.to),
        holder_kind: holder.kind.as_str(),
        holder_id: holder.id,
        position: source.position,
    }
}

fn credential_row(change: &CredentialChange) -> CredentialRow {
    let of = |user: &events::UserId, change| CredentialRow { user: user.0, change, ..CredentialRow::default() };
    match change {
        CredentialChange::Create { user, username_hash, secret } => {
            CredentialRow { username_hash: Some(username_hash.0.clone()), ..first_secret(of(user, "create"), secret) }
        }
        CredentialChange::SetPassword { user, password } => {
            CredentialRow { password_hash: Some(password.0.clone()), ..of(user, "set_password") }
        }
        CredentialChange::RenewActivation { user, activation } => activated(of(user, "renew_activation"), activation),
        CredentialChange::OfferReset { user, reset } => activated(of(user, "offer_reset"), reset),
        CredentialChange::Lock { user, until } => CredentialRow { until: until.map(instant), ..of(user, "lock") },
        CredentialChange::Unlock { user } => of(user, "unlock"),
        CredentialChange::EndTokens { user } => of(user, "end_tokens"),
        CredentialChange::Disable { user } => of(user, "disable"),
    }
}

fn first_secret(row: CredentialRow, secret: &FirstSecret) -> CredentialRow {
    match secret {
        FirstSecret::Password { password, must_change } => {
            CredentialRow { password_hash: Some(password.0.clone()), must_change: Some(*must_change), ..row }
        }
        FirstSecret::Activation(activation) => activated(CredentialRow { must_change: Some(false), ..row }, activation),
    }
}

fn activated(row: CredentialRow, activation: &Activation) -> CredentialRow {
    CredentialRow {
        activation_hash: Some(hex::encode(activation.hash)),
        activation_expires_at: Some(instant(activation.expires_at)),
        ..row
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use events::{AggregateKind, OfficeId};

    use super::*;

    fn stream(id: u128) -> StreamId {
        StreamId { kind: AggregateKind::Appointment, id: Uuid::from_u128(id) }
    }

    fn time() -> DoctorTime {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
        let id = Uuid::from_u128(9);
        DoctorTime { doctor: DoctorId(id), office: OfficeId(id), lane: 0, from: at(1), to: at(2) }
    }

    #[test]
    fn what_a_command_takes_and_frees_itself_leaves_no_trace() {
        let key = ClaimKey::clinic("visit", "1");
        let net = NetClaims::of(&[
            (stream(1), ClaimChange::Take(key.clone())),
            (stream(1), ClaimChange::TakeTime(time())),
            (stream(1), ClaimChange::Free(key.clone())),
            (stream(1), ClaimChange::FreeTime(time().doctor)),
        ]);
        assert!(net.taken.is_empty() && net.freed.is_empty() && net.times_taken.is_empty());
    }

    #[test]
    fn a_claim_moves_within_a_command() {
        let key = ClaimKey::clinic("visit", "1");
        let net =
            NetClaims::of(&[(stream(1), ClaimChange::Free(key.clone())), (stream(2), ClaimChange::Take(key.clone()))]);
        assert_eq!((net.freed, net.taken), (vec![(stream(1), key.clone())], vec![(stream(2), key)]));
    }

    #[test]
    fn freeing_what_an_earlier_member_takes_has_to_wait() {
        let clinic = ClinicId(Uuid::from_u128(1));
        let mut here = TakenHere::default();
        here.add(clinic, &NetClaims::of(&[(stream(1), ClaimChange::TakeTime(time()))]));
        let free = |holder| NetClaims::of(&[(holder, ClaimChange::FreeTime(time().doctor))]);
        assert!(here.would_be_freed_by(clinic, &free(stream(1))));
        assert!(!here.would_be_freed_by(clinic, &free(stream(2))));
        assert!(!here.would_be_freed_by(ClinicId::PLATFORM, &free(stream(1))));
    }
}
