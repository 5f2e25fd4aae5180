//! The schemas of the tools use only what every model provider and client accepts. One that does not is dropped by some
//! clients, and with others takes the whole list with it.
//!
//! What is refused, and by whom (as of November 2026):
//!
//! - `anyOf`, `oneOf`, `allOf`, `not`, `enum` beside the root's `type: object`: Anthropic ("`input_schema` does not support
//!   oneOf, allOf, or anyOf at the top level", anthropics/claude-code#5973) and `OpenAI` ("schema must have type 'object'
//!   and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level", langchain-ai/langchainjs#9804); `allOf` further
//!   down: `OpenAI` (makenotion/notion-mcp-server#102).
//! - `$ref`: Anthropic's managed agents; Gemini's function declarations, which are a subset of `OpenAPI` 3.0 without
//!   references (<https://ai.google.dev/api/caching#Schema>).
//! - names of properties other than `[A-Za-z0-9_.-]{1,64}`: Anthropic. Names of functions other than
//!   `[A-Za-z0-9_-]{1,64}` that begin with a letter: `OpenAI`, Anthropic, Gemini.
//! - a list of types, `null`, a number in an `enum`, an `enum` without a type, `required` or `properties` on what is no
//!   object, `exclusiveMinimum`, `multipleOf`, and every `format` of a text but `date-time`: Gemini
//!   (hideya/langchain-mcp-tools-ts#36, makenotion/notion-mcp-server#42, anomalyco/opencode#11889).
//! - an array without `items`: `OpenAI` ("array schema missing items", modelscope/ms-agent#610).
//! - `true` or `false` for a schema: the inspector (`--strict`), and clients that turn schemas into types of their own.
//!
//! So: a short list of keywords, and these rules. Results are not shown to models; for them the same holds, except that a
//! member may be of any type, because what an agent extracts has no schema.

use sequentum_mcp::tools::Catalog;
use serde_json::{Map, Value};

/// The keywords that a schema may have.
const KEYWORDS: [&str; 13] = [
    "additionalProperties",
    "default",
    "description",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "properties",
    "required",
];
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// A schema within a tool, and what is wrong with it.
struct Lint<'a> {
    results: bool,
    wrong: &'a mut Vec<String>,
}

impl Lint<'_> {
    fn root(&mut self, tool: &str, schema: &Map<String, Value>) {
        for keyword in ["properties", "required"] {
            self.expect(tool, schema.contains_key(keyword), &format!("has no {keyword}"));
        }
        self.expect(tool, schema.get("type") == Some(&"object".into()), "is no object");
        self.schema(tool, &Value::Object(schema.clone()));
    }

    fn schema(&mut self, path: &str, schema: &Value) {
        let Some(members) = schema.as_object() else {
            return self.expect(path, false, &format!("{schema} is no schema to everybody"));
        };
        if self.results && members.is_empty() {
            return;
        }
        let kind = schema["type"].as_str().unwrap_or_default();
        self.expect(path, TYPES.contains(&kind), &format!("has the type {}", schema["type"]));
        for keyword in members.keys().filter(|keyword| *keyword != "type") {
            self.expect(path, KEYWORDS.contains(&keyword.as_str()), &format!("uses {keyword}"));
        }
        for keyword in ["properties", "required", "additionalProperties"] {
            let fits = kind == "object" || !members.contains_key(keyword);
            self.expect(path, fits, &format!("is no object and has {keyword}"));
        }
        self.expect(path, members.contains_key("items") == (kind == "array"), "items are of lists");
        if let Some(values) = members.get("enum") {
            let texts =
                values.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string));
            self.expect(path, kind == "string" && texts, "has an enum that is not of texts");
        }
        if let Some(others) = members.get("additionalProperties") {
            self.expect(path, *others == Value::Bool(false), "allows some further members");
        }
        let properties = members.get("properties").and_then(Value::as_object);
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let known = properties.is_some_and(|properties| properties.contains_key(name));
            self.expect(path, known, &format!("requires {name} and does not describe it"));
        }
        for (name, inner) in properties.into_iter().flatten() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            self.expect(
                path,
                (1..=64).contains(&name.len()) && name.chars().all(allowed),
                &format!("names a member {name}"),
            );
            self.schema(&format!("{path}.{name}"), inner);
        }
        if let Some(items) = members.get("items") {
            self.schema(&format!("{path}[]"), items);
        }
    }

    fn expect(&mut self, path: &str, holds: bool, complaint: &str) {
        if !holds {
            self.wrong.push(format!("{path} {complaint}"));
        }
    }
}

#[test]
fn every_schema_is_portable() {
    let mut wrong = Vec::new();
    for row in Catalog::new().rows() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let named = (1..=64).contains(&row.name.len())
            && row.name.starts_with(|c: char| c.is_ascii_alphabetic())
            && row.name.chars().all(allowed);
        if !named {
            wrong.push(format!("{} is no name for a function", row.name));
        }
        Lint { results: false, wrong: &mut wrong }
            .root(&format!("the arguments of {}", row.name), &row.published_input);
        Lint { results: true, wrong: &mut wrong }
            .root(&format!("the result of {}", row.name), &row.output_schema);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_providers_refuse_is_noticed() {
    let property = |schema: Value| serde_json::json!({"type": "object", "properties": {"x": schema}, "required": [], "additionalProperties": false});
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let good = property(json(r#"{"type": "array", "items": {"type": "string", "enum": ["a"]}}"#));
    let mut roots = vec![
        json(r#"{"type": "object", "properties": {}, "required": [], "anyOf": []}"#),
        json(r#"{"type": "object", "properties": {}, "required": ["x"]}"#),
        json(r#"{"type": "object", "properties": {"a b": {"type": "string"}}, "required": []}"#),
        json(r#"{"type": "object", "properties": {}}"#),
        json(r#"{"type": "array", "items": {"type": "string"}, "properties": {}, "required": []}"#),
    ];
    let inner = [
        "true",
        "{}",
        r#"{"type": ["string", "null"]}"#,
        r##"{"$ref": "#/$defs/a"}"##,
        r#"{"type": "array"}"#,
        r#"{"type": "integer", "enum": [1]}"#,
        r#"{"type": "string", "enum": []}"#,
        r#"{"type": "string", "format": "uri"}"#,
        r#"{"type": "string", "required": []}"#,
        r#"{"type": "number", "exclusiveMinimum": 0}"#,
        r#"{"anyOf": [{"type": "string"}]}"#,
        r#"{"type": "object", "additionalProperties": {"type": "string"}}"#,
        r#"{"type": "null"}"#,
    ];
    roots.extend(inner.into_iter().map(|schema| property(json(schema))));
    let complaints = |schema: &Value| {
        let mut wrong = Vec::new();
        Lint { results: false, wrong: &mut wrong }.root("it", schema.as_object().unwrap());
        wrong
    };
    assert_eq!(complaints(&good), Vec::<String>::new());
    for schema in roots {
        assert!(!complaints(&schema).is_empty(), "{schema}");
    }
}
