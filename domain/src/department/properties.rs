//! What holds of departments whatever is done to them, in whatever order.

use std::collections::BTreeSet;

use events::{DepartmentId, Role, UserId};
use proptest::prelude::*;
use serde_json::json;

use super::{AssignHead, AssignStaff, CloseDepartment, CreateDepartment, Department, UnassignStaff};
use crate::{
    Staff,
    staff::DeactivateStaff,
    testing::{World, body, id},
};

const DEPARTMENTS: u128 = 3;
const STAFF: std::ops::Range<u128> = 2..5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(u128, u8),
    Head(u128, u128),
    Assign(u128, u128),
    Unassign(u128, u128),
    Close(u128),
    Leaves(u128),
}

fn step() -> impl Strategy<Value = Step> {
    let department = || 0x100..0x100 + DEPARTMENTS;
    prop_oneof![
        3 => (department(), 0..2_u8).prop_map(|(n, name)| Step::Create(n, name)),
        1 => (department(), STAFF).prop_map(|(n, staff)| Step::Head(n, staff)),
        5 => (department(), STAFF).prop_map(|(n, staff)| Step::Assign(n, staff)),
        3 => (department(), STAFF).prop_map(|(n, staff)| Step::Unassign(n, staff)),
        3 => department().prop_map(Step::Close),
        1 => STAFF.prop_map(Step::Leaves),
    ]
}

fn take(world: &mut World, step: Step) {
    // Refused or not: the rules hold either way.
    let _outcome = match step {
        Step::Create(n, name) => {
            let create = body::<CreateDepartment>(json!({"name": format!("Department {name}")}));
            world.when::<Department>(id::<DepartmentId>(n), create)
        }
        Step::Head(n, staff) => world.when::<Department>(id::<DepartmentId>(n), AssignHead { staff_id: id(staff) }),
        Step::Assign(n, staff) => world.when::<Department>(id::<DepartmentId>(n), AssignStaff { staff_id: id(staff) }),
        Step::Unassign(n, staff) => {
            world.when::<Department>(id::<DepartmentId>(n), UnassignStaff { staff_id: id(staff) })
        }
        Step::Close(n) => world.when::<Department>(id::<DepartmentId>(n), CloseDepartment {}),
        Step::Leaves(staff) => {
            world.when::<Staff>(id::<UserId>(staff), body::<DeactivateStaff>(json!({"reason": "left"})))
        }
    };
}

fn check(world: &World) {
    let mut names = BTreeSet::new();
    for n in 0x100..0x100 + DEPARTMENTS {
        let department: DepartmentId = id(n);
        let Some(state) = world.state::<Department>(department) else { continue };
        let belongs = |staff: &u128| {
            world.state::<Staff>(id::<UserId>(*staff)).is_some_and(|staff| staff.departments.contains(&department))
        };
        let people = STAFF.filter(belongs).count();
        assert_eq!(world.counter(&format!("department/{department}/staff")), people as i64);
        assert!(!state.closed || people == 0, "a closed department has nobody");
        assert!(state.closed || names.insert(state.name.clone()), "two are called {}", state.name);
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_closed_department_has_nobody_and_an_open_one_a_name_of_its_own];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_closed_department_has_nobody_and_an_open_one_a_name_of_its_own(
        steps in proptest::collection::vec(step(), 1..50)
    ) {
        let mut world = World::registered();
        for staff in STAFF {
            world.given_staff(staff, &[Role::Nurse]);
        }
        for step in steps {
            take(&mut world, step);
            check(&world);
        }
    }
}
