//! The order of a list, and where its next page begins.

use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

use crate::sql::Sql;

/// An order by a key that ends with the id, so that no two rows are equal: a page begins right after the last
/// row of the one before, whatever was added in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    /// `(a.start, a.id)`
    key: &'static str,
    after: &'static str,
    /// `a.start DESC, a.id DESC`
    order: &'static str,
}

impl Sort {
    pub(crate) fn ascending(key: &'static str, order: &'static str) -> Self {
        Self { key, after: " > (", order }
    }

    pub(crate) fn descending(key: &'static str, order: &'static str) -> Self {
        Self { key, after: " < (", order }
    }

    /// Adds the condition, the order and the limit.
    pub(crate) fn page<'v, K>(self, sql: Sql, after: Option<(K, Uuid)>, limit: i64) -> Sql
    where
        K: Encode<'v, Postgres> + Type<Postgres>,
    {
        let sql = match after {
            Some((key, id)) => {
                sql.push(" AND ").push(self.key).push(self.after).bind(key).push(", ").bind(id).push(")")
            }
            None => sql,
        };
        sql.push(" ORDER BY ").push(self.order).push(" LIMIT ").bind(limit)
    }
}
