//! The part of an event that says something about a person.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Personal content of an event. It is encrypted in the log under a key of its own; once the key is
/// destroyed it reads as [`Sealed::Erased`], which every `evolve` and every fold accepts.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub enum Sealed<T> {
    Open(T),
    Erased,
}

impl<T> Sealed<T> {
    pub fn open(&self) -> Option<&T> {
        match self {
            Self::Open(content) => Some(content),
            Self::Erased => None,
        }
    }

    pub fn into_open(self) -> Option<T> {
        match self {
            Self::Open(content) => Some(content),
            Self::Erased => None,
        }
    }
}

impl<T> Default for Sealed<T> {
    /// What a reader without the key has.
    fn default() -> Self {
        Self::Erased
    }
}

impl<T> From<T> for Sealed<T> {
    fn from(content: T) -> Self {
        Self::Open(content)
    }
}

impl<T: Serialize> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.open().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Erased, Self::Open))
    }
}
