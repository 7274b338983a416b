//! The list of all kinds of resource in patients' records: what a timeline and a history tell of, each resource to who
//! sees it.

use events::AggregateKind;
use read_models::{Charges, DentalCharts, Documents, Invoices, LabOrders, LabReports, Notes, Prescriptions, Visits};
use serde::Deserialize;
use service_kit::Problem;
use uuid::Uuid;

use super::{ClinicalResource, Sight};
use crate::{reader::Reader, scope::Select, sql::Sql};

macro_rules! resources {
    ($($resource:ty),+ $(,)?) => {
        /// The resources of these patients, whose records the asker may see, that the asker sees: of every kind the ids.
        pub(crate) async fn seen(reader: &Reader, patients: &[Uuid]) -> Result<Vec<(AggregateKind, Vec<Uuid>)>, Problem> {
            Ok(vec![$((<$resource>::KIND, seen_of::<$resource>(reader, patients).await?)),+])
        }
    };
}

resources! {
    Charges,
    DentalCharts,
    Documents,
    Invoices,
    LabOrders,
    LabReports,
    Notes,
    Prescriptions,
    Visits,
}

#[derive(Deserialize)]
struct Found {
    id: Uuid,
}

async fn seen_of<R: ClinicalResource>(reader: &Reader, patients: &[Uuid]) -> Result<Vec<Uuid>, Problem> {
    let Some(sight) = Sight::known::<R>(reader, patients) else { return Ok(Vec::new()) };
    let sql = Sql::new("a.id FROM ")
        .push(R::TABLE)
        .push(" a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
        .bind(patients)
        .push(")");
    let found = reader.all::<Found>(Select::new(R::MODELS, sight.narrow::<R>(sql))).await?.value;
    Ok(found.into_iter().map(|found| found.id).collect())
}
