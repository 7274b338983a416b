//! JSON schemas as people read them: a type in words, a table of fields, an example.

use serde_json::{Map, Value, json};

use super::html::{anchor, escape, inline};

const DEPTH_MAX: usize = 6;
/// Of an object without required fields an example shows so many.
const OPTIONAL_FIELDS_SHOWN: usize = 3;
const REFERENCE: &str = "#/components/schemas/";

/// The schemas of a document, to look references up in.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a>(pub Option<&'a Map<String, Value>>);

/// The name that a schema refers to, also through a lone `allOf`.
fn reference(schema: &Value) -> Option<&str> {
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return reference(only);
    }
    schema["$ref"].as_str()?.strip_prefix(REFERENCE)
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array())
}

/// The type in words, with links to the named schemas.
pub(super) fn type_html(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return format!("<a href=\"#schema-{}\">{}</a>", anchor(name), escape(name));
    }
    if let Some(constant) = schema.get("const") {
        return literal(constant);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(literal).collect::<Vec<_>>().join(" | ");
    }
    if let Some(options) = alternatives(schema) {
        return options.iter().map(type_html).collect::<Vec<_>>().join(" | ");
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(|one| named_type(one, schema)).collect::<Vec<_>>().join(" | "),
        one => named_type(one, schema),
    }
}

fn literal(value: &Value) -> String {
    format!("<code>{}</code>", escape(&value.to_string()))
}

fn named_type(kind: &Value, schema: &Value) -> String {
    match kind.as_str() {
        Some("array") => format!("list of {}", type_html(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map of {}", type_html(&schema["additionalProperties"]))
        }
        Some("null") => "null".to_owned(),
        Some(name) => match schema["format"].as_str() {
            Some(format) => format!("{} <small>{}</small>", escape(name), escape(format)),
            None => escape(name),
        },
        None => "any".to_owned(),
    }
}

impl<'a> Schemas<'a> {
    fn resolve(self, schema: &'a Value) -> &'a Value {
        let named = reference(schema).and_then(|name| self.0?.get(name));
        named.unwrap_or(schema)
    }

    /// The fields of an object, or its variants; for anything else its type.
    pub(super) fn body_html(self, schema: &'a Value) -> String {
        let resolved = self.resolve(schema);
        if let Some(fields) = resolved["properties"].as_object() {
            return self.fields_html(fields, resolved);
        }
        match alternatives(resolved) {
            Some(options) => options.iter().map(|option| self.variant_html(option)).collect(),
            None => format!("<p class=\"type\">{}</p>", type_html(resolved)),
        }
    }

    fn variant_html(self, option: &'a Value) -> String {
        let about = option["description"].as_str().map(inline).unwrap_or_default();
        match option["properties"].as_object() {
            Some(fields) => format!("<div class=\"variant\"><p>{about}</p>{}</div>", self.fields_html(fields, option)),
            None => format!("<p class=\"type\">{} {about}</p>", type_html(option)),
        }
    }

    fn fields_html(self, fields: &'a Map<String, Value>, schema: &Value) -> String {
        let row = |(name, field): (&String, &'a Value)| self.row_html(name, field, None, is_required(schema, name));
        format!("<table><tbody>{}</tbody></table>", fields.iter().map(row).collect::<String>())
    }

    /// One row of a table of fields or parameters. `about` is what a parameter says beside its schema.
    pub(super) fn row_html(self, name: &str, schema: &'a Value, about: Option<&'a str>, required: bool) -> String {
        let mark = if required { "<span class=\"required\">required</span>" } else { "" };
        format!(
            "<tr><th><code>{}</code>{mark}</th><td class=\"type\">{}</td><td>{}{}</td></tr>",
            escape(name),
            type_html(schema),
            about.or_else(|| self.about(schema)).map(inline).unwrap_or_default(),
            limits_html(schema),
        )
    }

    /// What a schema says of itself, or the named one that it refers to: its first paragraph.
    fn about(self, schema: &'a Value) -> Option<&'a str> {
        let named = || {
            let options = alternatives(schema).into_iter().flatten();
            let name = std::iter::once(schema).chain(options).find_map(reference)?;
            self.0?.get(name)?["description"].as_str()?.split("\n\n").next()
        };
        schema["description"].as_str().or_else(named)
    }

    /// An example that the schema accepts, as far as a schema says what it accepts.
    pub(super) fn example(self, schema: &'a Value) -> Value {
        self.example_at(schema, 0)
    }

    fn example_at(self, schema: &'a Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        let given = [&schema["examples"][0], &schema["const"], &schema["enum"][0]];
        if let Some(value) = given.into_iter().find(|value| !value.is_null()) {
            return value.clone();
        }
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(options) = alternatives(schema) {
            let first = options.iter().find(|option| option["type"] != "null");
            return first.map_or(Value::Null, |option| self.example_at(option, depth + 1));
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("object") => self.example_object(schema, depth),
            Some("array") => json!([self.example_at(&schema["items"], depth + 1)]),
            Some("string") => example_text(schema).into(),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }

    fn example_object(self, schema: &'a Value, depth: usize) -> Value {
        let Some(fields) = schema["properties"].as_object() else { return json!({}) };
        let required = |name: &str| is_required(schema, name);
        let any = fields.keys().any(|name| required(name));
        let shown = fields.iter().enumerate().filter(|(index, (name, _))| match any {
            true => required(name),
            false => *index < OPTIONAL_FIELDS_SHOWN,
        });
        shown.map(|(_, (name, field))| (name.clone(), self.example_at(field, depth + 1))).collect::<Map<_, _>>().into()
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one == name))
}

fn example_text(schema: &Value) -> &'static str {
    match schema["format"].as_str() {
        Some("uuid") => "0199f0a4-7c1e-7b3a-9d52-3f6f0c2b8e11",
        Some("date") => "2026-03-14",
        Some("date-time") => "2026-03-14T09:30:00Z",
        Some("email") => "desk@example.org",
        _ => "…",
    }
}

fn limits_html(schema: &Value) -> String {
    let named = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "length at least"),
        ("maxLength", "length at most"),
        ("minItems", "items at least"),
        ("maxItems", "items at most"),
        ("pattern", "pattern"),
        ("default", "default"),
    ];
    let given = named.iter().filter_map(|(key, words)| Some((words, schema.get(*key)?)));
    given.filter(|(_, value)| !value.is_null()).map(limit_html).collect()
}

fn limit_html((words, value): (&&str, &Value)) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!(" <span class=\"limit\">{words} <code>{}</code></span>", escape(&text))
}
