//! All that one person has of a kind, for queries that make something else of it.

use chrono::{DateTime, Utc};
use events::{PatientId, Position};
use service_kit::{AsOf, Problem};
use uuid::Uuid;

use super::{ClinicalResource, Sight, door::admitted};
use crate::{
    past::{Moment, Past},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// A person's rows that the asker sees, in no order.
pub(crate) struct OfPerson<R: ClinicalResource> {
    pub rows: Vec<R::Row>,
    pub position: Position,
    /// Whose they are.
    pub group: Vec<PatientId>,
    /// What time it is, or was.
    pub now: DateTime<Utc>,
}

/// What belongs to one visit of a person whose record the asker may see, the earliest first; `None` where the asker sees
/// nothing of the kind. `takes` says of a row in memory what the column `visit_id` says of it.
pub(crate) async fn of_visit<R: ClinicalResource>(
    reader: &Reader,
    past: Option<&Past>,
    group: &[Uuid],
    visit: Uuid,
    takes: impl Fn(&R::Row) -> bool,
) -> Result<Option<Vec<R::Row>>, Problem> {
    let Some(sight) = Sight::known::<R>(reader, group) else { return Ok(None) };
    let all = match past {
        Some(past) => past.rows::<R>().into_sorted().into_iter().map(|(_, row)| row).collect(),
        None => {
            let sql = Sql::new("a.* FROM ")
                .push(R::TABLE)
                .push(" a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
                .bind(group)
                .push(") AND a.visit_id = ")
                .bind(visit);
            reader.all::<R::Row>(Select::new(R::MODELS, sight.narrow::<R>(sql))).await?.value
        }
    };
    let mut rows = Vec::new();
    for row in all {
        if takes(&row) && sight.shows::<R>(reader, &row).await? {
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| (R::place(row).at, R::place(row).id));
    Ok(Some(rows))
}

/// `condition` is on `a`, the row, and begins with ` AND`; `takes` the same for a row in memory.
pub(crate) async fn of_person<R: ClinicalResource>(
    reader: &Reader,
    patient: PatientId,
    as_of: Option<AsOf>,
    condition: &'static str,
    takes: impl Fn(&R::Row) -> bool,
) -> Result<OfPerson<R>, Problem> {
    let (group, sight) = admitted::<R>(reader, patient).await?;
    let group = group.value.ids();
    let Some(as_of) = as_of else {
        let ids: Vec<Uuid> = group.iter().map(|id| id.0).collect();
        let sql = Sql::new("a.* FROM ")
            .push(R::TABLE)
            .push(" a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
            .bind(ids)
            .push(")")
            .push(condition);
        let Reflected { value: rows, position } =
            reader.all::<R::Row>(Select::new(R::MODELS, sight.narrow::<R>(sql))).await?;
        return Ok(OfPerson { rows, position, group, now: reader.now() });
    };
    let past = Past::look_back(reader, patient, &group, as_of).await?;
    let mut rows = Vec::new();
    for (_, row) in past.rows::<R>().into_sorted() {
        if takes(&row) && sight.shows::<R>(reader, &row).await? {
            rows.push(row);
        }
    }
    let Moment { position, recorded_at: now, .. } = past.moment;
    Ok(OfPerson { rows, position, group: past.group().collect(), now })
}
