//! Drafting: by a doctor, or by a nurse for a doctor.

use events::{
    DoctorId, PatientId, PrescriptionEvent, PrescriptionId, PrescriptionItemId, Role, VisitId,
    prescription::PrescriptionItem,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Prescription,
    items::{ItemBody, MAX_ITEMS, too_many},
};
use crate::{Context, Decision, Doctor, Facts, Read, Refusal, patient::Group, visit::origin};

/// Begins a prescription. Nothing of it holds before a doctor issues it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPrescription {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<PrescriptionId>,
    pub patient_id: PatientId,
    /// Who is to issue it; whoever drafts it, where that is a doctor.
    #[serde(default)]
    pub doctor_id: Option<DoctorId>,
    /// The visit that it comes of.
    #[serde(default)]
    pub visit_id: Option<VisitId>,
    #[serde(default)]
    pub items: Vec<ItemBody>,
}

impl DraftPrescription {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let doctor = self.doctor_id.map(|doctor| Read::Stream(doctor.into()));
        let visit = origin::reads(self.visit_id);
        let medicines = self.items.iter().flat_map(ItemBody::reads);
        Group::reads(self.patient_id, facts).into_iter().chain(doctor).chain(visit).chain(medicines).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&Prescription>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a prescription with this id already.").at("/id"));
        }
        let person = Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        person.may_come().map_err(|refusal| refusal.at("/patient_id"))?;
        self.check_doctor(facts)?;
        origin::is_of(&person, self.visit_id, facts)?;
        if self.items.len() > MAX_ITEMS {
            return Err(too_many().at("/items"));
        }
        let own = context.actor.user.filter(|_| context.actor.has(Role::Doctor)).map(DoctorId::from);
        let drafted = PrescriptionEvent::PrescriptionDrafted {
            patient: self.patient_id,
            doctor: self.doctor_id.or(own),
            visit: self.visit_id,
            replaces: None,
        };
        let items = self.items.into_iter().map(|item| item.checked(facts).map_err(|refusal| refusal.at("/items")));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok(with_items(PrescriptionId(context.target.id), drafted, items, context))
    }

    fn check_doctor(&self, facts: &Facts) -> Result<(), Refusal> {
        match self.doctor_id.map(|id| facts.get::<Doctor>(id)) {
            None => Ok(()),
            Some(Some(doctor)) if doctor.is_active() => Ok(()),
            Some(Some(_)) => Err(Refusal::rule("doctor-inactive", "The doctor no longer works here.").at("/doctor_id")),
            Some(None) => Err(Refusal::not_found("doctor").at("/doctor_id")),
        }
    }
}

/// A new draft with its lines.
pub(super) fn with_items(
    id: PrescriptionId,
    drafted: PrescriptionEvent,
    items: Vec<PrescriptionItem>,
    context: &Context<'_>,
) -> Decision {
    let patient = drafted.patient();
    let added = items.into_iter().zip(1..).map(|(PrescriptionItem { regimen, supply }, n)| {
        let item = context.new_id::<PrescriptionItemId>(n);
        PrescriptionEvent::PrescriptionItemAdded { patient, item, supply, sealed: regimen.into() }
    });
    added.fold(Decision::one(id, drafted), |decision, event| decision.and(id, event))
}

#[cfg(test)]
mod tests {
    use events::prescription::PrescriptionStatus;
    use serde_json::json;

    use super::{
        super::{
            ChangePrescriptionItem, RemovePrescriptionItem,
            sample::{
                AMOXICILLIN, PARACETAMOL, PATIENT, add, as_nurse, code, doctor, give, given_draft, given_issued, item,
                line, room, state, status,
            },
        },
        *,
    };
    use crate::{
        Class,
        patient::{DeactivatePatient, RecordDeath},
        testing::{World, body, id},
    };

    fn draft(world: &mut World, n: u128, others: serde_json::Value) -> Result<usize, Refusal> {
        let mut all = json!({"patient_id": id::<PatientId>(PATIENT)});
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        give(world, n, body::<DraftPrescription>(all)).map(|events| events.len())
    }

    #[test]
    fn a_nurse_drafts_for_a_doctor_and_a_doctor_for_themselves() {
        let mut world = room();
        assert_eq!(draft(&mut world, 1, json!({})), Ok(1));
        assert_eq!((status(&world, 1), state(&world, 1).doctor), (PrescriptionStatus::Draft, Some(doctor())));
        as_nurse(&mut world);
        assert_eq!(draft(&mut world, 2, json!({})), Ok(1));
        assert_eq!(state(&world, 2).doctor, None);
        assert_eq!(draft(&mut world, 3, json!({"doctor_id": doctor()})), Ok(1));
        assert_eq!(state(&world, 3).doctor, Some(doctor()));
        assert_eq!(draft(&mut world, 3, json!({})).unwrap_err().code, "duplicate");
    }

    #[test]
    fn whoever_is_named_is_there() {
        let mut world = room();
        let nobody = id::<DoctorId>(0xFF);
        for (others, pointer) in [
            (json!({"patient_id": id::<PatientId>(0xFF)}), "/patient_id"),
            (json!({"doctor_id": nobody}), "/doctor_id"),
            (json!({"visit_id": id::<VisitId>(0xFF)}), "/visit_id"),
            (json!({"items": [item(0xFF, json!({}))]}), "/items"),
        ] {
            let refused = draft(&mut world, 1, others).unwrap_err();
            assert_eq!((refused.class, refused.pointer), (Class::NotFound, Some(pointer)));
        }
    }

    #[test]
    fn nothing_is_prescribed_for_who_is_not_treated_here() {
        let mut world = room();
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        world.patient(id(PATIENT), DeactivatePatient { reason: None }).unwrap();
        assert_eq!(draft(&mut world, 2, json!({})).unwrap_err().code, "patient-inactive");
        assert_eq!(code(add(&mut world, 1, PARACETAMOL, json!({}))), "patient-inactive");
        world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(draft(&mut world, 2, json!({})).unwrap_err().code, "patient-deceased");
    }

    #[test]
    fn lines_are_added_changed_and_removed_while_it_is_a_draft() {
        let mut world = room();
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        add(&mut world, 1, PARACETAMOL, json!({})).unwrap();
        let (first, second) = (line(&world, 1, 0), line(&world, 1, 1));
        let twenty = item(PARACETAMOL, json!({"quantity": {"value": 20, "unit": "{tablet}"}}));
        let change = body::<ChangePrescriptionItem>(json!({"item_id": second, "item": twenty}));
        give(&mut world, 1, change.clone()).unwrap();
        assert_eq!(state(&world, 1).lines[1].supply.quantity.value, rust_decimal::Decimal::from(20));
        give(&mut world, 1, RemovePrescriptionItem { item_id: first }).unwrap();
        assert_eq!(state(&world, 1).lines.len(), 1);
        let refused = give(&mut world, 1, RemovePrescriptionItem { item_id: first }).unwrap_err();
        assert_eq!((refused.class, refused.pointer), (Class::NotFound, Some("/item_id")));
        let issued = given_issued(&mut world, 2, &[AMOXICILLIN]);
        assert_eq!(code(add(&mut world, 2, PARACETAMOL, json!({}))), "wrong-status");
        assert_eq!(code(give(&mut world, 2, change)), "wrong-status");
        assert_eq!(code(give(&mut world, 2, RemovePrescriptionItem { item_id: first })), "wrong-status");
        assert_eq!(world.state::<Prescription>(issued).unwrap().lines.len(), 1);
    }

    #[test]
    fn a_prescription_has_an_end() {
        let mut world = room();
        let many: Vec<_> = (0..=MAX_ITEMS).map(|_| item(PARACETAMOL, json!({}))).collect();
        assert_eq!(draft(&mut world, 1, json!({"items": many})).unwrap_err().code, "too-many-items");
        assert_eq!(draft(&mut world, 1, json!({"items": many[1..]})), Ok(1 + MAX_ITEMS));
        assert_eq!(code(add(&mut world, 1, PARACETAMOL, json!({}))), "too-many-items");
    }

    #[test]
    fn the_catalogue_says_the_route_where_nobody_else_does() {
        let mut world = room();
        let routes = [(json!({}), Some("oral")), (json!({"route": "sublingual"}), Some("sublingual"))];
        for ((others, expected), n) in routes.into_iter().zip(1..) {
            given_draft(&mut world, n, &[]);
            let events = add(&mut world, n, PARACETAMOL, others).unwrap();
            let PrescriptionEvent::PrescriptionItemAdded { sealed, .. } = super::super::sample::event(&events) else {
                panic!("{events:?}");
            };
            assert_eq!(sealed.open().unwrap().route.as_deref(), expected);
        }
    }
}
