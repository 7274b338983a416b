//! Commands on clinical notes.

use aide::axum::ApiRouter;
use domain::{
    Note,
    note::{AddNoteAddendum, AmendNote, CosignNote, ReleaseNote, RetractNote, SaveNoteDraft, SignNote, StartNote},
};
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

/// Doctors write all notes, nurses their own. Who may change a draft, and who may sign, the rules say.
const WRITE: Needs<Note> = Needs::within(Capability::Notes, &[(Limit::Own, is_own)]);
const DOCTORS: Needs<Note> = Needs::all(Capability::Notes);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/notes")
        .create::<StartNote>(WRITE)
        .action::<SaveNoteDraft>("save-draft", WRITE)
        .action::<SignNote>("sign", WRITE)
        .action::<CosignNote>("cosign", DOCTORS)
        .action::<AddNoteAddendum>("add-addendum", WRITE)
        .action::<AmendNote>("amend", WRITE)
        .action::<ReleaseNote>("release", WRITE)
        .action::<RetractNote>("retract", WRITE)
        .router()
}

/// A note that is not there yet will be the actor's own.
fn is_own(who: &Authenticated, reached: &Reached<'_, Note>) -> bool {
    reached.state.is_none_or(|note| note.author == who.user())
}

creates!(Note: StartNote);
