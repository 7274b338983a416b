//! The page itself: everything in one file, readable without scripts; a script only searches and copies.

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    html::{anchor, escape, inline, prose},
    problems,
    schema::Schemas,
};
use crate::problem::Kind;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Where the examples send their requests.
const EXAMPLE_ORIGIN: &str = "http://127.0.0.1:8080";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    about: &'a Value,
}

/// Only this page's own style and script may run, and nothing may be loaded.
pub(super) fn policy() -> HeaderValue {
    let hash = |text: &str| BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    HeaderValue::try_from(policy).expect("base64 is a header value")
}

pub(super) fn render(document: &Value, kinds: &[Kind]) -> String {
    let schemas = Schemas(document["components"]["schemas"].as_object());
    let groups = groups(document);
    let title = escape(document["info"]["title"].as_str().unwrap_or_default());
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>{nav}<main>{intro}{operations}{problems}{schemas}</main>\
         <script>{SCRIPT}</script></body></html>",
        nav = nav(&title, &groups),
        intro = intro(&title, document),
        operations = groups.iter().map(|(name, group)| section(name, group, schemas)).collect::<String>(),
        problems = problems::render(kinds),
        schemas = schema_section(schemas),
    )
}

/// By tag; without one, by the first word of the address that says something.
fn groups(document: &Value) -> IndexMap<String, Vec<Operation<'_>>> {
    let mut groups: IndexMap<String, Vec<Operation<'_>>> = IndexMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(about) = item.get(method) {
                let group = about["tags"][0].as_str().map_or_else(|| group_of(path), str::to_owned);
                groups.entry(group).or_default().push(Operation { method, path, about });
            }
        }
    }
    groups
}

fn group_of(path: &str) -> String {
    let rest = path.strip_prefix("/clinic/{slug}/api/v1").or_else(|| path.strip_prefix("/api/v1")).unwrap_or(path);
    let word = rest.split('/').find(|word| !word.is_empty()).unwrap_or("clinic");
    word.replace('-', " ")
}

impl Operation<'_> {
    fn id(&self) -> String {
        anchor(&format!("{} {}", self.method, self.path))
    }

    fn summary(&self) -> &str {
        let text = self.about["summary"].as_str().or_else(|| self.about["description"].as_str()).unwrap_or_default();
        text.lines().next().unwrap_or_default()
    }

    fn badge(&self) -> String {
        format!("<span class=\"method {0}\">{0}</span>", self.method)
    }

    /// The address, its parameters set apart.
    fn path_html(&self) -> String {
        escape(self.path).replace('{', "<i>{").replace('}', "}</i>")
    }
}

fn nav(title: &str, groups: &IndexMap<String, Vec<Operation<'_>>>) -> String {
    let group = |(name, operations): (&String, &Vec<Operation<'_>>)| {
        let links: String = operations.iter().map(nav_link).collect();
        let (id, name) = (anchor(name), escape(name));
        format!("<details open class=\"group\"><summary><a href=\"#group-{id}\">{name}</a></summary>{links}</details>")
    };
    format!(
        "<nav><h1>{title}</h1><input id=\"search\" type=\"search\" placeholder=\"Search ( / )\" autocomplete=\"off\" \
         aria-label=\"Search\"><div class=\"links\">{}<a href=\"#problems\">Problem codes</a>\
         <a href=\"#schemas\">Schemas</a><a href=\"/openapi.json\">openapi.json</a></div></nav>",
        groups.iter().map(group).collect::<String>()
    )
}

fn nav_link(operation: &Operation<'_>) -> String {
    let tail = operation.path.strip_prefix("/clinic/{slug}/api/v1").unwrap_or(operation.path);
    let shown = if tail.is_empty() { "/" } else { tail };
    format!(
        "<a class=\"entry\" href=\"#{}\" data-search=\"{}\">{}<span>{}</span></a>",
        operation.id(),
        search_text(operation),
        operation.badge(),
        escape(shown)
    )
}

fn search_text(operation: &Operation<'_>) -> String {
    escape(&format!("{} {} {}", operation.method, operation.path, operation.summary()).to_lowercase())
}

fn intro(title: &str, document: &Value) -> String {
    let text = |name: &str| document["info"][name].as_str().unwrap_or_default();
    format!(
        "<header><h1>{title} <small>{}</small></h1>{}</header>",
        escape(text("version")),
        prose(text("description"))
    )
}

fn section(name: &str, operations: &[Operation<'_>], schemas: Schemas<'_>) -> String {
    let articles: String = operations.iter().map(|operation| article(operation, schemas)).collect();
    format!("<section id=\"group-{}\"><h2>{}</h2>{articles}</section>", anchor(name), escape(name))
}

fn article(operation: &Operation<'_>, schemas: Schemas<'_>) -> String {
    let about = operation.about["description"].as_str().map(prose).unwrap_or_default();
    let token = match needs_token(operation) {
        true => "<p class=\"token\">Needs an access token.</p>",
        false => "",
    };
    format!(
        "<details class=\"operation\" id=\"{id}\" data-search=\"{search}\"><summary>{badge}<code>{path}</code>\
         <span class=\"summary\">{summary}</span></summary><div class=\"body\">{about}{token}{parameters}{body}\
         {responses}{curl}</div></details>",
        id = operation.id(),
        search = search_text(operation),
        badge = operation.badge(),
        path = operation.path_html(),
        summary = inline(operation.summary()),
        parameters = parameters(operation, schemas),
        body = body(operation, schemas),
        responses = responses(operation),
        curl = curl(operation, schemas),
    )
}

fn needs_token(operation: &Operation<'_>) -> bool {
    operation.about["security"].as_array().is_some_and(|needed| !needed.is_empty())
}

fn parameters<'a>(operation: &Operation<'a>, schemas: Schemas<'a>) -> String {
    let Some(list) = operation.about["parameters"].as_array().filter(|list| !list.is_empty()) else {
        return String::new();
    };
    let rows: String = ["path", "query", "header"].iter().map(|place| parameter_rows(list, place, schemas)).collect();
    format!("<h4>Parameters</h4><table><tbody>{rows}</tbody></table>")
}

fn parameter_rows<'a>(list: &'a [Value], place: &str, schemas: Schemas<'a>) -> String {
    let here: Vec<&'a Value> = list.iter().filter(|parameter| parameter["in"] == place).collect();
    if here.is_empty() {
        return String::new();
    }
    let rows: String = here.iter().map(|parameter| parameter_row(parameter, schemas)).collect();
    format!("<tr class=\"place\"><th colspan=\"3\">{place}</th></tr>{rows}")
}

fn parameter_row<'a>(parameter: &'a Value, schemas: Schemas<'a>) -> String {
    let name = parameter["name"].as_str().unwrap_or_default();
    schemas.row_html(name, &parameter["schema"], parameter["description"].as_str(), parameter["required"] == true)
}

fn body(operation: &Operation<'_>, schemas: Schemas<'_>) -> String {
    let content = operation.about["requestBody"]["content"].as_object();
    let one = |(media_type, content): (&String, &Value)| {
        format!("<h4>Body <small>{}</small></h4>{}", escape(media_type), schemas.body_html(&content["schema"]))
    };
    content.into_iter().flatten().map(one).collect()
}

/// What an answer looks like, status by status; refusals look all the same, so their statuses are one row.
fn responses(operation: &Operation<'_>) -> String {
    let Some(responses) = operation.about["responses"].as_object() else { return String::new() };
    let (refusals, answers): (Vec<_>, Vec<_>) =
        responses.iter().filter(|(status, _)| *status != "default").partition(|(_, one)| one["$ref"].is_string());
    let rows: String = answers.into_iter().map(|(status, response)| response_row(status, response)).collect();
    let refusals: String = refusals.into_iter().map(|(status, _)| status_html(status)).collect();
    let refused = format!("<tr><th class=\"refusals\">{refusals}</th><td class=\"type\">problem</td>{REFUSED}</tr>");
    format!("<h4>Answers</h4><table><tbody>{rows}{refused}</tbody></table>")
}

const REFUSED: &str = "<td>Refused or failed: <code>code</code> says why, <a href=\"#problems\">all codes</a>.</td>";

fn response_row(status: &str, response: &Value) -> String {
    let contents = response["content"].as_object().into_iter().flatten();
    let types: Vec<String> = contents.map(|(_, content)| super::schema::type_html(&content["schema"])).collect();
    let about = response["description"].as_str().map(inline).unwrap_or_default();
    format!("<tr><th>{}</th><td class=\"type\">{}</td><td>{about}</td></tr>", status_html(status), types.join(" | "))
}

fn status_html(status: &str) -> String {
    format!("<span class=\"status s{}\">{}</span> ", escape(status.get(..1).unwrap_or_default()), escape(status))
}

/// A line to paste into a shell; ids are left to be set as variables.
fn curl(operation: &Operation<'_>, schemas: Schemas<'_>) -> String {
    let path = operation.path.replace("{slug}", "sunrise").replace('{', "$").replace('}', "");
    let mut lines = vec![format!("curl -X {} \"{EXAMPLE_ORIGIN}{path}\"", operation.method.to_uppercase())];
    if needs_token(operation) {
        lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    if matches!(operation.method, "put" | "delete") && takes_header(operation, "If-Match") {
        lines.push("-H 'If-Match: \"1\"'".to_owned());
    }
    if let Some(schema) = operation.about["requestBody"]["content"]["application/json"].get("schema") {
        let example = serde_json::to_string_pretty(&schemas.example(schema)).unwrap_or_default();
        lines.push("-H \"Content-Type: application/json\"".to_owned());
        lines.push(format!("-d '{}'", example.replace('\'', "'\\''")));
    }
    format!("<h4>Example</h4><pre class=\"curl\"><code>{}</code></pre>", escape(&lines.join(" \\\n  ")))
}

fn takes_header(operation: &Operation<'_>, name: &str) -> bool {
    operation.about["parameters"].as_array().is_some_and(|list| list.iter().any(|one| one["name"] == name))
}

fn schema_section(schemas: Schemas<'_>) -> String {
    let empty = Map::new();
    let articles = schemas.0.unwrap_or(&empty).iter().map(|(name, schema)| schema_article(name, schema, schemas));
    format!("<section id=\"schemas\"><h2>Schemas</h2>{}</section>", articles.collect::<String>())
}

fn schema_article(name: &str, schema: &Value, schemas: Schemas<'_>) -> String {
    let about = schema["description"].as_str().map(prose).unwrap_or_default();
    let (id, shown) = (anchor(name), escape(name));
    let search = escape(&name.to_lowercase());
    format!(
        "<details class=\"schema\" id=\"schema-{id}\" data-search=\"{search}\"><summary><code>{shown}</code></summary>\
         <div class=\"body\">{about}{}</div></details>",
        schemas.body_html(schema)
    )
}
