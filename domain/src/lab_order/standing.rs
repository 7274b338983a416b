//! Whether an order stands: held for a while, or taken back before its report.

use events::{LabOrderEvent, LabOrderId, lab_order::LabOrderStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LabOrder, sealed_reason, state::report_claim, wrong_status};
use crate::{Context, Facts, Refusal, values::Reason};

/// Puts an active order on hold: nothing is collected, and no report is released, until it is released.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldLabOrder {
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Takes an order up again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseLabOrder {}

/// Takes an order back that has no report yet. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeLabOrder {
    pub reason: Reason,
}

impl HoldLabOrder {
    pub(super) fn decide(self, state: &LabOrder) -> Result<LabOrderEvent, Refusal> {
        match state.status {
            LabOrderStatus::Active => {
                Ok(LabOrderEvent::LabOrderHeld { patient: state.patient, sealed: sealed_reason(self.reason) })
            }
            LabOrderStatus::Draft | LabOrderStatus::OnHold | LabOrderStatus::Completed | LabOrderStatus::Revoked => {
                Err(wrong_status(state, "put on hold"))
            }
        }
    }
}

impl ReleaseLabOrder {
    pub(super) fn decide(self, state: &LabOrder) -> Result<LabOrderEvent, Refusal> {
        match state.status {
            LabOrderStatus::OnHold => Ok(LabOrderEvent::LabOrderReleased { patient: state.patient }),
            LabOrderStatus::Draft | LabOrderStatus::Active | LabOrderStatus::Completed | LabOrderStatus::Revoked => {
                Err(wrong_status(state, "released"))
            }
        }
    }
}

impl RevokeLabOrder {
    pub(super) fn decide(
        self,
        state: &LabOrder,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabOrderEvent, Refusal> {
        match state.status {
            LabOrderStatus::Draft | LabOrderStatus::Active | LabOrderStatus::OnHold => {}
            LabOrderStatus::Completed | LabOrderStatus::Revoked => return Err(wrong_status(state, "revoked")),
        }
        if let Some(report) = facts.holder(&report_claim(LabOrderId(context.target.id))) {
            let detail = "There is a report of this order; have it struck out before the order is revoked.";
            return Err(Refusal::conflict("report-registered", detail).with("report_id", report.id.to_string()));
        }
        let sealed = sealed_reason(Some(self.reason));
        Ok(LabOrderEvent::LabOrderRevoked { patient: state.patient, was: state.status, sealed })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            ActivateLabOrder, LabOrderCommand,
            sample::{bench, code, draft, given_ordered, order_id, state},
        },
        *,
    };
    use crate::testing::{World, body};

    fn hold() -> LabOrderCommand {
        body::<HoldLabOrder>(json!({"reason": "fasting first"})).into()
    }

    fn revoke() -> LabOrderCommand {
        body::<RevokeLabOrder>(json!({"reason": "the patient left"})).into()
    }

    /// An order that has come as far as the status.
    fn given(status: LabOrderStatus) -> World {
        let mut world = bench();
        match status {
            LabOrderStatus::Draft => drop(draft(&mut world, 1, json!({})).unwrap()),
            LabOrderStatus::Completed => drop(crate::lab_report::sample::given_released(&mut world, 1)),
            LabOrderStatus::Active | LabOrderStatus::OnHold | LabOrderStatus::Revoked => {
                given_ordered(&mut world, 1);
            }
        }
        let way: Vec<LabOrderCommand> = match status {
            LabOrderStatus::OnHold => vec![hold()],
            LabOrderStatus::Revoked => vec![revoke()],
            LabOrderStatus::Draft | LabOrderStatus::Active | LabOrderStatus::Completed => vec![],
        };
        for command in way {
            world.lab_order(order_id(1), command).unwrap();
        }
        assert_eq!(state(&world, 1).status, status);
        world
    }

    #[test]
    fn the_way_of_an_order_is_a_table() {
        use LabOrderStatus::{Active, Draft, OnHold, Revoked};
        let table: [(LabOrderCommand, &[(LabOrderStatus, LabOrderStatus)]); 4] = [
            (ActivateLabOrder {}.into(), &[(Draft, Active)]),
            (hold(), &[(Active, OnHold)]),
            (ReleaseLabOrder {}.into(), &[(OnHold, Active)]),
            (revoke(), &[(Draft, Revoked), (Active, Revoked), (OnHold, Revoked)]),
        ];
        for (command, ways) in table {
            for from in <LabOrderStatus as strum::VariantArray>::VARIANTS {
                let mut world = given(*from);
                world.acts(crate::testing::id(super::super::sample::DOCTOR), &[events::Role::Doctor]);
                let result = world.lab_order(order_id(1), command.clone());
                match ways.iter().find(|(allowed, _)| allowed == from) {
                    Some((_, to)) => {
                        result.unwrap();
                        assert_eq!(state(&world, 1).status, *to, "{command:?} from {from}");
                    }
                    None => assert_eq!(code(result), "wrong-status", "{command:?} from {from}"),
                }
            }
        }
    }

    #[test]
    fn an_order_with_a_report_is_not_revoked() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        let report = crate::lab_report::sample::given_registered(&mut world, 1);
        let refusal = world.lab_order(order_id(1), revoke()).unwrap_err();
        assert_eq!(refusal.code, "report-registered");
        assert_eq!(refusal.extra, [("report_id", json!(report))]);
    }
}
