//! Every tool through the front door, against the simulated platform, from the list of tools: each argument wrong in
//! each way, what a caller without the scope gets, and what becomes of a platform that does not know
//! the object or has had enough. The plain case is the example of the tool; that results fit their schemas is checked
//! wherever a tool is called.

use reqwest::StatusCode;
use sequentum_mcp::{
    auth::ScopeSet,
    demo::{Fault, FaultKind},
    tools::{Catalog, Effect, Row, examples},
};
use serde_json::{Value, json};

use crate::support::{TestServer, server::call};

/// Arguments with which each tool succeeds as Alice: those of its example. `RUN` and `FILE` stand for the newest run of
/// agent 7301 and one of its files, `NEW` for the run that `start_agent` starts, `BUILD` for a build session.
pub(crate) fn plain() -> Vec<(&'static str, Value)> {
    let mut examples = examples::all();
    let id = |tool: &str, name: &str| examples[tool].arguments[name].clone();
    let stand_ins = [
        (id("get_run_files", "runId"), "RUN"),
        (id("read_run_file", "fileId"), "FILE"),
        (id("stop_agent", "runId"), "NEW"),
        (id("get_agent_build_status", "sessionId"), "BUILD"),
    ];
    let catalog = Catalog::new();
    let cases = catalog.rows().iter().map(|row| {
        let mut arguments = examples.remove(row.name).unwrap().arguments;
        for value in arguments.as_object_mut().unwrap().values_mut() {
            if let Some((_, name)) = stand_ins.iter().find(|(id, _)| id == value) {
                *value = json!(name);
            }
        }
        (row.name, arguments)
    });
    cases.collect()
}

#[tokio::test]
async fn each_is_refused_without_its_scope_before_the_platform_is_asked() {
    let server = TestServer::start().await;
    let nothing = server.token_for(&TestServer::alice(), "");
    for row in Catalog::new().rows().iter().filter(|row| row.scopes != ScopeSet::EMPTY) {
        let answer = server.send(server.post(Some(&nothing), &call(row.name, json!({})))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", row.name);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(&format!("scope=\"{}\"", row.scopes)), "{}: {challenge}", row.name);
    }
    assert!(server.platform.requests().is_empty());
}

/// Each tool with the arguments of its plain case, but ids that nobody has.
fn made_up() -> Vec<(Row, Value)> {
    let catalog = Catalog::new();
    let cases = plain().into_iter().map(|(tool, mut arguments)| {
        for value in arguments.as_object_mut().unwrap().values_mut() {
            match value.as_str() {
                Some("RUN" | "FILE" | "NEW") => *value = json!(1),
                Some("BUILD") => *value = json!("bld-1"),
                _ => {}
            }
        }
        (catalog.find(tool).unwrap().clone(), arguments)
    });
    cases.collect()
}

/// What must never be repeated in an answer.
const SECRET: &str = "pa55word";

/// Values that a property of this schema must not have.
fn wrong_values(property: &Value, required: bool) -> Vec<Value> {
    let mut wrong = vec![json!([SECRET])];
    match property["type"].as_str().unwrap() {
        "string" if property.get("enum").is_some() => wrong.extend([json!(SECRET), json!(99), json!(true)]),
        "string" => {
            let most = property["maxLength"].as_u64().map(|most| usize::try_from(most).unwrap());
            wrong.extend(most.map(|most| json!(SECRET.repeat(most / SECRET.len() + 1))));
            // A blank text counts as none where there may be none.
            wrong.extend((most.is_some() && required).then(|| json!("  ")));
        }
        "boolean" => wrong.extend([json!(SECRET), json!(7), json!({"a": SECRET})]),
        "integer" => {
            let listed =
                property["enum"].as_array().map(|all| all.iter().filter_map(Value::as_i64).collect());
            let listed: Vec<i64> = listed.unwrap_or_default();
            let least = property["minimum"].as_i64().or(listed.iter().min().copied()).unwrap();
            let most = property["maximum"].as_i64().or(listed.iter().max().copied());
            wrong.extend([json!(least - 1), json!(1.5), json!(1e300), json!(SECRET), json!(true)]);
            wrong.extend(most.map(|most| json!(most + 1)));
        }
        other => panic!("{other} has no wrong values"),
    }
    wrong
}

#[tokio::test]
async fn each_argument_is_refused_by_name_when_it_is_wrong() {
    let server = TestServer::start().await;
    let mut refused = 0;
    for (row, good) in made_up() {
        let schema = Value::Object((*row.input_schema).clone());
        let required = schema["required"].as_array().unwrap();
        let mut cases = vec![("noSuchArgument".to_owned(), json!(SECRET), "Unknown argument")];
        for (name, property) in schema["properties"].as_object().unwrap() {
            let is_required = required.iter().any(|required| required == name);
            cases.extend(is_required.then(|| (name.clone(), Value::Null, "Missing argument")));
            let wrong = wrong_values(property, is_required).into_iter();
            cases.extend(wrong.map(|value| (name.clone(), value, "Argument")));
        }
        for (name, value, beginning) in cases {
            let mut arguments = good.clone();
            arguments[&name] = value.clone();
            let error = server.refused(row.name, arguments).await;
            assert_eq!(error["code"], "invalid_arguments", "{} {name} {value}: {error}", row.name);
            let message = error["message"].as_str().unwrap();
            let named = message.starts_with(&format!("{beginning} `{name}`"));
            assert!(named, "{} {name} {value}: {message}", row.name);
            assert!(!error.to_string().contains(SECRET), "{}: {error}", row.name);
            refused += 1;
        }
    }
    assert!(server.platform.requests().is_empty(), "nothing of this reached the platform");
    assert!(refused > 700, "{refused} wrong arguments were tried");
}

/// Lets every request to the platform that begins like this fail.
fn fail(server: &TestServer, begins: &str, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let kind = FaultKind::Status { status, headers, body: body.to_owned() };
    server.platform.faults().inject(Fault { path_contains: begins.to_owned(), times: 1000, kind });
}

#[tokio::test]
async fn each_says_that_the_platform_knows_no_such_object() {
    let server = TestServer::start().await;
    fail(&server, " /api/v1/", 404, &[], r#"{"statusCode":404,"message":"There is no such thing"}"#);
    for (row, arguments) in made_up().into_iter().filter(|(row, _)| row.scopes != ScopeSet::EMPTY) {
        let before = server.platform.requests().len();
        let error = server.refused(row.name, arguments).await;
        let expected = json!({
            "code": "not_found",
            "message": "There is no such thing.",
            "remedy": "Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.",
            "retryable": false,
        });
        assert_eq!(error, expected, "{}", row.name);
        let asked = server.platform.requests().len() - before;
        assert!((1..=2).contains(&asked), "{} asked {asked} times", row.name);
    }
}

#[tokio::test]
async fn each_says_when_the_platform_has_had_enough_and_nothing_is_done_twice() {
    let server = TestServer::start().await;
    // Longer than anybody waits: told at once. Shorter than a moment: repeated, if that may be.
    for (wait, told, repeats) in [("45", 45, 1), ("0", 1, 4)] {
        for (row, arguments) in made_up().into_iter().filter(|(row, _)| row.scopes != ScopeSet::EMPTY) {
            let methods: &[&str] = if row.effect.writes() { &["POST", "PUT", "DELETE"] } else { &["GET"] };
            for method in methods {
                fail(&server, &format!("{method} /api/v1/"), 429, &[("retry-after", wait)], "{}");
            }
            let before = server.platform.requests().len();
            let error = server.refused(row.name, arguments).await;
            server.platform.faults().clear();
            let expected = json!({
                "code": "rate_limited",
                "message": "The platform's request limit is used up for the moment.",
                "remedy": "Wait before the next call.",
                "retryable": true,
                "retryAfterSeconds": told,
            });
            assert_eq!(error, expected, "{}", row.name);
            let once =
                matches!(row.effect, Effect::Launch | Effect::Create | Effect::Destroy { repeatable: false });
            let seen: Vec<_> = server.platform.requests().split_off(before);
            let refused: Vec<_> =
                seen.iter().filter(|seen| seen.status == 429).map(|seen| &seen.path).collect();
            let most = refused.iter().map(|path| refused.iter().filter(|other| other == &path).count()).max();
            assert_eq!(most, Some(if once { 1 } else { repeats }), "{}: {refused:?}", row.name);
        }
    }
}
