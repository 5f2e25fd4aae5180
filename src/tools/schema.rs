//! Schemas that every client and model provider accepts.
//!
//! One bad schema can hide the whole tool list in a strict client. So: everything inlined (no `$ref`), no `null` types
//! for optional arguments, always `properties` and `required`, unknown arguments forbidden, and none of the noise
//! (`$schema`, `title`, numeric `format`) that costs tokens and says nothing.

use std::sync::Arc;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// A JSON object, as the protocol wants schemas.
pub type Object = Map<String, Value>;

/// The schema of a tool's arguments.
pub fn input<T: JsonSchema>() -> Arc<Object> {
    let mut schema = generate::<T>(true);
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    Arc::new(schema)
}

/// The schema of a tool's result, with a description of every member, for the reference page. Further members are
/// allowed: results grow.
pub fn reference<T: JsonSchema>() -> Arc<Object> {
    Arc::new(generate::<T>(false))
}

/// The same as it is published: the names and types of its members, and no more. A model reads the list of tools in
/// every conversation; what is inside a record explains itself when it arrives, and would double the list.
pub fn output(reference: &Object) -> Arc<Object> {
    let mut schema = reference.clone();
    if let Some(Value::Object(members)) = schema.get_mut("properties") {
        members.values_mut().for_each(outline);
    }
    Arc::new(schema)
}

/// The type of a member, and of its items if it is a list.
fn outline(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    object.retain(|keyword, _| matches!(keyword.as_str(), "type" | "items" | "anyOf"));
    each_subschema(object, &mut outline);
}

/// Visits the schemas inside a schema: under the keywords that hold them, and nowhere else, because a property may
/// itself be called `format` or `description`.
fn each_subschema(object: &mut Object, visit: &mut dyn FnMut(&mut Value)) {
    for keyword in ["properties", "patternProperties"] {
        if let Some(Value::Object(members)) = object.get_mut(keyword) {
            members.values_mut().for_each(&mut *visit);
        }
    }
    for keyword in ["items", "additionalProperties", "not"] {
        if let Some(inner) = object.get_mut(keyword) {
            visit(inner);
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(alternatives)) = object.get_mut(keyword) {
            alternatives.iter_mut().for_each(&mut *visit);
        }
    }
}

fn generate<T: JsonSchema>(input: bool) -> Object {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.contract = if input {
            schemars::generate::Contract::Deserialize
        } else {
            schemars::generate::Contract::Serialize
        };
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    clean(&mut schema);
    let mut object = match schema {
        Value::Object(object) => object,
        _ => Object::new(),
    };
    object.remove("description");
    object.entry("type").or_insert_with(|| "object".into());
    object.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    object.entry("required").or_insert_with(|| Value::Array(Vec::new()));
    object
}

fn clean(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for noise in ["$schema", "title", "format", "additionalProperties"] {
        if noise != "additionalProperties" || object.get(noise) == Some(&Value::Bool(false)) {
            object.remove(noise);
        }
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    // The largest number of a type is no bound of the tool's.
    if object.get("maximum").and_then(Value::as_u64).is_some_and(|max| max >= 2_147_483_647) {
        object.remove("maximum");
    }
    // An optional member is left out, never null, in arguments as well as in results.
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(alternatives)) = object.get_mut(keyword) {
            alternatives.retain(|schema| schema.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = alternatives.as_slice() {
                let only = only.clone();
                object.remove(keyword);
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
        }
    }
    each_subschema(object, &mut clean);
}

/// The arguments as they are published. Usual lengths of texts are told only when they are exceeded, which hardly ever
/// happens, and would cost every reader of the list some tokens, as would the marks that only a page shows. The
/// platform's numbers are published by the first and the last: Gemini refuses numbers in an `enum`.
pub fn published_input(schema: &Object) -> Arc<Object> {
    let mut schema = schema.clone();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            if let Some(Value::String(description)) = property.get_mut("description") {
                description.retain(|c| c != '`');
            }
            if let Some((first, last)) = property.get("enum").and_then(consecutive) {
                property.remove("enum");
                property.insert("minimum".to_owned(), first.into());
                property.insert("maximum".to_owned(), last.into());
            }
            let usual = property.get("maxLength").and_then(Value::as_u64).is_some_and(|max| max <= 500);
            if usual {
                property.remove("minLength");
                property.remove("maxLength");
            }
        }
    }
    Arc::new(schema)
}

/// The first and the last of numbers that follow one another.
fn consecutive(values: &Value) -> Option<(i64, i64)> {
    let numbers: Vec<i64> = values.as_array()?.iter().map(Value::as_i64).collect::<Option<_>>()?;
    let follows = numbers.iter().zip(numbers.iter().skip(1)).all(|(one, next)| one + 1 == *next);
    numbers.first().copied().zip(numbers.last().copied()).filter(|_| follows)
}

/// What a value of this property must be, in words: completes "must be ...".
pub fn expectation(property: &Value) -> String {
    if let Some(Value::Array(values)) = property.get("enum") {
        let values: Vec<_> =
            values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
        return format!("one of {}", values.join(", "));
    }
    let bound = |name: &str| property.get(name).and_then(Value::as_u64);
    match property.get("type").and_then(Value::as_str) {
        Some("integer") => match (bound("minimum"), bound("maximum")) {
            (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
            (Some(min), None) => format!("a whole number of at least {min}"),
            _ => "a whole number".to_owned(),
        },
        Some("boolean") => "true or false".to_owned(),
        Some("string") => match (bound("minLength"), bound("maxLength")) {
            (Some(min), Some(max)) => format!("a text of {min} to {max} characters, not only blanks"),
            (None, Some(max)) => format!("a text of at most {max} characters"),
            _ => "a text".to_owned(),
        },
        Some("object") => "an object".to_owned(),
        Some("array") => "a list".to_owned(),
        _ => "of the type in the tool's schema".to_owned(),
    }
}
