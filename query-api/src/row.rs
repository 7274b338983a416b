//! A row of a query as the serde fields of a type say: column by column, each under the field's name. The
//! rows of the read models are stored that way, so what was folded is read back without a list of columns.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{
    Deserialize, Deserializer, de,
    de::{IntoDeserializer, value::StrDeserializer},
    forward_to_deserialize_any,
};
use sqlx::{
    Column, Decode, Postgres, Row, TypeInfo, ValueRef,
    postgres::{PgColumn, PgRow, PgValueRef},
};
use uuid::Uuid;

/// Columns whose name begins so are the program's own and no field.
pub(crate) const OWN_COLUMN: char = '#';
/// The first byte of a `jsonb` on the wire.
const JSONB_VERSION: u8 = 1;

/// Why a row is not what was expected: always a fault of the program, never of a request.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("column {column}: {source}")]
    Column { column: String, source: Box<RowError> },
    #[error("no value of the type {0} is expected")]
    Type(String),
    #[error(transparent)]
    Value(#[from] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Values are not repeated: a message may end in a log.
    #[error("does not have the shape of the field")]
    Shape,
}

impl de::Error for RowError {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Shape
    }
}

/// Reads a row.
pub fn read<'r, T: Deserialize<'r>>(row: &'r PgRow) -> Result<T, RowError> {
    T::deserialize(RowReader(row))
}

struct RowReader<'r>(&'r PgRow);

impl<'r> Deserializer<'r> for RowReader<'r> {
    type Error = RowError;

    fn deserialize_any<V: de::Visitor<'r>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_map(Columns { row: self.0, columns: self.0.columns().iter(), next: None })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'r>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Columns<'r> {
    row: &'r PgRow,
    columns: std::slice::Iter<'r, PgColumn>,
    next: Option<&'r PgColumn>,
}

impl<'r> de::MapAccess<'r> for Columns<'r> {
    type Error = RowError;

    fn next_key_seed<K: de::DeserializeSeed<'r>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        self.next = self.columns.find(|column| !column.name().starts_with(OWN_COLUMN));
        self.next.map(|column| seed.deserialize(StrDeserializer::new(column.name()))).transpose()
    }

    fn next_value_seed<V: de::DeserializeSeed<'r>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        let column = self.next.take().ok_or(RowError::Shape)?;
        let value = Value(self.row.try_get_raw(column.ordinal())?);
        let at = |source| RowError::Column { column: column.name().to_owned(), source: Box::new(source) };
        seed.deserialize(value).map_err(at)
    }
}

/// One value, in PostgreSQL's binary format.
struct Value<'r>(PgValueRef<'r>);

impl<'r> Value<'r> {
    fn decode<T: Decode<'r, Postgres>>(self) -> Result<T, RowError> {
        Ok(T::decode(self.0)?)
    }

    /// The text of a `json` or `jsonb`.
    fn json(self) -> Result<&'r [u8], RowError> {
        let bytes = self.0.as_bytes()?;
        Ok(bytes.strip_prefix(&[JSONB_VERSION]).unwrap_or(bytes))
    }
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl<'r> Deserializer<'r> for Value<'r> {
    type Error = RowError;

    fn deserialize_any<V: de::Visitor<'r>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.0.is_null() {
            return visitor.visit_unit();
        }
        let kind = self.0.type_info().into_owned();
        match kind.name() {
            "TEXT" | "VARCHAR" | "NAME" => visitor.visit_borrowed_str(self.0.as_str()?),
            "UUID" => visitor.visit_str(self.decode::<Uuid>()?.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            "TIMESTAMPTZ" => visitor.visit_string(written(self.decode()?)),
            "DATE" => visitor.visit_string(self.decode::<NaiveDate>()?.to_string()),
            "BOOL" => visitor.visit_bool(self.decode()?),
            "INT2" => visitor.visit_i16(self.decode()?),
            "INT4" => visitor.visit_i32(self.decode()?),
            "INT8" => visitor.visit_i64(self.decode()?),
            "FLOAT8" => visitor.visit_f64(self.decode()?),
            "JSON" | "JSONB" => Ok(serde_json::Deserializer::from_slice(self.json()?).deserialize_any(visitor)?),
            "UUID[]" => seq(self.decode::<Vec<Uuid>>()?.iter().map(Uuid::to_string), visitor),
            "TEXT[]" => seq(self.decode::<Vec<String>>()?.into_iter(), visitor),
            other => Err(RowError::Type(other.to_owned())),
        }
    }

    fn deserialize_option<V: de::Visitor<'r>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0.is_null() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'r>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    /// A code of state, or a JSON value with its tag.
    fn deserialize_enum<V: de::Visitor<'r>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        if matches!(self.0.type_info().name(), "JSON" | "JSONB") {
            let json = self.json()?;
            return Ok(serde_json::Deserializer::from_slice(json).deserialize_enum(name, variants, visitor)?);
        }
        visitor.visit_enum(IntoDeserializer::<RowError>::into_deserializer(self.0.as_str()?))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'r>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn seq<'r, V: de::Visitor<'r>>(items: impl Iterator<Item = String>, visitor: V) -> Result<V::Value, RowError> {
    visitor.visit_seq(de::value::SeqDeserializer::new(items))
}
