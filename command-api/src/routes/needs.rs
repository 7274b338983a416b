//! What a command needs of its caller: a capability of the roles matrix, and what its limited cells mean.

use std::sync::Arc;

use domain::Aggregate;
use service_kit::{Authenticated, Capability, Limit, Need, Problem};

use crate::execute::{Guard, Reached};

/// Whether a command lies within the caller's limited right.
pub type Within<A> = fn(&Authenticated, &Reached<'_, A>) -> bool;

pub struct Needs<A: Aggregate> {
    capability: Capability,
    limits: &'static [(Limit, Within<A>)],
    /// Another capability that is enough for some commands.
    or: Option<(Capability, Within<A>)>,
}

impl<A: Aggregate> Clone for Needs<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Aggregate> Copy for Needs<A> {}

impl<A: Aggregate> Needs<A> {
    /// Only a full right is enough.
    pub const fn all(capability: Capability) -> Self {
        Self { capability, limits: &[], or: None }
    }

    /// A limited right is enough, where the function beside the limit says that the command lies within it.
    pub const fn within(capability: Capability, limits: &'static [(Limit, Within<A>)]) -> Self {
        Self { capability, limits, or: None }
    }

    /// A full right to another capability is enough for those commands that the function names.
    pub const fn or(self, capability: Capability, within: Within<A>) -> Self {
        Self { or: Some((capability, within)), ..self }
    }

    /// 403, recorded, if the roles do not allow it at all; a guard on the state, if they allow some of it.
    pub async fn check(&self, who: &Authenticated) -> Result<Option<Guard<A>>, Problem> {
        let reach = who.grant(self.capability).write;
        if reach.is_everything() {
            return Ok(None);
        }
        let covered = self.limits.iter().filter(|(limit, _)| reach.covers(*limit)).map(|(_, within)| *within);
        let other = self.or.filter(|(other, _)| who.grant(*other).write.is_everything()).map(|(_, within)| within);
        let within: Vec<Within<A>> = covered.chain(other).collect();
        if within.is_empty() {
            return Err(self.refuse(who).await);
        }
        let who = who.clone();
        Ok(Some(Arc::new(move |reached| within.iter().any(|within| within(&who, reached)))))
    }

    /// What a refusal is recorded and answered as.
    pub async fn refuse(&self, who: &Authenticated) -> Problem {
        who.refuse(self.capability, Need::Write).await
    }
}
