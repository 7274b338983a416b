//! Charges come onto an invoice.

use std::collections::BTreeSet;

use events::{
    ChargeEvent, ChargeId, InvoiceEvent, InvoiceId, Number, PatientId, Series,
    invoice::{InvoiceIssuer, InvoiceLine},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Invoice, day};
use crate::{Charge, Clinic, Context, Decision, Facts, Read, Refusal, charge::MAX_MINOR, patient::Group};

/// Most charges on one invoice.
const MAX_CHARGES: usize = 100;

/// Issues an invoice over charges of one patient. It gets the clinic's next number of the year, without gaps, and never
/// changes: a credit note takes back what is wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueInvoice {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<InvoiceId>,
    pub patient_id: PatientId,
    /// In the order in which they stand on it.
    #[schemars(length(min = 1, max = 100))]
    pub charge_ids: Vec<ChargeId>,
}

impl IssueInvoice {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let mut reads = Group::reads(self.patient_id, facts);
        // No more than a decision can want: too many are refused anyway.
        reads.extend(self.charge_ids.iter().take(MAX_CHARGES).map(|charge| Read::Stream((*charge).into())));
        reads
    }

    pub(super) fn decide(
        self,
        state: Option<&Invoice>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is an invoice with this id already.").at("/id"));
        }
        self.check_count()?;
        let person = Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        let charges = self.charges(&person, facts).map_err(|refusal| refusal.at("/charge_ids"))?;
        let lines: Vec<InvoiceLine> =
            charges.iter().map(|(id, charge)| InvoiceLine { charge: *id, amount: charge.amount.clone() }).collect();
        let currency = currency(&lines)?;
        let (net, tax) = (sum(&lines, |line| line.amount.net)?, sum(&lines, |line| line.amount.tax)?);
        let total = sum(&lines, |line| line.amount.total)?;
        let clinic = context.in_clinic()?;
        let issued = InvoiceEvent::InvoiceIssued {
            patient: self.patient_id,
            number: Number::Next(Series::Invoice { zone: clinic.zone() }),
            day: day(context)?,
            issuer: issuer(clinic),
            currency,
            lines,
            net,
            tax,
            total,
        };
        let invoice = InvoiceId(context.target.id);
        let invoiced = |decision: Decision, (id, charge): &(ChargeId, &Charge)| {
            decision.and(*id, ChargeEvent::ChargeInvoiced { patient: charge.patient, invoice })
        };
        Ok(charges.iter().fold(Decision::one(context.target, issued), invoiced))
    }

    fn check_count(&self) -> Result<(), Refusal> {
        if self.charge_ids.is_empty() || self.charge_ids.len() > MAX_CHARGES {
            let detail = format!("An invoice has 1 to {MAX_CHARGES} charges.");
            return Err(Refusal::rule("too-many", detail).at("/charge_ids").with("limit", MAX_CHARGES));
        }
        match self.charge_ids.iter().collect::<BTreeSet<_>>().len() == self.charge_ids.len() {
            true => Ok(()),
            false => Err(Refusal::rule("twice", "Each charge stands on an invoice once.").at("/charge_ids")),
        }
    }

    /// Each of them the person's, and on no invoice yet.
    fn charges<'f>(&self, person: &Group<'_>, facts: &'f Facts) -> Result<Vec<(ChargeId, &'f Charge)>, Refusal> {
        let find = |id: &ChargeId| {
            let charge = facts.get::<Charge>(*id).ok_or_else(|| Refusal::not_found("charge"))?;
            if !person.contains(charge.patient) {
                return Err(Refusal::rule("other-patient", "The charge is another patient's."));
            }
            charge.is_open().map(|()| (*id, charge))
        };
        self.charge_ids.iter().map(|id| find(id).map_err(|refusal| refusal.with("charge_id", id.to_string()))).collect()
    }
}

fn currency(lines: &[InvoiceLine]) -> Result<String, Refusal> {
    let mut all = lines.iter().map(|line| &line.amount.unit_price.currency);
    let first = all.next().cloned().unwrap_or_default();
    match all.all(|other| *other == first) {
        true => Ok(first),
        false => Err(Refusal::rule("mixed-currencies", "An invoice is in one currency.").at("/charge_ids")),
    }
}

fn sum(lines: &[InvoiceLine], of: impl Fn(&InvoiceLine) -> i64) -> Result<i64, Refusal> {
    let total: i128 = lines.iter().map(|line| i128::from(of(line))).sum();
    i64::try_from(total).ok().filter(|total| *total <= MAX_MINOR).ok_or_else(|| {
        let detail = format!("An invoice comes to at most {MAX_MINOR} minor units.");
        Refusal::rule("too-large", detail).at("/charge_ids").with("limit", MAX_MINOR)
    })
}

fn issuer(clinic: &Clinic) -> InvoiceIssuer {
    let profile = &clinic.profile;
    InvoiceIssuer { name: profile.name.clone(), address: profile.address.clone(), tax_id: profile.tax_id.clone() }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, charge::ChargeStatus};
    use serde_json::json;

    use super::{
        super::sample::{PATIENT, cancel, capture, charge, given_charge, issue, office},
        *,
    };
    use crate::testing::{World, id};

    fn numbers(world: &World) -> Vec<String> {
        let number = |event: &DomainEvent| match event {
            DomainEvent::Invoice(InvoiceEvent::InvoiceIssued { number, .. }) => Some(number.as_str().to_owned()),
            _ => None,
        };
        world.log.iter().filter_map(|(_, event)| number(event)).collect()
    }

    #[test]
    fn an_invoice_is_a_snapshot_with_the_next_number_of_the_year() {
        let mut world = office();
        let charges = [given_charge(&mut world, json!({"quantity": 3})), given_charge(&mut world, json!({}))];
        let events = issue(&mut world, 1, &charges).unwrap();
        let DomainEvent::Invoice(InvoiceEvent::InvoiceIssued { issuer, lines, net, tax, total, day, .. }) = &events[0]
        else {
            panic!("{events:?}")
        };
        // 500.25 rupees and 18 %: 270.14 of tax on three, 90.05 on one.
        assert_eq!((*net, *tax, *total), (200_100, 36_019, 236_119));
        assert_eq!((lines.len(), day.to_string().as_str()), (2, "2026-03-02"));
        assert_eq!(issuer.name, "Asha Clinic");
        assert!(charges.iter().all(|id| charge(&world, *id).status == ChargeStatus::Invoiced));
        let next = given_charge(&mut world, json!({}));
        issue(&mut world, 2, &[next]).unwrap();
        world.now = crate::testing::at("2026-12-31T18:30:00Z");
        let new_year = given_charge(&mut world, json!({}));
        issue(&mut world, 3, &[new_year]).unwrap();
        assert_eq!(numbers(&world), ["INV-2026-00001", "INV-2026-00002", "INV-2027-00001"]);
    }

    #[test]
    fn a_charge_stands_on_one_invoice_once() {
        let mut world = office();
        let one = given_charge(&mut world, json!({}));
        assert_eq!(issue(&mut world, 1, &[one, one]).unwrap_err().code, "twice");
        issue(&mut world, 1, &[one]).unwrap();
        let again = issue(&mut world, 2, &[one]).unwrap_err();
        assert_eq!((again.code, again.class), ("charge-invoiced", crate::Class::Conflict));
        assert_eq!(cancel(&mut world, one).unwrap_err().code, "charge-invoiced");
        let cancelled = given_charge(&mut world, json!({}));
        cancel(&mut world, cancelled).unwrap();
        assert_eq!(issue(&mut world, 2, &[cancelled]).unwrap_err().code, "charge-cancelled");
        assert_eq!(cancel(&mut world, cancelled).unwrap_err().code, "charge-cancelled");
        assert_eq!(issue(&mut world, 1, &[cancelled]).unwrap_err().pointer, Some("/id"));
        assert_eq!(numbers(&world).len(), 1);
    }

    #[test]
    fn charges_are_the_persons_and_in_one_currency() {
        let mut world = office();
        let double = world.given_patient(2);
        let [own, theirs] = [PATIENT, double].map(|patient| given_charge(&mut world, json!({"patient_id": patient})));
        assert_eq!(issue(&mut world, 1, &[own, theirs]).unwrap_err().code, "other-patient");
        assert_eq!(issue(&mut world, 1, &[own, id(99)]).unwrap_err().class, crate::Class::NotFound);
        let dollars = given_charge(&mut world, json!({"unit_price": {"minor": 1, "currency": "usd"}}));
        assert_eq!(issue(&mut world, 1, &[own, dollars]).unwrap_err().code, "mixed-currencies");
        assert_eq!(issue(&mut world, 1, &[]).unwrap_err().code, "too-many");
        world.given_merge(double, PATIENT);
        issue(&mut world, 1, &[own, theirs]).unwrap();
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let mut world = office();
        let large = json!({"unit_price": {"minor": 900_000_000_000_i64, "currency": "INR"}, "quantity": 1_000,
            "tax_basis_points": 0});
        let charges = [given_charge(&mut world, large.clone()), given_charge(&mut world, large)];
        assert_eq!(issue(&mut world, 1, &charges).unwrap_err().code, "too-large");
        issue(&mut world, 1, &charges[..1]).unwrap();
    }

    #[test]
    fn a_charge_is_for_somebody_and_for_something_of_theirs() {
        let mut world = office();
        let nobody = capture(&mut world, json!({"patient_id": id::<PatientId>(99)})).unwrap_err();
        assert_eq!((nobody.class, nobody.pointer), (crate::Class::NotFound, Some("/patient_id")));
        let nothing = capture(&mut world, json!({"procedure_id": id::<PatientId>(99)})).unwrap_err();
        assert_eq!((nothing.class, nothing.pointer), (crate::Class::NotFound, Some("/procedure_id")));
        let no_visit = capture(&mut world, json!({"visit_id": id::<PatientId>(99)})).unwrap_err();
        assert_eq!((no_visit.class, no_visit.pointer), (crate::Class::NotFound, Some("/visit_id")));
        let unknown = capture(&mut world, json!({"prescription_id": id::<PatientId>(99)})).unwrap_err();
        assert_eq!((unknown.class, unknown.pointer), (crate::Class::NotFound, Some("/prescription_id")));
    }
}
