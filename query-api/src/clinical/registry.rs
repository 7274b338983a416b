//! The list of all kinds of resource in patients' records: what a timeline and a history tell of, each resource to who
//! sees it.

use std::{collections::BTreeSet, sync::LazyLock};

use events::AggregateKind;
use read_models::{Charges, DentalCharts, Documents, Invoices, LabOrders, LabReports, Notes, Prescriptions, Visits};
use serde::Deserialize;
use service_kit::Problem;
use uuid::Uuid;

use super::{ClinicalResource, Sight};
use crate::{reader::Reader, scope::Select, sql::Sql};

/// What an asker sees of the resources of some patients.
pub(crate) struct Seen {
    /// Kinds of which nothing is hidden.
    pub whole: Vec<AggregateKind>,
    /// Of other kinds, the resources that are shown.
    pub some: Vec<(AggregateKind, Uuid)>,
}

macro_rules! resources {
    ($($resource:ty),+ $(,)?) => {
        static MODELS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
            let models: BTreeSet<_> = [$(<$resource>::MODELS),+].concat().into_iter().collect();
            models.into_iter().collect()
        });

        /// What the asker sees of the resources of these patients, whose records the asker may see.
        pub(crate) async fn seen(reader: &Reader, patients: &[Uuid]) -> Result<Seen, Problem> {
            let mut look = Look { reader, patients, whole: Vec::new(), narrowed: None };
            $(look.at::<$resource>();)+
            look.seen().await
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

/// At the kinds, one after another; what it asks is one statement, and none where all is seen or nothing.
struct Look<'a> {
    reader: &'a Reader,
    patients: &'a [Uuid],
    whole: Vec<AggregateKind>,
    narrowed: Option<Sql>,
}

#[derive(Deserialize)]
struct Found {
    kind: AggregateKind,
    id: Uuid,
}

impl Look<'_> {
    fn at<R: ClinicalResource>(&mut self) {
        let Some(sight) = Sight::known::<R>(self.reader, self.patients) else { return };
        if sight.narrow::<R>(Sql::default()).is_empty() {
            return self.whole.push(R::KIND);
        }
        let sql = match self.narrowed.take() {
            Some(others) => others.push(" UNION ALL SELECT "),
            None => Sql::default(),
        };
        let sql = sql
            .push("'")
            .push(R::KIND.as_str())
            .push("' AS kind, a.id FROM ")
            .push(R::TABLE)
            .push(" a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
            .bind(self.patients)
            .push(")");
        self.narrowed = Some(sight.narrow::<R>(sql));
    }

    async fn seen(self) -> Result<Seen, Problem> {
        let Some(sql) = self.narrowed else { return Ok(Seen { whole: self.whole, some: Vec::new() }) };
        let found = self.reader.all::<Found>(Select::new(&MODELS, sql)).await?.value;
        let some = found.into_iter().map(|Found { kind, id }| (kind, id)).collect();
        Ok(Seen { whole: self.whole, some })
    }
}
