//! Whether a value is what a schema says, for the few keywords that this server's schemas use.

use std::cmp::Ordering;

use serde_json::Value;

/// Where and why `value` does not fit `schema`. A keyword that is not known here is a mistake in the test, so that no
/// schema can say something that nobody checks.
pub fn misfit(schema: &Value, value: &Value) -> Option<String> {
    let Some(keywords) = schema.as_object() else {
        return (*schema != Value::Bool(true)).then(|| format!("{schema} allows nothing"));
    };
    keywords.iter().find_map(|(keyword, operand)| match keyword.as_str() {
        "type" => (!is(operand, value)).then(|| format!("{value} is no {operand}")),
        "minimum" => {
            let below = value.as_f64().zip(operand.as_f64()).is_some_and(|(value, least)| value < least);
            below.then(|| format!("{value} is below {operand}"))
        }
        "required" => {
            let mut names = operand.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            names.find(|name| value.get(name).is_none()).map(|name| format!("{name} is missing"))
        }
        "properties" => {
            let named = operand
                .as_object()
                .unwrap()
                .iter()
                .filter_map(|(name, inner)| Some((name, inner, value.get(name)?)));
            { named }.find_map(|(name, inner, value)| Some(format!("{name}: {}", misfit(inner, value)?)))
        }
        "additionalProperties" => {
            let known = schema["properties"].as_object();
            let mut others = value.as_object().into_iter().flatten();
            others.find_map(|(name, value)| {
                let is_known = known.is_some_and(|known| known.contains_key(name));
                if is_known { None } else { Some(format!("{name}: {}", misfit(operand, value)?)) }
            })
        }
        "items" => value.as_array().into_iter().flatten().find_map(|item| misfit(operand, item)),
        "minLength" | "maxLength" => {
            let length = value
                .as_str()
                .unwrap()
                .chars()
                .count()
                .cmp(&usize::try_from(operand.as_u64().unwrap()).unwrap());
            let refused = if keyword == "minLength" { Ordering::Less } else { Ordering::Greater };
            (length == refused).then(|| format!("{value} has not the length {keyword} {operand}"))
        }
        "description" => None,
        unknown => panic!("the keyword {unknown} of {schema} is not checked"),
    })
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("{other} is no type"),
    }
}
