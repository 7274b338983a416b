//! What is taken from the patient. One good specimen of each kind at a time: a rejected one makes room for another.

use events::{
    LabOrderEvent, SpecimenId,
    lab_order::{LabOrderStatus, Specimen, SpecimenFault, TestKind},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LabOrder, sealed_reason, state::barcode_claim, wrong_status};
use crate::{
    Context, Facts, Refusal,
    values::{Barcode, Reason},
};

/// Says that a specimen was taken. Its barcode is unique in the clinic, for ever.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectSpecimen {
    pub barcode: Barcode,
    /// One of those that the order asks for; may be left out where that is one.
    #[serde(default)]
    pub kind: Option<TestKind>,
}

/// Says that a specimen cannot be examined. Another one may be collected then.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectSpecimen {
    pub specimen_id: SpecimenId,
    pub reason: SpecimenFault,
    /// In words.
    #[serde(default)]
    pub text: Option<Reason>,
}

impl CollectSpecimen {
    pub(super) fn decide(
        self,
        state: &LabOrder,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabOrderEvent, Refusal> {
        if state.status != LabOrderStatus::Active {
            return Err(wrong_status(state, "given a specimen"));
        }
        let kind = kind(state, self.kind)?;
        if let Some(good) = state.good_specimen(kind) {
            let detail = format!("There is a specimen of {kind} already; reject it before another is collected.");
            return Err(Refusal::conflict("specimen-collected", detail).with("specimen_id", good.to_string()));
        }
        let claim = barcode_claim(self.barcode.as_str());
        if state.held().contains(&claim) {
            return Err(Refusal::taken(&claim).at("/barcode"));
        }
        facts.nobody_else_holds(&claim, context.target).map_err(|refusal| refusal.at("/barcode"))?;
        let specimen = Specimen { id: context.new_id(0), barcode: self.barcode.into(), kind };
        Ok(LabOrderEvent::SpecimenCollected { patient: state.patient, specimen })
    }
}

impl RejectSpecimen {
    /// `None`: it is rejected already.
    pub(super) fn decide(self, state: &LabOrder) -> Result<Option<LabOrderEvent>, Refusal> {
        let specimen = self.specimen_id;
        let tube = state.specimens.get(&specimen);
        let tube = tube.ok_or_else(|| Refusal::not_found("specimen").at("/specimen_id"))?;
        match state.status {
            _ if tube.rejected => return Ok(None),
            LabOrderStatus::Active | LabOrderStatus::OnHold => {}
            LabOrderStatus::Draft | LabOrderStatus::Completed | LabOrderStatus::Revoked => {
                return Err(wrong_status(state, "relieved of a specimen"));
            }
        }
        Ok(Some(LabOrderEvent::SpecimenRejected {
            patient: state.patient,
            specimen,
            reason: self.reason,
            sealed: sealed_reason(self.text),
        }))
    }
}

/// What is collected, of what may be.
fn kind(state: &LabOrder, asked: Option<TestKind>) -> Result<TestKind, Refusal> {
    let mut possible = state.kinds.iter().copied().filter(|kind| kind.may_have_specimen());
    let found = match asked {
        Some(asked) => possible.find(|kind| *kind == asked),
        None => possible.next().filter(|_| possible.next().is_none()),
    };
    found.ok_or_else(|| {
        let kinds: Vec<String> =
            state.kinds.iter().filter(|kind| kind.may_have_specimen()).map(ToString::to_string).collect();
        let detail = match kinds.is_empty() {
            true => "Nothing that the order asks for needs a specimen.",
            false => "Say of which kind the specimen is, of those that the order asks for.",
        };
        Refusal::rule("specimen-kind", detail).at("/kind").with("kinds", kinds)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            HoldLabOrder, RevokeLabOrder,
            sample::{bench, code, collect, draft, given_ordered, order, order_id, state},
        },
        *,
    };
    use crate::testing::{World, body, id};

    fn reject(world: &mut World, n: u128, specimen: SpecimenId) -> Result<Vec<events::DomainEvent>, Refusal> {
        let content = json!({"specimen_id": specimen, "reason": "haemolysed", "text": "pink all over"});
        world.lab_order(order_id(n), body::<RejectSpecimen>(content))
    }

    fn good(world: &World, n: u128, kind: TestKind) -> SpecimenId {
        state(world, n).good_specimen(kind).expect("a specimen")
    }

    #[test]
    fn a_rejected_specimen_makes_room_for_another() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        collect(&mut world, 1, "B-1", TestKind::Blood).unwrap();
        collect(&mut world, 1, "U-1", TestKind::Urine).unwrap();
        assert_eq!(code(collect(&mut world, 1, "B-2", TestKind::Blood)), "specimen-collected");
        let first = good(&world, 1, TestKind::Blood);
        assert_eq!(reject(&mut world, 1, first).unwrap().len(), 1);
        assert_eq!(reject(&mut world, 1, first).unwrap(), [], "already so");
        collect(&mut world, 1, "B-2", TestKind::Blood).unwrap();
        assert_ne!(good(&world, 1, TestKind::Blood), first);
        assert_eq!(state(&world, 1).specimens.len(), 3);
        assert_eq!(reject(&mut world, 1, id(0xBAD)).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn a_barcode_is_one_tubes_for_ever() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        given_ordered(&mut world, 2);
        collect(&mut world, 1, "B-1", TestKind::Blood).unwrap();
        let refusal = collect(&mut world, 2, "B-1", TestKind::Blood).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer), ("duplicate", Some("/barcode")));
        let first = good(&world, 1, TestKind::Blood);
        reject(&mut world, 1, first).unwrap();
        for n in [1, 2] {
            assert_eq!(code(collect(&mut world, n, "B-1", TestKind::Blood)), "duplicate", "a label is not used again");
        }
        world.lab_order(order_id(1), body::<RevokeLabOrder>(json!({"reason": "left"}))).unwrap();
        assert_eq!(code(collect(&mut world, 2, "B-1", TestKind::Blood)), "duplicate");
    }

    #[test]
    fn a_kind_is_one_that_was_asked_for_and_can_be_collected() {
        let mut world = bench();
        let tests = |kinds: &[&str]| {
            let codes = ["2345-7", "718-7", "4548-4"];
            let tests = kinds.iter().zip(codes).map(|(kind, code)| json!({"code": code, "text": "A", "kind": kind}));
            json!({"tests": tests.collect::<Vec<_>>()})
        };
        order(&mut world, 1, tests(&["x-ray"])).unwrap();
        order(&mut world, 2, tests(&["blood", "x-ray"])).unwrap();
        order(&mut world, 3, tests(&["blood", "other"])).unwrap();
        let mut any = |n: u128| {
            let barcode = format!("ANY-{n}");
            world.lab_order(order_id(n), body::<CollectSpecimen>(json!({"barcode": barcode}))).map_err(|r| r.code)
        };
        assert_eq!(any(1).unwrap_err(), "specimen-kind");
        any(2).unwrap();
        assert_eq!(any(3).unwrap_err(), "specimen-kind");
        assert_eq!(code(collect(&mut world, 3, "U-1", TestKind::Urine)), "specimen-kind");
        collect(&mut world, 3, "O-1", TestKind::Other).unwrap();
        assert_eq!(good(&world, 2, TestKind::Blood), *state(&world, 2).specimens.keys().next().unwrap());
    }

    #[test]
    fn specimens_are_collected_for_an_active_order() {
        let mut world = bench();
        draft(&mut world, 1, json!({})).unwrap();
        assert_eq!(code(collect(&mut world, 1, "B-1", TestKind::Blood)), "wrong-status");
        given_ordered(&mut world, 2);
        world.lab_order(order_id(2), body::<HoldLabOrder>(json!({"reason": "fasting first"}))).unwrap();
        assert_eq!(code(collect(&mut world, 2, "B-1", TestKind::Blood)), "wrong-status");
    }
}
