//! The list of all read models.

use crate::{
    AppointmentDays, Appointments, BillingDays, CaseStudies, Charges, ClinicLogos, Clinics, DentalCharts,
    DentalTemplates, Departments, Doctors, Documents, EmergencyAccesses, Erasures, Invoices, LabOrders, LabReports,
    Medicines, Notes, PatientStats, Patients, Prescriptions, Projection, Retentions, ShortKeys, Staff, Standings,
    Usage, Visits, Vitals,
};

/// Something to be done with a read model, whichever it is.
pub trait Visitor {
    type Output;

    fn visit<P: Projection>(&mut self) -> Self::Output;
}

macro_rules! projections {
    ($($projection:ty),+ $(,)?) => {
        /// Visits every read model, in the order of the list.
        pub fn each<V: Visitor>(visitor: &mut V) -> Vec<V::Output> {
            vec![$(visitor.visit::<$projection>()),+]
        }

        /// Visits the read model of that name; `None` where there is none.
        pub fn named<V: Visitor>(name: &str, visitor: &mut V) -> Option<V::Output> {
            $(if name == <$projection>::NAME {
                return Some(visitor.visit::<$projection>());
            })+
            None
        }

        /// The names of all read models.
        pub const NAMES: &[&str] = &[$(<$projection>::NAME),+];
    };
}

projections! {
    Clinics,
    ClinicLogos,
    Staff,
    Doctors,
    Appointments,
    Patients,
    PatientStats,
    AppointmentDays,
    Usage,
    Erasures,
    Retentions,
    EmergencyAccesses,
    BillingDays,
    Charges,
    DentalCharts,
    DentalTemplates,
    Departments,
    Documents,
    Invoices,
    LabOrders,
    LabReports,
    Medicines,
    Visits,
    Vitals,
    Prescriptions,
    Notes,
    CaseStudies,
    ShortKeys,
    Standings,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Describe;

    impl Visitor for Describe {
        type Output = (&'static str, i32, &'static str);

        fn visit<P: Projection>(&mut self) -> Self::Output {
            (P::NAME, P::REVISION, P::TABLE)
        }
    }

    #[test]
    fn a_table_is_named_after_its_read_model_and_revision() {
        for (name, revision, table) in each(&mut Describe) {
            assert_eq!(table, format!("read.{name}_{revision}"));
        }
    }

    #[test]
    fn every_name_is_found_once() {
        assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), NAMES.len());
        assert!(NAMES.iter().all(|name| named(name, &mut Describe).is_some_and(|found| found.0 == *name)));
        assert!(named("nothing", &mut Describe).is_none());
    }
}
