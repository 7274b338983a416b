//! A row of a read model as PostgreSQL reads it: one text, or none, for each column.

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A column of a read model's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As `format_type` says it: `timestamp with time zone`.
    pub(crate) sql_type: String,
}

impl Column {
    fn is_json(&self) -> bool {
        self.sql_type == "jsonb"
    }
}

pub(crate) type Text<'j> = Option<Cow<'j, str>>;

/// The values of a row, in the order of `columns`, out of its JSON. An error where the row and the table
/// do not have the same columns.
pub(crate) fn texts<'j>(json: &'j str, columns: &[Column]) -> Result<Vec<Text<'j>>, serde_json::Error> {
    serde_json::Deserializer::from_str(json).deserialize_map(Split(columns))
}

struct Split<'c>(&'c [Column]);

impl<'de> Visitor<'de> for Split<'_> {
    type Value = Vec<Text<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a row with the columns of its table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts: Self::Value = vec![None; self.0.len()];
        let mut seen = 0;
        while let Some((name, value)) = map.next_entry::<&'de str, &'de RawValue>()? {
            // Fields and columns stand in the same order, as a rule.
            let index = match self.0.get(seen) {
                Some(column) if column.name == name => Some(seen),
                _ => self.0.iter().position(|column| column.name == name),
            };
            let index =
                index.ok_or_else(|| serde::de::Error::custom(format_args!("no column for the field {name}")))?;
            texts[index] = text(value.get(), self.0[index].is_json()).map_err(serde::de::Error::custom)?;
            seen += 1;
        }
        if seen == self.0.len() { Ok(texts) } else { Err(serde::de::Error::custom("the table has further columns")) }
    }
}

fn text(json: &str, is_json: bool) -> Result<Text<'_>, serde_json::Error> {
    Ok(match json.strip_prefix('"') {
        _ if json == "null" => None,
        _ if is_json => Some(json.into()),
        None => Some(json.into()),
        Some(quoted) if !quoted.contains('\\') => Some(quoted[..quoted.len() - 1].into()),
        Some(_) => Some(serde_json::from_str::<String>(json)?.into()),
    })
}

/// Appends the values as one line of COPY's text format.
pub(crate) fn copy_line(line: &mut Vec<u8>, clinic: &str, texts: &[Text<'_>]) {
    line.extend_from_slice(clinic.as_bytes());
    for text in texts {
        line.push(b'\t');
        match text {
            None => line.extend_from_slice(br"\N"),
            Some(text) => escape(line, text.as_bytes()),
        }
    }
    line.push(b'\n');
}

fn escape(line: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            b'\r' => line.extend_from_slice(br"\r"),
            b'\t' => line.extend_from_slice(br"\t"),
            byte => line.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let column = |(name, sql_type): (&str, &str)| Column { name: name.to_owned(), sql_type: sql_type.to_owned() };
        [("id", "uuid"), ("name", "text"), ("tags", "jsonb"), ("count", "bigint")].map(column).to_vec()
    }

    #[test]
    fn each_field_goes_to_its_column() {
        let texts = texts(r#"{"id":"1","tags":["a","\"b"],"name":"l\nm\\","count":null}"#, &columns()).unwrap();
        let texts: Vec<_> = texts.iter().map(Option::as_deref).collect();
        assert_eq!(texts, [Some("1"), Some("l\nm\\"), Some(r#"["a","\"b"]"#), None]);
    }

    #[test]
    fn a_json_column_keeps_a_quoted_text() {
        let texts = texts(r#"{"id":"1","name":"n","tags":"t","count":2}"#, &columns()).unwrap();
        assert_eq!(texts[2].as_deref(), Some(r#""t""#));
    }

    #[test]
    fn a_row_without_a_column_or_with_another_is_an_error() {
        assert!(texts(r#"{"id":"1","name":"n","tags":[]}"#, &columns()).is_err());
        assert!(texts(r#"{"id":"1","name":"n","tags":[],"weight":1}"#, &columns()).is_err());
    }

    #[test]
    fn a_line_of_copy_has_no_bare_separators() {
        let mut line = Vec::new();
        copy_line(&mut line, "c", &[Some("a\tb\nc\\".into()), None]);
        assert_eq!(line, b"c\ta\\tb\\nc\\\\\t\\N\n");
    }
}
