//! Who belongs to a department, and who leads it.

use events::{DepartmentEvent, DepartmentId, Role, StaffEvent, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Department;
use crate::{Context, Decision, Facts, Refusal, Staff, staff::Status};

/// Makes somebody of the staff the head of a department, in place of whoever was.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignHead {
    pub staff_id: UserId,
}

/// Assigns somebody of the staff to a department; one may belong to several. It is over with the login.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignStaff {
    pub staff_id: UserId,
}

/// Takes somebody from a department.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignStaff {
    pub staff_id: UserId,
}

impl AssignHead {
    pub(super) fn decide(
        self,
        department: &Department,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        department.is_open()?;
        if department.head == Some(self.staff_id) {
            return Ok(Decision::already_so());
        }
        works_here(self.staff_id, facts)?;
        let (head, from) = (self.staff_id, department.head);
        Ok(Decision::one(context.target, DepartmentEvent::DepartmentHeadAssigned { head, from }))
    }
}

impl AssignStaff {
    pub(super) fn decide(
        self,
        department: &Department,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        department.is_open()?;
        let staff = works_here(self.staff_id, facts)?;
        let department = DepartmentId(context.target.id);
        match staff.departments.contains(&department) {
            true => Ok(Decision::already_so()),
            false => Ok(Decision::one(self.staff_id, StaffEvent::DepartmentAssigned { department })),
        }
    }
}

impl UnassignStaff {
    pub(super) fn decide(self, _: &Department, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let staff = login(self.staff_id, facts)?;
        let department = DepartmentId(context.target.id);
        match staff.departments.contains(&department) {
            true => Ok(Decision::one(self.staff_id, StaffEvent::DepartmentUnassigned { department })),
            false => Ok(Decision::already_so()),
        }
    }
}

fn login(id: UserId, facts: &Facts) -> Result<&Staff, Refusal> {
    facts.get::<Staff>(id).ok_or_else(|| Refusal::not_found("login").at("/staff_id"))
}

/// A login of the staff that has not ended.
fn works_here(id: UserId, facts: &Facts) -> Result<&Staff, Refusal> {
    let staff = login(id, facts)?;
    if staff.has(Role::Patient) {
        return Err(Refusal::rule("not-staff", "A portal login is a patient's.").at("/staff_id"));
    }
    if staff.status == Status::Deactivated {
        return Err(Refusal::rule("deactivated", "This login has ended.").at("/staff_id"));
    }
    Ok(staff)
}
