//! SQL made of the program's own pieces. What comes from a request can only be bound: text is taken from
//! literals alone.

use sqlx::{Arguments, Encode, Postgres, Type, postgres::PgArguments};

/// A piece of a statement with its parameters, numbered in the order in which they are bound.
#[derive(Default)]
pub struct Sql {
    text: String,
    arguments: PgArguments,
    bound: usize,
    /// The first value that could not be encoded.
    unbound: Option<sqlx::error::BoxDynError>,
}

impl Sql {
    pub fn new(text: &'static str) -> Self {
        Self::default().push(text)
    }

    #[must_use]
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Writes `$n` and gives it the value.
    #[must_use]
    pub fn bind<'v, T: Encode<'v, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        let parameter = self.argument(value);
        self.text.push_str(&parameter);
        self
    }

    /// Adds `text $n` where there is a value.
    #[must_use]
    pub fn bind_some<'v, T: Encode<'v, Postgres> + Type<Postgres>>(self, text: &'static str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.push(text).bind(value),
            None => self,
        }
    }

    /// A further parameter, to be named in the text that [`Sql::within`] puts around this.
    pub(crate) fn argument<'v, T: Encode<'v, Postgres> + Type<Postgres>>(&mut self, value: T) -> String {
        if let Err(error) = self.arguments.add(value) {
            self.unbound.get_or_insert(error);
        }
        self.bound += 1;
        format!("${}", self.bound)
    }

    /// The same parameters in another text.
    pub(crate) fn rewritten<E>(self, rewrite: impl FnOnce(&str) -> Result<String, E>) -> Result<Self, E> {
        let text = rewrite(&self.text)?;
        Ok(Self { text, ..self })
    }

    pub(crate) fn within(mut self, before: &str, after: &'static str) -> Self {
        self.text = [before, &self.text, after].concat();
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text and its parameters, ready to be sent.
    pub(crate) fn finish(self) -> Result<(String, PgArguments), sqlx::Error> {
        match self.unbound {
            Some(error) => Err(sqlx::Error::Encode(error)),
            None => Ok((self.text, self.arguments)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_they_are_bound() {
        let sql = Sql::new("SELECT a FROM b WHERE c = ").bind(1_i64);
        let mut sql = sql.bind_some(" AND d = ", None::<i64>).bind_some(" AND e = ", Some("x"));
        let outer = sql.argument(true);
        let (text, _) = sql.within(&format!("{outer}: "), ".").finish().unwrap();
        assert_eq!(text, "$3: SELECT a FROM b WHERE c = $1 AND e = $2.");
    }
}
