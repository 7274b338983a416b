//! The length-prefixed encoding: the one form in which a row is hashed and travels.
//!
//! Each field is four bytes of length (big endian, signed; −1 is null) and so many bytes of content. A
//! UUID is its 16 raw bytes; every integer, whatever its column's width, is 8 bytes big endian; an instant
//! is an integer, microseconds since 1970-01-01T00:00:00Z; text is UTF-8. PostgreSQL makes the same bytes
//! with `int4send`, `uuid_send`, `int8send` and `convert_to` (function `log.row_encoding`).

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Writes fields one after another.
#[derive(Default)]
pub struct FieldWriter(Vec<u8>);

impl FieldWriter {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub fn bytes(&mut self, content: impl AsRef<[u8]>) -> &mut Self {
        let content = content.as_ref();
        let length = i32::try_from(content.len()).expect("a field is smaller than 2 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(content);
        self
    }

    pub fn null(&mut self) -> &mut Self {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    pub fn optional(&mut self, content: Option<impl AsRef<[u8]>>) -> &mut Self {
        match content {
            Some(content) => self.bytes(content),
            None => self.null(),
        }
    }

    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.bytes(value.to_be_bytes())
    }

    pub fn instant(&mut self, at: DateTime<Utc>) -> &mut Self {
        self.integer(at.timestamp_micros())
    }

    pub fn uuid(&mut self, id: Uuid) -> &mut Self {
        self.bytes(id.as_bytes())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("the encoding ends inside a field")]
    CutShort,
    #[error("a field is null that never is")]
    UnexpectedNull,
    #[error("a field has another length than its type")]
    WrongLength,
    #[error("a text is not UTF-8")]
    NotUtf8,
    #[error("an instant lies out of range")]
    OutOfRange,
    #[error("bytes follow the last field")]
    TooLong,
}

/// Reads the fields back, in the order in which they were written.
pub struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    pub fn new(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    pub fn optional(&mut self) -> Result<Option<&'a [u8]>, FieldError> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or(FieldError::CutShort)?;
        let length = i32::from_be_bytes(*length);
        self.0 = rest;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| FieldError::WrongLength)?;
        let (content, rest) = self.0.split_at_checked(length).ok_or(FieldError::CutShort)?;
        self.0 = rest;
        Ok(Some(content))
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], FieldError> {
        self.optional()?.ok_or(FieldError::UnexpectedNull)
    }

    /// A field of exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FieldError> {
        self.optional_array()?.ok_or(FieldError::UnexpectedNull)
    }

    pub fn optional_array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, FieldError> {
        self.optional()?.map(|content| content.try_into().map_err(|_| FieldError::WrongLength)).transpose()
    }

    pub fn integer(&mut self) -> Result<i64, FieldError> {
        self.array().map(i64::from_be_bytes)
    }

    pub fn optional_integer(&mut self) -> Result<Option<i64>, FieldError> {
        Ok(self.optional_array()?.map(i64::from_be_bytes))
    }

    /// An integer whose column is narrower.
    pub fn small(&mut self) -> Result<i16, FieldError> {
        i16::try_from(self.integer()?).map_err(|_| FieldError::OutOfRange)
    }

    pub fn instant(&mut self) -> Result<DateTime<Utc>, FieldError> {
        DateTime::from_timestamp_micros(self.integer()?).ok_or(FieldError::OutOfRange)
    }

    pub fn uuid(&mut self) -> Result<Uuid, FieldError> {
        self.array().map(Uuid::from_bytes)
    }

    pub fn optional_uuid(&mut self) -> Result<Option<Uuid>, FieldError> {
        Ok(self.optional_array()?.map(Uuid::from_bytes))
    }

    pub fn text(&mut self) -> Result<String, FieldError> {
        self.optional_text()?.ok_or(FieldError::UnexpectedNull)
    }

    pub fn optional_text(&mut self) -> Result<Option<String>, FieldError> {
        self.optional()?.map(|content| String::from_utf8(content.to_vec()).map_err(|_| FieldError::NotUtf8)).transpose()
    }

    /// That nothing is left over.
    pub fn end(self) -> Result<(), FieldError> {
        if self.0.is_empty() { Ok(()) } else { Err(FieldError::TooLong) }
    }
}
