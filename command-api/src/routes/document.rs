//! What `/docs` says of a command, all of it taken from the command's own type.

use aide::transform::TransformOperation;
use domain::Aggregate;
use events::AggregateKind;
use schemars::{JsonSchema, schema_for};
use service_kit::Json;

use crate::answer::Answer;

/// The command's doc comment is its description, the first sentence its summary.
pub fn document<A: Aggregate, C: JsonSchema>(
    status: u16,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |operation| {
        let description = description::<C>();
        let summary = description.split(['.', ':', ';']).next().unwrap_or_default().to_owned();
        let operation = operation.id(&C::schema_name()).summary(&summary).description(&description).tag(&tag(A::KIND));
        match status {
            201 => operation.response::<201, Json<Answer>>(),
            _ => operation.response::<200, Json<Answer>>(),
        }
    }
}

/// As the query API groups what it answers: `Patients`.
fn tag(kind: AggregateKind) -> String {
    let (first, rest) = kind.as_str().split_at(1);
    let name = first.to_uppercase() + &rest.replace('_', " ");
    match (kind, name.strip_suffix('y')) {
        (AggregateKind::Clinic | AggregateKind::Staff, _) => name,
        // `Case studies`, but `Short keys`.
        (_, Some(stem)) if !stem.ends_with('e') => format!("{stem}ies"),
        _ => format!("{name}s"),
    }
}

fn description<C: JsonSchema>() -> String {
    let schema = schema_for!(C);
    let text = schema.get("description").and_then(|text| text.as_str()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
