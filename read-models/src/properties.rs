//! What holds of every read model, whatever happens in a clinic.

use events::{
    ClinicId, Recorded,
    appointment::AppointmentStatus,
    patient::{PatientStatus, Standing},
    values::Gender,
};
use proptest::prelude::*;
use strum::VariantArray;
use uuid::Uuid;

use crate::{
    AppointmentDays, BillingDays, Invoices, PatientStats, Projection, Rows, Usage, Visitor, each,
    sample::{History, Life},
};

const CLINIC: ClinicId = ClinicId(Uuid::from_u128(7));

fn life() -> impl Strategy<Value = Life> {
    prop::collection::vec(any::<u32>(), 0..150).prop_map(|choices| {
        let mut life = Life::new(CLINIC);
        choices.into_iter().for_each(|choice| life.step(choice));
        life
    })
}

/// Rows of a read model that went through storage after each so many events.
struct Stored<'h>(&'h History, usize);

impl Visitor for Stored<'_> {
    type Output = ();

    fn visit<P: Projection>(&mut self) {
        let events: Vec<&Recorded> = self.0.events().collect();
        let mut stored: std::collections::HashMap<P::Key, serde_json::Value> = Default::default();
        for batch in events.chunks(self.1.max(1)) {
            for event in batch {
                for key in P::keys(event) {
                    let row = stored.remove(&key).map(|row| serde_json::from_value(row).unwrap());
                    assert!(!P::ONE_STREAM || event.version > 1 || row.is_none(), "{}: {key:?}", P::NAME);
                    if let Some(row) = P::fold(row, &key, event) {
                        let row = serde_json::to_value(row).unwrap();
                        assert_eq!(row["id"], key.to_string(), "{}", P::NAME);
                        assert_eq!(row["position"], event.position, "{}", P::NAME);
                        stored.insert(key, row);
                    }
                }
            }
        }
        let folded = events.into_iter().collect::<Rows<P>>().into_sorted();
        assert_eq!(folded.len(), stored.len());
        for (key, row) in folded {
            assert_eq!(serde_json::to_value(&row).unwrap(), stored[&key], "{}", P::NAME);
        }
    }
}

/// Folds events in an order in which they never happened.
struct Nonsense<'e>(&'e [Recorded]);

impl Visitor for Nonsense<'_> {
    type Output = usize;

    fn visit<P: Projection>(&mut self) -> usize {
        self.0.iter().collect::<Rows<P>>().len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_row_that_was_stored_folds_on_as_if_it_had_not_been(life in life(), batch in 1..20_usize) {
        each(&mut Stored(&life.history, batch));
    }

    #[test]
    fn no_order_of_events_and_no_erasure_makes_a_fold_panic(
        events in life().prop_flat_map(|life| {
            let (open, erased) = (life.history.events().cloned(), life.history.erased());
            Just(open.chain(erased.events().cloned()).collect::<Vec<_>>()).prop_shuffle()
        }),
    ) {
        each(&mut Nonsense(&events));
    }

    #[test]
    fn counts_are_what_one_counts(life in life()) {
        let stats = life.history.row::<PatientStats>(CLINIC.0).unwrap();
        let shown: Vec<Standing> = life.patients.iter().map(|person| person.shown()).collect();
        for status in PatientStatus::VARIANTS {
            let counted = shown.iter().filter(|one| one.status == *status).count();
            prop_assert_eq!(stats.by_status.get(status.to_string()), counted as i64);
        }
        let present = || shown.iter().filter(|one| one.status != PatientStatus::Merged);
        for gender in Gender::VARIANTS {
            let counted = present().filter(|one| one.gender == *gender).count();
            prop_assert_eq!(stats.by_gender.get(gender.to_string()), counted as i64);
        }
        let eighties = present().filter(|one| matches!(one.birth_year, Some(1980..=1989))).count();
        prop_assert_eq!(stats.by_birth_decade.get("1980"), eighties as i64);
        prop_assert_eq!(stats.by_birth_decade.total(), present().count() as i64);
        prop_assert_eq!(stats.registrations_by_month.total(), shown.len() as i64);
        prop_assert_eq!(life.history.row::<Usage>(CLINIC.0).unwrap().patients, present().count() as i64);
    }

    #[test]
    fn the_days_add_up_to_the_invoices(life in life()) {
        let invoices: Vec<_> = life.history.events().collect::<Rows<Invoices>>().into_sorted();
        let days: Vec<_> = life.history.events().collect::<Rows<BillingDays>>().into_sorted();
        for currency in ["INR", "USD"] {
            let mine = || invoices.iter().map(|(_, row)| row).filter(|row| row.currency == currency);
            let money = || days.iter().filter_map(|(_, row)| row.by_currency.get(currency));
            prop_assert_eq!(money().map(|day| day.billed).sum::<i64>(), mine().map(|row| row.total).sum::<i64>());
            prop_assert_eq!(money().map(|day| day.paid.total()).sum::<i64>(), mine().map(|row| row.paid).sum::<i64>());
            prop_assert_eq!(money().map(|day| day.credited).sum::<i64>(), mine().map(|row| row.credited).sum::<i64>());
            let refunded = money().map(|day| day.refunded.total()).sum::<i64>();
            prop_assert_eq!(refunded, mine().map(|row| row.refunded).sum::<i64>());
            prop_assert_eq!(money().map(|day| day.due).sum::<i64>(), mine().map(|row| row.due).sum::<i64>());
        }
        for (_, row) in &invoices {
            prop_assert!(row.due >= 0 && days.iter().any(|(day, _)| *day == row.day));
        }
    }

    #[test]
    fn each_appointment_counts_once_on_its_day(life in life()) {
        let days: Vec<_> = life.history.events().collect::<Rows<AppointmentDays>>().into_sorted();
        for status in AppointmentStatus::VARIANTS {
            for (day, row) in &days {
                let mine = life.appointments.iter().filter(|one| one.slot.day == *day && one.status == *status);
                prop_assert_eq!(row.by_status.get(status.to_string()), mine.count() as i64);
            }
        }
        let total: i64 = days.iter().map(|(_, row)| row.by_status.total()).sum();
        prop_assert_eq!(total, life.appointments.len() as i64);
        let by_doctor: i64 = days.iter().flat_map(|(_, row)| row.by_doctor.values()).map(|of| of.total()).sum();
        prop_assert_eq!(by_doctor, total);
        let errors: i64 = days.iter().map(|(_, row)| row.by_status.get("entered-in-error")).sum();
        prop_assert_eq!(days.iter().map(|(_, row)| row.by_kind.total()).sum::<i64>(), total - errors);
    }
}
