//! Asking for tests.

use std::collections::BTreeSet;

use events::{
    DoctorId, LabOrderEvent, LabOrderId, Number, PatientId, Role, Series, VisitId,
    lab_order::{LabOrderStatus, LabRequest, LabTest, OrderPriority, TestKind},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LabOrder, wrong_status};
use crate::{
    Context, Facts, Read, Refusal,
    patient::Group,
    values::{LoincCode, Name, Text},
    visit::origin,
};

/// At most so many tests in one order.
const MAX_TESTS: usize = 50;

/// One examination that is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedTest {
    /// LOINC.
    pub code: LoincCode,
    /// As the laboratory calls it.
    pub text: Name,
    pub kind: TestKind,
}

/// Orders tests, under the name of the doctor who gives the command. The order is active at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderTests {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<LabOrderId>,
    pub patient_id: PatientId,
    /// The visit that it comes of.
    #[serde(default)]
    pub visit_id: Option<VisitId>,
    /// 1 to 50, each code once.
    pub tests: Vec<RequestedTest>,
    #[serde(default)]
    pub priority: OrderPriority,
    /// The suspicion, the question.
    #[serde(default)]
    pub reason: Option<Text<1000>>,
}

/// Prepares an order, which a doctor activates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftTests {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<LabOrderId>,
    pub patient_id: PatientId,
    /// The visit that it comes of.
    #[serde(default)]
    pub visit_id: Option<VisitId>,
    /// 1 to 50, each code once.
    pub tests: Vec<RequestedTest>,
    #[serde(default)]
    pub priority: OrderPriority,
    /// The suspicion, the question.
    #[serde(default)]
    pub reason: Option<Text<1000>>,
}

/// Makes a draft the order of the doctor who gives the command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateLabOrder {}

impl OrderTests {
    pub(super) fn decide(
        self,
        state: Option<&LabOrder>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabOrderEvent, Refusal> {
        refuse_known(state)?;
        let doctor = doctor(context)?;
        let person = is_there(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        origin::is_of(&person, self.visit_id, facts)?;
        let (kinds, tests) = checked(self.tests)?;
        Ok(LabOrderEvent::LabTestsOrdered {
            number: number(context)?,
            patient: self.patient_id,
            doctor,
            visit: self.visit_id,
            priority: self.priority,
            kinds,
            sealed: LabRequest { tests, reason: self.reason.map(Into::into) }.into(),
        })
    }
}

impl DraftTests {
    pub(super) fn decide(
        self,
        state: Option<&LabOrder>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabOrderEvent, Refusal> {
        refuse_known(state)?;
        let person = is_there(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        origin::is_of(&person, self.visit_id, facts)?;
        let (kinds, tests) = checked(self.tests)?;
        Ok(LabOrderEvent::LabTestsDrafted {
            number: number(context)?,
            patient: self.patient_id,
            visit: self.visit_id,
            priority: self.priority,
            kinds,
            sealed: LabRequest { tests, reason: self.reason.map(Into::into) }.into(),
        })
    }
}

impl ActivateLabOrder {
    pub(super) fn decide(
        self,
        state: &LabOrder,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabOrderEvent, Refusal> {
        if state.status != LabOrderStatus::Draft {
            return Err(wrong_status(state, "activated"));
        }
        is_there(state.patient, facts)?;
        Ok(LabOrderEvent::LabOrderActivated { patient: state.patient, doctor: doctor(context)? })
    }
}

fn refuse_known(state: Option<&LabOrder>) -> Result<(), Refusal> {
    match state {
        None => Ok(()),
        Some(_) => Err(Refusal::conflict("duplicate", "There is an order with this id already.").at("/id")),
    }
}

/// Who orders is who gives the command, and nobody else.
fn doctor(context: &Context<'_>) -> Result<DoctorId, Refusal> {
    let user = context.actor.user.filter(|_| context.actor.has(Role::Doctor));
    user.map(Into::into).ok_or_else(|| Refusal::forbidden("not-a-doctor", "Tests are ordered by a doctor; draft them."))
}

fn is_there(patient: PatientId, facts: &Facts) -> Result<Group<'_>, Refusal> {
    let person = Group::find(patient, facts)?;
    person.may_come()?;
    Ok(person)
}

/// The person, and the visit that it comes of.
pub(super) fn reads(patient: PatientId, visit: Option<VisitId>, facts: &Facts) -> Vec<Read> {
    Group::reads(patient, facts).into_iter().chain(origin::reads(visit)).collect()
}

/// What is clear of the tests, and what is sealed.
fn checked(tests: Vec<RequestedTest>) -> Result<(Vec<TestKind>, Vec<LabTest>), Refusal> {
    if tests.is_empty() || tests.len() > MAX_TESTS {
        let detail = format!("An order asks for 1 to {MAX_TESTS} tests.");
        return Err(Refusal::rule("number-of-tests", detail).at("/tests"));
    }
    let codes: BTreeSet<&LoincCode> = tests.iter().map(|test| &test.code).collect();
    if codes.len() < tests.len() {
        return Err(Refusal::rule("duplicate-test", "Each test is asked for once.").at("/tests"));
    }
    let kinds = tests.iter().map(|test| test.kind).collect();
    let tests =
        tests.into_iter().map(|test| LabTest { code: test.code.into(), text: test.text.into(), kind: test.kind });
    Ok((kinds, tests.collect()))
}

fn number(context: &Context<'_>) -> Result<Number, Refusal> {
    Ok(Number::Next(Series::LabOrder { zone: context.in_clinic()?.zone() }))
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::{
        super::sample::{DOCTOR, NURSE, PATIENT, bench, code, draft, given_ordered, order, order_id, request, state},
        *,
    };
    use crate::{
        patient::{DeactivatePatient, RecordDeath},
        testing::{World, body, id},
    };

    #[test]
    fn an_order_has_a_number_and_the_doctor_who_gave_it() {
        let mut world = bench();
        let _events = order(&mut world, 1, json!({"priority": "stat", "reason": "fever"})).unwrap();
        let (_, DomainEvent::LabOrder(LabOrderEvent::LabTestsOrdered { number, doctor, priority, kinds, sealed, .. })) =
            world.log.last().unwrap()
        else {
            panic!("tests were ordered");
        };
        assert_eq!(number.as_str(), "LAB-20260302-001");
        assert_eq!((*doctor, *priority), (id(DOCTOR), OrderPriority::Stat));
        assert_eq!(kinds, &[TestKind::Blood, TestKind::Urine]);
        assert_eq!(sealed.open().unwrap().reason.as_deref(), Some("fever"));
        order(&mut world, 2, json!({})).unwrap();
        let (_, DomainEvent::LabOrder(LabOrderEvent::LabTestsOrdered { number, .. })) = world.log.last().unwrap()
        else {
            panic!("tests were ordered");
        };
        assert_eq!(number.as_str(), "LAB-20260302-002");
    }

    #[test]
    fn a_draft_becomes_the_order_of_the_doctor_who_activates_it() {
        let mut world = bench();
        world.acts(id(NURSE), &[Role::Nurse]);
        assert_eq!(code(order(&mut world, 1, json!({}))), "not-a-doctor");
        draft(&mut world, 1, json!({})).unwrap();
        assert_eq!((state(&world, 1).status, state(&world, 1).doctor), (LabOrderStatus::Draft, None));
        assert_eq!(code(world.lab_order(order_id(1), ActivateLabOrder {})), "not-a-doctor");
        world.acts(id(DOCTOR), &[Role::Doctor]);
        world.lab_order(order_id(1), ActivateLabOrder {}).unwrap();
        assert_eq!((state(&world, 1).status, state(&world, 1).doctor), (LabOrderStatus::Active, Some(id(DOCTOR))));
        assert_eq!(code(world.lab_order(order_id(1), ActivateLabOrder {})), "wrong-status");
    }

    #[test]
    fn tests_are_some_and_each_is_asked_for_once() {
        let test = |code: &str| json!({"code": code, "text": "A test", "kind": "blood"});
        assert_eq!(code(order(&mut bench(), 1, json!({"tests": []}))), "number-of-tests");
        let twice = json!({"tests": [test("2345-7"), test("718-7"), test("2345-7")]});
        assert_eq!(code(order(&mut bench(), 1, twice)), "duplicate-test");
        let many: Vec<Value> = (0..51).map(|_| test("2345-7")).collect();
        assert_eq!(code(order(&mut bench(), 1, json!({"tests": many}))), "number-of-tests");
        let wrong = request(json!({"tests": [test("2345-8")]}));
        assert!(serde_json::from_value::<OrderTests>(wrong).is_err(), "a check digit is checked");
    }

    #[test]
    fn tests_are_ordered_for_who_comes_to_the_clinic() {
        let gone = |world: &mut World| world.patient(id(PATIENT), DeactivatePatient { reason: None }).map(drop);
        let died = |world: &mut World| world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).map(drop);
        for expected in ["patient-inactive", "patient-deceased"] {
            let mut world = bench();
            draft(&mut world, 1, json!({})).unwrap();
            if expected == "patient-inactive" { gone(&mut world) } else { died(&mut world) }.unwrap();
            for refused in [
                order(&mut world, 2, json!({})),
                draft(&mut world, 2, json!({})),
                world.lab_order(order_id(1), ActivateLabOrder {}),
            ] {
                assert_eq!(code(refused), expected);
            }
        }
        let nobody = order(&mut bench(), 1, json!({"patient_id": id::<PatientId>(0xBAD)})).unwrap_err();
        assert_eq!((nobody.class, nobody.pointer), (crate::Class::NotFound, Some("/patient_id")));
    }

    #[test]
    fn a_merged_patient_is_the_person() {
        let mut world = bench();
        let survivor = world.given_patient(0xA2);
        world.given_merge(id(PATIENT), survivor);
        given_ordered(&mut world, 1);
        assert_eq!(state(&world, 1).patient, id(PATIENT), "recorded under the id that was named");
        world.patient(survivor, body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(code(order(&mut world, 2, json!({}))), "patient-deceased");
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        assert_eq!(code(order(&mut world, 1, json!({}))), "duplicate");
        assert_eq!(code(draft(&mut world, 1, json!({}))), "duplicate");
    }

    #[test]
    fn an_order_comes_of_a_visit_of_the_same_person() {
        let mut world = bench();
        let stranger = world.given_patient(0xA2);
        for (n, patient) in [(0x51, id(PATIENT)), (0x52, stranger)] {
            let open = json!({"patient_id": patient, "office_id": World::OFFICE});
            world
                .when::<crate::Visit>(id::<VisitId>(n), body::<crate::visit::OpenVisit>(open))
                .expect("a visit is opened");
        }
        world.acts(id(DOCTOR), &[Role::Doctor]);
        let of = |n: u128| json!({"visit_id": id::<VisitId>(n)});
        assert_eq!(code(order(&mut world, 1, of(0x52))), "visit-of-another");
        assert_eq!(order(&mut world, 1, of(0xBAD)).unwrap_err().pointer, Some("/visit_id"));
        let events = order(&mut world, 1, of(0x51)).unwrap();
        let [DomainEvent::LabOrder(LabOrderEvent::LabTestsOrdered { visit, .. })] = events.as_slice() else {
            panic!("tests were ordered");
        };
        assert_eq!(*visit, Some(id(0x51)));
    }
}
