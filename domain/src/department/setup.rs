//! Departments come and go.

use events::{DepartmentEvent, DepartmentId, claim::Bound};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Department, name_claim, staff_counter};
use crate::{Context, Decision, Facts, Refusal, values::Name};

/// Creates a department. Its name is unique in the clinic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDepartment {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<DepartmentId>,
    pub name: Name,
}

/// Closes a department for good, once nobody is assigned to it. Its name is free again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseDepartment {}

impl CreateDepartment {
    pub(super) fn decide(
        self,
        state: Option<&Department>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a department with this id already.").at("/id"));
        }
        context.in_clinic()?;
        let name = String::from(self.name);
        facts.nobody_else_holds(&name_claim(&name), context.target).map_err(|refusal| refusal.at("/name"))?;
        Ok(Decision::one(context.target, DepartmentEvent::DepartmentCreated { name }))
    }
}

impl CloseDepartment {
    pub(super) fn decide(
        self,
        department: &Department,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if department.closed {
            return Ok(Decision::already_so());
        }
        let counter = staff_counter(DepartmentId(context.target.id));
        let staff = facts.counter(&counter);
        if staff > 0 {
            let detail = "People are assigned to the department; unassign them first.";
            return Err(Refusal::conflict("department-staffed", detail).with("staff", staff));
        }
        let nobody = Bound { counter, at_least: None, at_most: Some(0) };
        Ok(Decision::one(context.target, DepartmentEvent::DepartmentClosed {}).within([nobody]))
    }
}

#[cfg(test)]
mod tests {
    use events::Role;
    use serde_json::json;

    use super::{
        super::{AssignHead, AssignStaff, UnassignStaff},
        *,
    };
    use crate::{
        Class, DepartmentCommand, Staff,
        staff::DeactivateStaff,
        testing::{World, body, id},
    };

    pub(super) fn create(world: &mut World, n: u128, name: &str) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Department>(id::<DepartmentId>(n), body::<CreateDepartment>(json!({ "name": name })))
    }

    fn does(world: &mut World, n: u128, command: impl Into<DepartmentCommand>) -> Result<usize, Refusal> {
        world.when::<Department>(id::<DepartmentId>(n), command).map(|events| events.len())
    }

    #[test]
    fn a_name_is_unique_among_those_that_are_open() {
        let mut world = World::registered();
        create(&mut world, 1, "Cardiology").unwrap();
        let refusal = create(&mut world, 2, " cardiology ").unwrap_err();
        assert_eq!((refusal.class, refusal.code, refusal.pointer), (Class::Conflict, "duplicate", Some("/name")));
        does(&mut world, 1, CloseDepartment {}).unwrap();
        assert_eq!(does(&mut world, 1, CloseDepartment {}), Ok(0), "already so");
        create(&mut world, 2, "Cardiology").unwrap();
        assert_eq!(create(&mut world, 1, "Again").unwrap_err().pointer, Some("/id"));
    }

    #[test]
    fn a_department_is_closed_once_nobody_belongs_to_it() {
        let mut world = World::registered();
        create(&mut world, 1, "Cardiology").unwrap();
        let staff = [2, 3].map(|n| world.given_staff(n, &[Role::Nurse]));
        for staff_id in staff {
            assert_eq!(does(&mut world, 1, AssignStaff { staff_id }), Ok(1));
            assert_eq!(does(&mut world, 1, AssignStaff { staff_id }), Ok(0), "already so");
        }
        let refusal = does(&mut world, 1, CloseDepartment {}).unwrap_err();
        assert_eq!((refusal.code, refusal.extra), ("department-staffed", vec![("staff", 2.into())]));
        assert_eq!(does(&mut world, 1, UnassignStaff { staff_id: staff[0] }), Ok(1));
        assert_eq!(does(&mut world, 1, UnassignStaff { staff_id: staff[0] }), Ok(0), "already so");
        // Whose login ends belongs to no department any more.
        world.when::<Staff>(staff[1], body::<DeactivateStaff>(json!({"reason": "left"}))).unwrap();
        does(&mut world, 1, CloseDepartment {}).unwrap();
        let closed = does(&mut world, 1, AssignStaff { staff_id: staff[0] }).unwrap_err();
        assert_eq!(closed.code, "department-closed");
    }

    #[test]
    fn people_of_a_department_work_here() {
        let mut world = World::registered();
        create(&mut world, 1, "Cardiology").unwrap();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        let portal = world.given_staff(3, &[Role::Patient]);
        assert_eq!(does(&mut world, 1, AssignHead { staff_id: nurse }), Ok(1));
        assert_eq!(does(&mut world, 1, AssignHead { staff_id: nurse }), Ok(0), "already so");
        let nobody = does(&mut world, 1, AssignStaff { staff_id: id(9) }).unwrap_err();
        assert_eq!((nobody.class, nobody.pointer), (Class::NotFound, Some("/staff_id")));
        assert_eq!(does(&mut world, 1, AssignStaff { staff_id: portal }).unwrap_err().code, "not-staff");
        world.when::<Staff>(nurse, body::<DeactivateStaff>(json!({"reason": "left"}))).unwrap();
        assert_eq!(does(&mut world, 1, AssignHead { staff_id: nurse }), Ok(0), "who was the head stays so");
        assert_eq!(does(&mut world, 1, AssignStaff { staff_id: nurse }).unwrap_err().code, "deactivated");
    }
}
