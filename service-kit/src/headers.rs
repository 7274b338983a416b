//! The request and response headers of the API's own.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{HeaderStyle, Operation, Parameter, ParameterData, ParameterSchemaOrContent, SchemaObject},
    operation::add_parameters,
};
use axum::extract::FromRequestParts;
use events::Position;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use schemars::JsonSchema;

use crate::problem::Problem;

/// The clinic's position that an answer reflects, or that a command reached.
pub const CASEBOOK_POSITION: HeaderName = HeaderName::from_static("casebook-position");
/// The position that an answer must at least reflect.
pub const CASEBOOK_MIN_POSITION: HeaderName = HeaderName::from_static("casebook-min-position");
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const KEY_CHARS_MAX: usize = 255;

/// `Casebook-Min-Position`: read your own writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinPosition(pub Option<Position>);

/// `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

/// The header that tells the position of an answer.
pub fn position_header(position: Position) -> (HeaderName, HeaderValue) {
    (CASEBOOK_POSITION, HeaderValue::from(position))
}

/// The one value of a header, as text; 400 when it is given twice or is no text.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text.trim())),
        _ => Err(Problem::bad_header(format!("{name} must be given once, as visible characters."))),
    }
}

impl MinPosition {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = single(headers, &CASEBOOK_MIN_POSITION)? else { return Ok(Self(None)) };
        match text.parse::<Position>() {
            Ok(position) if position >= 0 => Ok(Self(Some(position))),
            _ => Err(Problem::bad_header("Casebook-Min-Position must be a whole number, 0 or more.")),
        }
    }
}

impl IdempotencyKey {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = single(headers, &IDEMPOTENCY_KEY)? else { return Ok(Self(None)) };
        let fits = (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        match fits {
            true => Ok(Self(Some(text.to_owned()))),
            false => Err(Problem::bad_header("Idempotency-Key must be 1 to 255 visible ASCII characters.")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MinPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

impl OperationInput for MinPosition {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let about = "The answer must be at least as new as this position; else 503 `projection-lag`.";
        document::<Position>(ctx, operation, "Casebook-Min-Position", about, false);
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let about = "The same key and body give the first answer again, for 48 hours.";
        document::<String>(ctx, operation, "Idempotency-Key", about, false);
    }
}

/// Adds a request header to the documentation of an operation.
pub(crate) fn document<T: JsonSchema>(
    ctx: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    about: &str,
    required: bool,
) {
    let json_schema = ctx.schema.subschema_for::<T>();
    let schema = SchemaObject { json_schema, external_docs: None, example: None };
    let parameter_data = ParameterData {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    add_parameters(ctx, operation, [Parameter::Header { parameter_data, style: HeaderStyle::Simple }]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_key_is_visible_ascii() {
        let read = |value: &str| IdempotencyKey::read(&header(&IDEMPOTENCY_KEY, value));
        assert_eq!(read("k-1").unwrap(), IdempotencyKey(Some("k-1".to_owned())));
        assert!(read(&"k".repeat(255)).is_ok());
        for wrong in [String::new(), "k".repeat(256), "two words".to_owned()] {
            assert_eq!(read(&wrong).unwrap_err().code(), "invalid-header", "{wrong}");
        }
        assert_eq!(IdempotencyKey::read(&HeaderMap::new()).unwrap(), IdempotencyKey(None));
    }

    #[test]
    fn a_header_given_twice_is_refused() {
        let mut headers = header(&IDEMPOTENCY_KEY, "one");
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("two"));
        assert_eq!(IdempotencyKey::read(&headers).unwrap_err().code(), "invalid-header");
    }

    #[test]
    fn a_position_is_a_whole_number() {
        let read = |value: &str| MinPosition::read(&header(&CASEBOOK_MIN_POSITION, value));
        assert_eq!(read("42").unwrap(), MinPosition(Some(42)));
        for wrong in ["-1", "1.5", "x", "", "99999999999999999999"] {
            assert_eq!(read(wrong).unwrap_err().code(), "invalid-header", "{wrong}");
        }
    }
}
