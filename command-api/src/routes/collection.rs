//! The routes of one aggregate: a line per command says where it is, which struct its body is, and what it
//! needs of the caller. The rest (authorisation, idempotency, decision, answer) is the same for all.

use std::{borrow::Cow, marker::PhantomData};

use aide::axum::{
    ApiRouter,
    routing::{self, ApiMethodRouter},
};
use axum::{extract::State as AxumState, response::Response};
use domain::{Aggregate, State};
use events::{ClinicId, StreamId};
use http::Method;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use service_kit::{ClinicScope, PlatformScope, Problem};
use uuid::Uuid;

use super::{document::document, needs::Needs};
use crate::{
    app::App,
    handle::{self, Asked},
    incoming::{Incoming, Whole, WithId},
};

/// A body that is a command of the aggregate. The name of its schema is the name of the command: it stands
/// on every event that the command records.
pub trait CommandOf<A: Aggregate>: DeserializeOwned + JsonSchema + Into<A::Command> + Send + Sync + 'static {}

impl<A, C> CommandOf<A> for C
where
    A: Aggregate,
    C: DeserializeOwned + JsonSchema + Into<A::Command> + Send + Sync + 'static,
{
}

/// A command that makes a resource.
pub trait Creates<A: Aggregate>: CommandOf<A> {
    /// It makes a login, whose one-time activation the answer shows.
    const NEEDS_ACTIVATION: bool = false;

    /// The id that the client chose, if any.
    fn chosen_id(&self) -> Option<Uuid>;
}

/// Commands that make a resource of the id in their `id`, where the client chose one.
macro_rules! creates {
    ($aggregate:ty: $($command:ty),+ $(,)?) => {
        $(impl $crate::routes::collection::Creates<$aggregate> for $command {
            fn chosen_id(&self) -> Option<uuid::Uuid> {
                self.id.map(Into::into)
            }
        })+
    };
}
pub(super) use creates;

/// A command that names the resource that it acts on in its body.
pub trait Names {
    fn named(&self) -> Uuid;
}

pub struct Collection<A> {
    /// `/clinic/{slug}/api/v1/patients`
    path: String,
    router: ApiRouter<App>,
    aggregate: PhantomData<A>,
}

impl<A> Collection<A>
where
    A: Aggregate<Command: Clone + Send + Sync>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    /// `/patients` of a clinic; empty for the clinic itself.
    pub fn of_clinic(path: &str) -> Self {
        Self::at(format!("/clinic/{{slug}}/api/v1{path}"))
    }

    /// `/clinics` of the platform.
    pub fn of_platform(path: &str) -> Self {
        Self::at(format!("/api/v1{path}"))
    }

    fn at(path: String) -> Self {
        Self { path, router: ApiRouter::new(), aggregate: PhantomData }
    }

    pub fn router(self) -> ApiRouter<App> {
        self.router
    }

    /// `POST /{collection}`
    pub fn create<C: Creates<A>>(self, needs: Needs<A>) -> Self {
        self.create_at::<C>("", needs)
    }

    /// `POST /{collection}{below}`: another way to make a resource of the collection.
    pub fn create_at<C: Creates<A>>(self, below: &'static str, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |AxumState(app): AxumState<App>, scope: ClinicScope, incoming: Incoming<C, Whole>| async move {
            let chosen = chosen_id(incoming.body.value.chosen_id())?;
            let target = StreamId { kind: A::KIND, id: chosen.unwrap_or_else(Uuid::now_v7) };
            let asked = Asked {
                fresh: chosen.is_none(),
                needs_activation: C::NEEDS_ACTIVATION,
                ..Asked::of(name, scope.clinic(), target)
            };
            let collection = incoming.path.strip_suffix(below).unwrap_or(&incoming.path).to_owned();
            let answered = handle::give(&app, &scope, needs, asked, incoming).await?;
            handle::respond(answered, Some(&collection))
        };
        self.with(below, routing::post_with(handler, document::<A, C>(201)))
    }

    /// `POST /{collection}/{id}/{action}`
    pub fn action<C: CommandOf<A>>(self, action: &str, needs: Needs<A>) -> Self {
        self.on_one::<C>(&Method::POST, &format!("/{{id}}/{action}"), OnOne::new::<C>(needs))
    }

    /// The same, for what a clinic that is suspended, has run out or is closed does as well.
    pub fn action_at_any_time<C: CommandOf<A>>(self, action: &str, needs: Needs<A>) -> Self {
        let how = OnOne { needs_standing: false, ..OnOne::new::<C>(needs) };
        self.on_one::<C>(&Method::POST, &format!("/{{id}}/{action}"), how)
    }

    /// The same, for a command whose answer shows a one-time activation.
    pub fn action_with_activation<C: CommandOf<A>>(self, action: &str, needs: Needs<A>) -> Self {
        let how = OnOne { needs_activation: true, ..OnOne::new::<C>(needs) };
        self.on_one::<C>(&Method::POST, &format!("/{{id}}/{action}"), how)
    }

    /// `PUT /{collection}/{id}`, which must say the version that it replaces.
    pub fn put<C: CommandOf<A>>(self, needs: Needs<A>) -> Self {
        self.on_one::<C>(&Method::PUT, "/{id}", OnOne::new::<C>(needs))
    }

    /// `DELETE /{collection}/{id}`: deactivates, never deletes, and must say the version that it saw.
    pub fn delete<C: CommandOf<A>>(self, needs: Needs<A>) -> Self {
        self.on_one::<C>(&Method::DELETE, "/{id}", OnOne::new::<C>(needs))
    }

    fn on_one<C: CommandOf<A>>(self, method: &Method, below: &str, how: OnOne<A>) -> Self {
        let handler = move |app: AxumState<App>, scope: ClinicScope, incoming: Incoming<C, WithId>| {
            on_one(app, scope, incoming, how)
        };
        let document = document::<A, C>(200);
        let route = match *method {
            Method::PUT => routing::put_with(handler, document),
            Method::DELETE => routing::delete_with(handler, document),
            _ => routing::post_with(handler, document),
        };
        self.with(below, route)
    }

    /// `POST {below}` on the clinic itself.
    pub fn on_clinic<C: CommandOf<A>>(self, below: &str, needs: Needs<A>) -> Self {
        self.post_on_clinic::<C>(below, OnClinic::new::<C>(needs, None))
    }

    /// The same, for what a clinic that is suspended, has run out or is closed does as well.
    pub fn on_clinic_at_any_time<C: CommandOf<A>>(self, below: &str, needs: Needs<A>) -> Self {
        self.post_on_clinic::<C>(below, OnClinic { needs_standing: false, ..OnClinic::new::<C>(needs, None) })
    }

    fn post_on_clinic<C: CommandOf<A>>(self, below: &str, how: OnClinic<A>) -> Self {
        let status = if how.made.is_some() { 201 } else { 200 };
        let handler = move |app: AxumState<App>, scope: ClinicScope, incoming: Incoming<C, Whole>| {
            on_clinic(app, scope, incoming, how)
        };
        self.with(below, routing::post_with(handler, document::<A, C>(status)))
    }

    /// `PATCH {below}` on the clinic itself.
    pub fn patch_clinic<C: CommandOf<A>>(self, below: &str, needs: Needs<A>) -> Self {
        let how = OnClinic::new::<C>(needs, None);
        let handler = move |app: AxumState<App>, scope: ClinicScope, incoming: Incoming<C, Whole>| {
            on_clinic(app, scope, incoming, how)
        };
        self.with(below, routing::patch_with(handler, document::<A, C>(200)))
    }

    /// `POST {below}` adds a part to the clinic; `made` is the member of the answer that names it.
    pub fn add_to_clinic<C: CommandOf<A>>(self, below: &str, made: &'static str, needs: Needs<A>) -> Self {
        self.post_on_clinic::<C>(below, OnClinic::new::<C>(needs, Some(made)))
    }

    /// The same, for what a clinic that is suspended, has run out or is closed does as well.
    pub fn add_to_clinic_at_any_time<C>(self, below: &str, made: &'static str, needs: Needs<A>) -> Self
    where
        C: CommandOf<A>,
    {
        self.post_on_clinic::<C>(below, OnClinic { needs_standing: false, ..OnClinic::new::<C>(needs, Some(made)) })
    }

    /// `POST /{collection}/{id}/{action}` by the platform, on a clinic.
    pub fn by_platform<C: CommandOf<A>>(self, action: &str, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |AxumState(app): AxumState<App>, scope: PlatformScope, incoming: Incoming<C, WithId>| async move {
            let clinic = ClinicId(incoming.target.0);
            let asked = Asked {
                needs_standing: false,
                expected_version: incoming.if_match.0,
                ..Asked::of(name, clinic, clinic.into())
            };
            handle::respond(handle::give(&app, &scope, needs, asked, incoming).await?, None)
        };
        self.with(&format!("/{{id}}/{action}"), routing::post_with(handler, document::<A, C>(200)))
    }

    /// The same, on a resource of the clinic which the body names.
    pub fn by_platform_within<C: CommandOf<A> + Names>(self, action: &str, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |AxumState(app): AxumState<App>, scope: PlatformScope, incoming: Incoming<C, WithId>| async move {
            let target = StreamId { kind: A::KIND, id: incoming.body.value.named() };
            let asked = Asked { needs_standing: false, ..Asked::of(name, ClinicId(incoming.target.0), target) };
            handle::respond(handle::give(&app, &scope, needs, asked, incoming).await?, None)
        };
        self.with(&format!("/{{id}}/{action}"), routing::post_with(handler, document::<A, C>(200)))
    }

    /// `POST /{collection}` of the platform, in its own ledger.
    pub fn create_on_platform<C: Creates<A>>(self, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |AxumState(app): AxumState<App>, scope: PlatformScope, incoming: Incoming<C, Whole>| async move {
            let chosen = chosen_id(incoming.body.value.chosen_id())?;
            let target = StreamId { kind: A::KIND, id: chosen.unwrap_or_else(Uuid::now_v7) };
            let asked = Asked { fresh: chosen.is_none(), ..Asked::of(name, ClinicId::PLATFORM, target) };
            let collection = incoming.path.clone();
            handle::respond(handle::give(&app, &scope, needs, asked, incoming).await?, Some(&collection))
        };
        self.with("", routing::post_with(handler, document::<A, C>(201)))
    }

    /// `PUT /{collection}/{id}` of the platform, in its own ledger; it must say the version that it replaces.
    pub fn put_on_platform<C: CommandOf<A>>(self, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |app: AxumState<App>, scope: PlatformScope, incoming: Incoming<C, WithId>| {
            on_platform(app, scope, incoming, name, needs)
        };
        self.with("/{id}", routing::put_with(handler, document::<A, C>(200)))
    }

    /// `POST /{collection}/{id}/{action}` of the platform, in its own ledger.
    pub fn action_on_platform<C: CommandOf<A>>(self, action: &str, needs: Needs<A>) -> Self {
        let name = command_name::<C>();
        let handler = move |app: AxumState<App>, scope: PlatformScope, incoming: Incoming<C, WithId>| {
            on_platform(app, scope, incoming, name, needs)
        };
        self.with(&format!("/{{id}}/{action}"), routing::post_with(handler, document::<A, C>(200)))
    }

    fn with(mut self, below: &str, route: ApiMethodRouter<App>) -> Self {
        self.router = self.router.api_route(&format!("{}{below}", self.path), route);
        self
    }
}

/// How a command acts on one resource of its collection.
struct OnOne<A: Aggregate> {
    name: &'static str,
    needs: Needs<A>,
    needs_activation: bool,
    needs_standing: bool,
}

impl<A: Aggregate> OnOne<A> {
    fn new<C: JsonSchema>(needs: Needs<A>) -> Self {
        Self { name: command_name::<C>(), needs, needs_activation: false, needs_standing: true }
    }
}

/// How a command acts on the clinic itself.
struct OnClinic<A: Aggregate> {
    name: &'static str,
    needs: Needs<A>,
    made: Option<&'static str>,
    needs_standing: bool,
}

impl<A: Aggregate> OnClinic<A> {
    fn new<C: JsonSchema>(needs: Needs<A>, made: Option<&'static str>) -> Self {
        Self { name: command_name::<C>(), needs, made, needs_standing: true }
    }
}

// By hand: a derived one would ask it of the aggregate.
impl<A: Aggregate> Clone for OnOne<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Aggregate> Copy for OnOne<A> {}

impl<A: Aggregate> Clone for OnClinic<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Aggregate> Copy for OnClinic<A> {}

/// What replaces or deactivates must say which version it saw.
async fn on_one<A, C>(
    AxumState(app): AxumState<App>,
    scope: ClinicScope,
    incoming: Incoming<C, WithId>,
    how: OnOne<A>,
) -> Result<Response, Problem>
where
    A: Aggregate<Command: Clone + Send + Sync>,
    C: CommandOf<A>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let expected_version = match incoming.method {
        Method::PUT | Method::DELETE => Some(incoming.if_match.required()?),
        _ => incoming.if_match.0,
    };
    let target = StreamId { kind: A::KIND, id: incoming.target.0 };
    let asked = Asked {
        expected_version,
        needs_activation: how.needs_activation,
        needs_standing: how.needs_standing,
        ..Asked::of(how.name, scope.clinic(), target)
    };
    handle::respond(handle::give(&app, &scope, how.needs, asked, incoming).await?, None)
}

async fn on_platform<A, C>(
    AxumState(app): AxumState<App>,
    scope: PlatformScope,
    incoming: Incoming<C, WithId>,
    name: &'static str,
    needs: Needs<A>,
) -> Result<Response, Problem>
where
    A: Aggregate<Command: Clone + Send + Sync>,
    C: CommandOf<A>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let expected_version = match incoming.method {
        Method::PUT => Some(incoming.if_match.required()?),
        _ => incoming.if_match.0,
    };
    let target = StreamId { kind: A::KIND, id: incoming.target.0 };
    let asked = Asked { expected_version, ..Asked::of(name, ClinicId::PLATFORM, target) };
    handle::respond(handle::give(&app, &scope, needs, asked, incoming).await?, None)
}

async fn on_clinic<A, C>(
    AxumState(app): AxumState<App>,
    scope: ClinicScope,
    incoming: Incoming<C, Whole>,
    how: OnClinic<A>,
) -> Result<Response, Problem>
where
    A: Aggregate<Command: Clone + Send + Sync>,
    C: CommandOf<A>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let clinic = scope.clinic();
    let expected_version = incoming.if_match.0;
    let (made, needs_standing) = (how.made, how.needs_standing);
    let asked = Asked { expected_version, made, needs_standing, ..Asked::of(how.name, clinic, clinic.into()) };
    let collection = how.made.map(|_| incoming.path.clone());
    handle::respond(handle::give(&app, &scope, how.needs, asked, incoming).await?, collection.as_deref())
}

/// Once per route, at start.
fn command_name<C: JsonSchema>() -> &'static str {
    match C::schema_name() {
        Cow::Borrowed(name) => name,
        Cow::Owned(name) => name.leak(),
    }
}

/// Ids are UUIDv7, so that what is made later sorts later.
pub fn chosen_id(chosen: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
    match chosen {
        Some(id) if id.get_version_num() != 7 => Err(Problem::invalid("/id", "An id that is chosen is a UUIDv7.")),
        chosen => Ok(chosen),
    }
}
