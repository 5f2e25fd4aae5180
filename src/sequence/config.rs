//! The settings of `sequence-mcp`, checked.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use super::{
    rule::{RuleId, secret},
    settings,
};
use crate::config::{LogFormat, Problem, Reader, Sources, Telemetry, boolean, log_format, service_url};

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Base URL of the API, without trailing slash in its path.
    pub(super) url: Url,
    /// For the list of accounts.
    pub(super) access_token: Option<SecretString>,
    /// What opens each rule.
    pub(super) rule_secrets: BTreeMap<RuleId, SecretString>,
    /// Whether a call may bring the secret of a rule that has none here.
    pub(super) secret_argument: bool,
    /// Logs.
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// Every problem found, each naming key, value (never a secret's), origin and what is allowed.
    pub fn load(sources: &Sources) -> Result<Self, Vec<Problem>> {
        sources.read(read)
    }
}

fn read(r: &mut Reader<'_>) -> Option<Config> {
    let url = service_url(settings::SEQUENCE_API_URL.default)?;
    Some(Config {
        url: r.required(&settings::SEQUENCE_API_URL, url, service_url),
        access_token: r.optional(&settings::SEQUENCE_ACCESS_TOKEN, secret),
        rule_secrets: rule_secrets(r),
        secret_argument: r.required(&settings::SEQUENCE_ALLOW_SECRET_ARGUMENT, false, boolean),
        telemetry: Telemetry {
            debug: r.required(&settings::DEBUG, false, boolean),
            format: r.required(&settings::LOG_FORMAT, LogFormat::Text, log_format),
            metrics: None,
            traces: None,
        },
    })
}

/// The secrets from the setting itself or from the file that it names. What is wrong is told without quoting any of it.
fn rule_secrets(r: &mut Reader<'_>) -> BTreeMap<RuleId, SecretString> {
    let setting = &settings::SEQUENCE_RULE_SECRETS;
    let Some(text) = r.optional(setting, |text| Some(text.to_owned())) else { return BTreeMap::new() };
    let json = if text.starts_with('{') {
        Ok(text)
    } else {
        std::fs::read_to_string(&text).map_err(|error| format!("names a file that cannot be read: {error}"))
    };
    json.and_then(|json| parse(&json)).unwrap_or_else(|cause| {
        r.refuse(setting, format!("is refused: it {cause}; expected {}", setting.allowed));
        BTreeMap::new()
    })
}

fn parse(json: &str) -> Result<BTreeMap<RuleId, SecretString>, String> {
    let object: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| format!("is no JSON object (line {}, column {})", error.line(), error.column()))?;
    let entries = object.iter().enumerate().map(|(index, (rule, value))| {
        let number = index + 1;
        let rule =
            rule.parse::<RuleId>().map_err(|no| format!("has an entry (number {number}) whose id {no}"))?;
        let value = value.as_str().and_then(secret);
        let value =
            value.ok_or_else(|| format!("has no text of visible ASCII characters for rule {rule}"))?;
        Ok((rule, value))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources::of(settings::ALL).with_environment(variables);
        Config::load(&sources)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn nothing_has_to_be_set() {
        let config = load(&[]).unwrap();
        assert_eq!(config.url.as_str(), "https://api.getsequence.io/");
        assert!(config.access_token.is_none() && config.rule_secrets.is_empty() && !config.secret_argument);
    }

    #[test]
    fn secrets_are_read_from_the_setting() {
        let config = load(&[("SEQUENCE_RULE_SECRETS", r#" {"rule_1": "sec-1", "b-2": "sec-2"} "#)]).unwrap();
        let pairs: Vec<_> = config
            .rule_secrets
            .iter()
            .map(|(rule, secret)| (rule.as_str(), secret.expose_secret()))
            .collect();
        assert_eq!(pairs, [("b-2", "sec-2"), ("rule_1", "sec-1")]);
        assert!(!format!("{config:?}").contains("sec-"), "Debug has no secret");
    }

    #[test]
    fn what_is_refused_is_never_quoted() {
        let refused = [
            ("SEQUENCE_API_URL", "http://api.example.com"),
            ("SEQUENCE_ACCESS_TOKEN", "two hush-words"),
            ("SEQUENCE_RULE_SECRETS", r#"{"hush/1": "x"}"#),
            ("SEQUENCE_RULE_SECRETS", r#"{"rule": 7}"#),
            ("SEQUENCE_RULE_SECRETS", r#"{"rule": "hush"#),
            ("SEQUENCE_RULE_SECRETS", "/nowhere/hush.json"),
        ]
        .map(|variable| load(&[variable]).unwrap_err());
        assert!(refused.iter().all(|problem| !problem.contains("hush")), "{refused:?}");
        insta::assert_snapshot!(refused.join("\n"), @r#"
        SEQUENCE_API_URL="http://api.example.com" (environment) is refused: expected an https URL (http on loopback) without query or fragment
        SEQUENCE_ACCESS_TOKEN=(hidden) (environment) is refused: expected an access token of visible ASCII characters
        SEQUENCE_RULE_SECRETS=(hidden) (environment) is refused: it has an entry (number 1) whose id must be 1 to 128 letters, digits, `_` or `-`; expected a JSON object of rule id to API secret, or the path of a file with one
        SEQUENCE_RULE_SECRETS=(hidden) (environment) is refused: it has no text of visible ASCII characters for rule rule; expected a JSON object of rule id to API secret, or the path of a file with one
        SEQUENCE_RULE_SECRETS=(hidden) (environment) is refused: it is no JSON object (line 1, column 14); expected a JSON object of rule id to API secret, or the path of a file with one
        SEQUENCE_RULE_SECRETS=(hidden) (environment) is refused: it names a file that cannot be read: No such file or directory (os error 2); expected a JSON object of rule id to API secret, or the path of a file with one
        "#);
    }
}
