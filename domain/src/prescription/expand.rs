//! A short key in a draft: all of its lines at once, and the use of it counted with them.

use events::{PrescriptionEvent, ShortKeyEvent, prescription::PrescriptionItem};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Prescription,
    case::Case,
    items::{MAX_ITEMS, too_many},
};
use crate::{Decision, Facts, Read, Refusal, medicine, short_key::meant, values::ShortCode};

/// Adds the lines of a short key to a draft, in their order: of the prescribing doctor's own short key of that code, or
/// else of the clinic's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpandShortKey {
    pub code: ShortCode,
}

impl ExpandShortKey {
    /// Whose the code is, and what the catalogue says of the medicines.
    pub(super) fn reads(&self, prescription: &Prescription, facts: &Facts) -> Vec<Read> {
        let key = meant::find(self.code.as_str(), prescription.doctor, facts);
        let items = key.into_iter().flat_map(|(_, key)| &key.items);
        let medicines = items.flat_map(|item| medicine::reads(item.regimen.medicine));
        meant::reads(self.code.as_str(), prescription.doctor, facts).into_iter().chain(medicines).collect()
    }

    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        case.in_draft()?;
        case.person.may_come()?;
        let key = meant::find(self.code.as_str(), case.prescription.doctor, case.facts);
        let (id, key) = key.ok_or_else(|| Refusal::not_found("short key").at("/code"))?;
        if case.prescription.lines.len() + key.items.len() > MAX_ITEMS {
            return Err(too_many());
        }
        let used = ShortKeyEvent::ShortKeyUsed { prescription: Some(case.id) };
        key.items.iter().zip(0..).try_fold(Decision::one(id, used), |decision, (item, n)| {
            let PrescriptionItem { regimen, supply } = available(item.clone(), case.facts)?;
            let (patient, item, sealed) = (case.patient(), case.context.new_id(n), regimen.into());
            Ok(decision.and(case.id, PrescriptionEvent::PrescriptionItemAdded { patient, item, supply, sealed }))
        })
    }
}

/// The line with what the catalogue says today where it says nothing.
fn available(mut item: PrescriptionItem, facts: &Facts) -> Result<PrescriptionItem, Refusal> {
    let medicine = item.regimen.medicine;
    let entry = facts.medicine(medicine).ok_or_else(|| {
        let detail =
            "A medicine of the short key was retired or hidden: change its lines, or add the items one by one.";
        Refusal::rule("medicine-unavailable", detail).at("/code").with("medicine_id", medicine.to_string())
    })?;
    item.regimen.route = item.regimen.route.or_else(|| entry.route.clone());
    Ok(item)
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, MedicineEvent, MedicineId, Role, ShortKeyId, UserId};
    use serde_json::json;

    use super::{
        super::sample::{AMOXICILLIN, PARACETAMOL, as_nurse, code, give, given_draft, given_issued, item, room, state},
        *,
    };
    use crate::{
        ShortKey,
        short_key::{DefineShortKey, RetireShortKey},
        testing::{World, body, id},
    };

    const OWN: u128 = 0x5A;
    const CLINICS: u128 = 0x5B;

    /// A doctor's FEVER of two lines, and the clinic's of one.
    fn given_keys(world: &mut World) {
        let lines = [item(PARACETAMOL, json!({})), item(AMOXICILLIN, json!({}))];
        let own = json!({"code": "fever", "owner": "own", "items": lines});
        world.when::<ShortKey>(id::<ShortKeyId>(OWN), body::<DefineShortKey>(own)).unwrap();
        world.acts(id::<UserId>(0xF1), &[Role::ClinicAdmin]);
        let clinics = json!({"code": "FEVER", "owner": "clinic", "items": [item(PARACETAMOL, json!({}))]});
        world.when::<ShortKey>(id::<ShortKeyId>(CLINICS), body::<DefineShortKey>(clinics)).unwrap();
        super::super::sample::as_doctor(world);
    }

    fn expand(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
        give(world, n, body::<ExpandShortKey>(json!({"code": "Fever"})))
    }

    #[test]
    fn the_doctors_own_comes_before_the_clinics_also_when_a_nurse_types_it() {
        let mut world = room();
        given_keys(&mut world);
        given_draft(&mut world, 1, &[]);
        let before = state(&world, 1).lines.len();
        as_nurse(&mut world);
        let events = expand(&mut world, 1).unwrap();
        let used = events.iter().filter(|event| matches!(event, DomainEvent::ShortKey(_))).count();
        assert_eq!((used, events.len(), state(&world, 1).lines.len()), (1, 3, before + 2));
        assert_eq!(world.state::<ShortKey>(id::<ShortKeyId>(OWN)).unwrap().uses, 1);
        super::super::sample::as_doctor(&mut world);
        world.when::<ShortKey>(id::<ShortKeyId>(OWN), body::<RetireShortKey>(json!({}))).unwrap();
        assert_eq!(expand(&mut world, 1).unwrap().len(), 2);
        assert_eq!(world.state::<ShortKey>(id::<ShortKeyId>(CLINICS)).unwrap().uses, 1);
    }

    #[test]
    fn nothing_is_added_unless_all_of_it_can_be() {
        let mut world = room();
        given_draft(&mut world, 1, &[]);
        assert_eq!(expand(&mut world, 1).unwrap_err().pointer, Some("/code"));
        given_keys(&mut world);
        world.given_on_platform(id::<MedicineId>(AMOXICILLIN), MedicineEvent::MedicineRetired {});
        assert_eq!(code(expand(&mut world, 1)), "medicine-unavailable");
        assert_eq!(world.state::<ShortKey>(id::<ShortKeyId>(OWN)).unwrap().uses, 0);
        given_issued(&mut world, 2, &[PARACETAMOL]);
        assert_eq!(code(expand(&mut world, 2)), "wrong-status");
    }
}
