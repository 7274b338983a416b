//! What one person asks for and another agrees to.

use events::{Role, UserId};

use crate::{Context, Facts, Read, Refusal, Usage};

/// How many administrators the clinic has: in a clinic with one, the platform's is the second person.
pub(crate) fn reads() -> Read {
    Read::Counter(Usage::Admins.counter())
}

/// That the actor is somebody else than `first`. The platform's administrator is the second person only where the
/// clinic has no other: `first` is its one administrator.
pub(crate) fn is_second(first: Option<UserId>, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    let alone = facts.counter(&Usage::Admins.counter()) <= 1;
    if context.actor.has(Role::PlatformAdmin) {
        let detail = "The clinic's own administrators agree to this; the platform's only where there is one of them.";
        return if alone { Ok(()) } else { Err(Refusal::forbidden("clinic-agrees", detail)) };
    }
    if first.is_some() && first == context.actor.user {
        let detail = match alone {
            true => "This takes two persons: the platform's administrator has to agree.",
            false => "This takes two persons: another administrator has to agree.",
        };
        return Err(Refusal::forbidden("second-person", detail));
    }
    Ok(())
}
