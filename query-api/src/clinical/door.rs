//! Who comes in, and what they see of it: roles, restricted records, broken glass, patients, auditors with a grant.

use events::{PatientId, UserId, values::Span};
use service_kit::{Capability, Limit, Problem, Reach};
use strum::VariantArray;
use uuid::Uuid;

use super::{ClinicalResource, Place};
use crate::{
    audience::sees_restricted,
    grants,
    reader::Reader,
    routes::patients::{Group, one::there},
    scope::Reflected,
    sql::Sql,
};

/// How an asker looks at one kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// How far the roles reach; everything under broken glass.
    pub reach: Reach,
    pub user: UserId,
    /// A portal login sees this patient alone.
    pub own: Option<PatientId>,
    /// Whether restricted records are seen.
    pub restricted: bool,
    /// What the asker may read of anything, for answers that hold parts of several kinds.
    pub parts: Parts,
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts(u64);

impl Parts {
    pub const ALL: Self = Self(u64::MAX);

    /// What an auditor has by grant alone is not among them: the grant names another kind of resource.
    fn readable(reader: &Reader) -> Self {
        let is_patients = reader.scope().patient().is_some();
        let is_read = |reach: Reach| {
            reach.is_everything() || is_patients && (reach.covers(Limit::Own) || reach.covers(Limit::Released))
        };
        let readable = Capability::VARIANTS.iter().filter(|capability| is_read(reader.grant(**capability).read));
        Self(readable.fold(0, |set, capability| set | 1 << *capability as u64))
    }
}

impl Sight {
    /// 403, recorded, where the roles show none of it.
    pub(super) async fn of<R: ClinicalResource>(reader: &Reader) -> Result<Self, Problem> {
        match Self::by_roles::<R>(reader) {
            Some(sight) => Ok(sight),
            None => Err(reader.refuse(R::CAPABILITY).await),
        }
    }

    /// Of one person's record that the asker may see; `None` where neither roles nor broken glass show any of it.
    pub(super) fn known<R: ClinicalResource>(reader: &Reader, group: &[Uuid]) -> Option<Self> {
        let group: Vec<PatientId> = group.iter().copied().map(PatientId).collect();
        match reader.emergency(&group) {
            Some(_) => Some(Self::through_broken_glass(reader)),
            None => Self::by_roles::<R>(reader),
        }
    }

    fn by_roles<R: ClinicalResource>(reader: &Reader) -> Option<Self> {
        let user = reader.scope().user();
        let in_full = |other| reader.grant(other).read.is_everything();
        let reach = if R::OR.is_some_and(in_full) { Reach::Everything } else { reader.grant(R::CAPABILITY).read };
        let as_patient = reach.covers(Limit::Own) || reach.covers(Limit::Released);
        let as_staff = reach.covers(Limit::Grant) || R::LIMITS.iter().any(|limit| reach.covers(*limit));
        let parts = Parts::readable(reader);
        match (reach, reader.scope().patient()) {
            (Reach::Everything, _) => Some(Self { reach, user, own: None, restricted: sees_restricted(reader), parts }),
            // A patient's own restricted record is theirs to see.
            (_, Some(own)) if as_patient => Some(Self { reach, user, own: Some(own), restricted: true, parts }),
            (_, None) if as_staff => Some(Self { reach, user, own: None, restricted: sees_restricted(reader), parts }),
            _ => None,
        }
    }

    /// Of a record that was opened by breaking the glass.
    fn through_broken_glass(reader: &Reader) -> Self {
        let (reach, user) = (Reach::Everything, reader.scope().user());
        Self { reach, user, own: None, restricted: true, parts: Parts::ALL }
    }

    /// Whether the asker may also read what stands in the answer under another capability.
    pub fn reads(&self, capability: Capability) -> bool {
        self.parts.0 & 1 << capability as u64 != 0
    }

    /// Whether it is an auditor's, who sees what a grant covers and nothing else.
    pub(crate) fn is_by_grant(&self) -> bool {
        !self.reach.is_everything() && self.reach.covers(Limit::Grant)
    }

    /// The patient to narrow to, where the request names `asked`; 403, recorded, for somebody else's.
    pub(super) async fn narrowed<R: ClinicalResource>(
        &self,
        reader: &Reader,
        asked: Option<PatientId>,
    ) -> Result<Option<PatientId>, Problem> {
        match (self.own, asked) {
            (Some(own), Some(other)) if own != other => Err(reader.refuse(R::CAPABILITY).await),
            (own, asked) => Ok(asked.or(own)),
        }
    }

    /// The condition on `a`, the row.
    pub(crate) fn narrow<R: ClinicalResource>(&self, sql: Sql) -> Sql {
        let sql = R::narrow(sql, self);
        match grants::scope_of(R::CAPABILITY).filter(|_| self.is_by_grant()) {
            Some(scope) => grants::covers_row(sql, self.user, scope, R::AT),
            None => sql,
        }
    }

    /// Whether a row is seen.
    pub(crate) async fn shows<R: ClinicalResource>(&self, reader: &Reader, row: &R::Row) -> Result<bool, Problem> {
        if !R::shows(row, self) {
            return Ok(false);
        }
        let Place { at, .. } = R::place(row);
        Ok(!self.is_by_grant() || grants::cover(reader, R::CAPABILITY, Span { from: at, to: at }).await?)
    }
}

/// The group of a patient of whom the asker may see resources of this kind, and how; 404 where there is none, 410 for
/// who is erased, 403, recorded, for somebody else's record and for a restricted one.
pub(crate) async fn admitted<R: ClinicalResource>(
    reader: &Reader,
    patient: PatientId,
) -> Result<(Reflected<Group>, Sight), Problem> {
    if !reader.may_break_glass() {
        let sight = Sight::of::<R>(reader).await?;
        return admit::<R>(reader, patient, sight, Group::read(reader, patient).await?).await;
    }
    // Broken glass shows what roles do not, and the statement says whether there is any.
    let group = Group::read(reader, patient).await?;
    let sight = match group.value.as_ref().is_some_and(|group| reader.emergency(&group.ids()).is_some()) {
        true => Sight::through_broken_glass(reader),
        false => Sight::of::<R>(reader).await?,
    };
    admit::<R>(reader, patient, sight, group).await
}

async fn admit<R: ClinicalResource>(
    reader: &Reader,
    patient: PatientId,
    sight: Sight,
    group: Reflected<Option<Group>>,
) -> Result<(Reflected<Group>, Sight), Problem> {
    sight.narrowed::<R>(reader, Some(patient)).await?;
    let group = there(reader, patient, group).await?;
    match sight.restricted || !group.value.is_restricted() {
        true => Ok((group, sight)),
        false => Err(reader.refuse(R::CAPABILITY).await),
    }
}
