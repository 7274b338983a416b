//! Of which patients an asker may see data, and which of it.

use events::{PatientId, Role, patient::Confidentiality};
use service_kit::{Capability, Limit, Problem, Reach};

use crate::reader::Reader;

/// The patients that an asker may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    /// A portal login sees this patient alone.
    pub only: Option<PatientId>,
    /// Whether restricted records are seen.
    pub restricted: bool,
}

impl Audience {
    /// Of who asks for `capability`; 403, recorded, where the roles do not allow it.
    pub(crate) async fn of(reader: &Reader, capability: Capability) -> Result<Self, Problem> {
        let reach = reader.may_read(capability).await?;
        match (reach, reader.scope().patient()) {
            (Reach::Everything, _) => Ok(Self { only: None, restricted: sees_restricted(reader) }),
            // A patient's own restricted record is theirs to see.
            (reach, Some(patient)) if reach.covers(Limit::Own) => Ok(Self { only: Some(patient), restricted: true }),
            _ => Err(reader.refuse(capability).await),
        }
    }

    /// The patient to narrow to, where the request names `asked`; 403, recorded, for somebody else's.
    pub(crate) async fn narrowed(
        self,
        reader: &Reader,
        capability: Capability,
        asked: Option<PatientId>,
    ) -> Result<Option<PatientId>, Problem> {
        match (self.only, asked) {
            (Some(own), Some(other)) if own != other => Err(reader.refuse(capability).await),
            (own, asked) => Ok(asked.or(own)),
        }
    }

    pub(crate) fn sees(self, confidentiality: Confidentiality) -> bool {
        self.restricted || confidentiality == Confidentiality::Normal
    }
}

/// Doctors, and the clinic's administrators.
pub(crate) fn sees_restricted(reader: &Reader) -> bool {
    reader.scope().has(Role::Doctor) || reader.scope().has(Role::ClinicAdmin)
}
