//! [`Contract`]: what the platform has published about its API, as `tests/fixtures/platform-api.json` holds it.

use std::{cell::RefCell, collections::HashMap, fs, rc::Rc};

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use sequentum_mcp::demo::{Profile, Recorded};
use serde_json::{Value, json};

/// Schemas of standards, which may hold more members than are listed.
const OPEN_ENDED: [&str; 2] = ["AuthorizationServerMetadata", "Jwk"];

pub struct Contract {
    document: Value,
    /// By the text of their schemas: making one takes longer than using it.
    validators: RefCell<HashMap<String, Rc<Validator>>>,
}

/// A method on a path, and what is published about it.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub id: &'a str,
    /// In capitals.
    pub method: &'a str,
    /// With `{names}` for variable segments.
    pub path: &'a str,
    /// None where no credential is needed.
    pub scope: Option<&'a str>,
    definition: &'a Value,
}

impl<'a> Operation<'a> {
    /// The parameters it takes, in all places.
    fn parameters(&self, contract: &'a Contract) -> impl Iterator<Item = &'a Value> + use<'a> {
        let parameters = self.definition["parameters"].as_array();
        parameters.into_iter().flatten().map(|parameter| contract.resolve(parameter))
    }

    /// The names that its query may have.
    pub fn query_names(&self, contract: &'a Contract) -> impl Iterator<Item = &'a str> + use<'a> {
        let of_query = self.parameters(contract).filter(|parameter| parameter["in"] == "query");
        of_query.map(|parameter| parameter["name"].as_str().unwrap())
    }
}

impl Contract {
    /// As it is published: members that only some deployments have may be missing, and unknown ones may come.
    pub fn published() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/platform-api.json");
        let document = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        Self { document, validators: RefCell::default() }
    }

    /// What one deployment sends and takes: every member that it is known to have, and no other.
    pub fn of(profile: Profile) -> Self {
        let mut contract = Self::published();
        let (own, other) = match profile {
            Profile::Newer => ("newer-deployments-only", "older-deployments-only"),
            Profile::Production => ("older-deployments-only", "newer-deployments-only"),
        };
        for (name, schema) in contract.document["components"]["schemas"].as_object_mut().unwrap() {
            let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
            if OPEN_ENDED.contains(&name.as_str()) {
                continue;
            }
            members.retain(|_, member| member["x-availability"] != other);
            let always = members.iter().filter(|(_, member)| member["x-availability"] == own);
            let always: Vec<Value> = always.map(|(name, _)| name.as_str().into()).collect();
            let schema = schema.as_object_mut().unwrap();
            schema.insert("additionalProperties".to_owned(), false.into());
            let required = schema.entry("required").or_insert_with(|| json!([]));
            required.as_array_mut().unwrap().extend(always);
        }
        contract
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(|(method, definition)| Operation {
                id: definition["operationId"].as_str().unwrap(),
                method: match method.as_str() {
                    "get" => "GET",
                    "post" => "POST",
                    "put" => "PUT",
                    "delete" => "DELETE",
                    other => panic!("{other}"),
                },
                path,
                scope: definition["x-required-scope"].as_str(),
                definition,
            })
        })
    }

    /// The operation that a request means. A literal segment wins over a variable one.
    pub fn find(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let fits = |operation: &Operation<'_>| {
            let segments = || operation.path.split('/').zip(path.split('/'));
            operation.method == method
                && operation.path.split('/').count() == path.split('/').count()
                && segments().all(|(our, their)| our == their || our.starts_with('{'))
        };
        self.operations().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
    }

    /// A schema by its name.
    pub fn schema(&self, name: &str) -> &Value {
        let schema = &self.document["components"]["schemas"][name];
        assert!(schema.is_object(), "no schema {name}");
        schema
    }

    /// What is referred to, or the thing itself.
    pub fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => part,
        }
    }

    /// What is wrong with a value.
    pub fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator =
            Rc::clone(self.validators.borrow_mut().entry(schema.to_string()).or_insert_with(|| {
                let document = json!({"allOf": [schema], "components": self.document["components"]});
                Rc::new(jsonschema::validator_for(&document).unwrap())
            }));
        problems(&validator, value)
    }

    /// What is wrong with an answer to an operation.
    pub fn answer_problems(
        &self,
        operation: &Operation<'_>,
        status: u16,
        headers: &HeaderMap,
        body: &str,
    ) -> Vec<String> {
        let responses = &operation.definition["responses"];
        let response = responses.get(status.to_string());
        let Some(response) = response.or_else(|| responses.get(format!("{}XX", status / 100))) else {
            return vec![format!("status {status} is not published")];
        };
        let response = self.resolve(response);
        let mut problems = Vec::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            // Where it is certain, the tests say what it must be.
            if name == "WWW-Authenticate" {
                continue;
            }
            match headers.get(name) {
                Some(value) if self.takes(&self.resolve(header)["schema"], value.to_str().unwrap()) => {}
                found => problems.push(format!("header {name} is {found:?}")),
            }
        }
        let Some(content) = response["content"].as_object() else {
            if !body.is_empty() {
                problems.push(format!("a body where there is none: {body}"));
            }
            return problems;
        };
        let kind = headers.get("content-type").map_or("", |value| value.to_str().unwrap());
        let kind = kind.split(';').next().unwrap().trim();
        let value = match serde_json::from_str(body) {
            Ok(value) if kind.ends_with("json") => value,
            _ => Value::String(body.to_owned()),
        };
        match content.get(kind) {
            Some(media) => problems.extend(self.problems(&media["schema"], &value)),
            None => problems.push(format!("media type {kind:?} is not published")),
        }
        problems
    }

    /// What is wrong with a request: path, query and body.
    pub fn request_problems(&self, seen: &Recorded) -> Vec<String> {
        let Some(operation) = self.find(&seen.method, &seen.path) else {
            return vec!["no such operation".to_owned()];
        };
        let mut problems = Vec::new();
        let parameters: Vec<&Value> = operation.parameters(self).collect();
        let named = |name: &str, place: &str| {
            parameters.iter().find(|parameter| parameter["name"] == name && parameter["in"] == place)
        };
        for (variable, segment) in operation.path.split('/').zip(seen.path.split('/')) {
            let Some(name) = variable.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                continue;
            };
            if !self.takes(&named(name, "path").unwrap()["schema"], segment) {
                problems.push(format!("{name} is {segment}"));
            }
        }
        let query = seen.query.as_deref().unwrap_or_default();
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (name, value) in &pairs {
            match named(name, "query") {
                Some(parameter) if self.takes(&parameter["schema"], value) => {}
                Some(_) => problems.push(format!("{name} is {value}")),
                None => problems.push(format!("no such parameter: {name}")),
            }
            if pairs.iter().filter(|(other, _)| other == name).count() > 1 {
                problems.push(format!("{name} is there twice"));
            }
        }
        let required =
            parameters.iter().filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        for parameter in required {
            if !pairs.iter().any(|(name, _)| parameter["name"] == name.as_str()) {
                problems.push(format!("{} is missing", parameter["name"]));
            }
        }
        match operation.definition.get("requestBody") {
            Some(body) => {
                let schema = &body["content"]["application/json"]["schema"];
                problems.extend(self.problems(schema, &seen.body));
            }
            None if seen.body.is_null() => {}
            None => problems.push(format!("a body where none is taken: {}", seen.body)),
        }
        problems
    }

    /// Whether a text from a URL or a header is a value of this schema.
    fn takes(&self, schema: &Value, text: &str) -> bool {
        let typed =
            serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
        let values = [Some(Value::String(text.to_owned())), typed];
        values.iter().flatten().any(|value| self.problems(schema, value).is_empty())
    }
}

/// What is wrong with a value, one line for each error.
pub fn problems(validator: &Validator, value: &Value) -> Vec<String> {
    // An error repeats the value, which may be long.
    let line = |error: jsonschema::ValidationError<'_>| {
        format!("{}: {error}", error.instance_path()).chars().take(600).collect()
    };
    validator.iter_errors(value).map(line).collect()
}
