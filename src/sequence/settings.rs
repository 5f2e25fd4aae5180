//! The settings of `sequence-mcp`, on one page.

crate::config::settings::table! {
    #[secret yes]
    SEQUENCE_ACCESS_TOKEN = "none", "an access token of visible ASCII characters",
        "Token for `get_accounts`. Without it that one tool answers with an error.";
    #[secret yes]
    SEQUENCE_RULE_SECRETS = "none", "a JSON object of rule id to API secret, or the path of a file with one",
        "Secrets of the rules that `trigger_rule` may trigger.";
    SEQUENCE_ALLOW_SECRET_ARGUMENT = "false", "`true` or `false`",
        "Whether a rule without a secret in SEQUENCE_RULE_SECRETS can be triggered with a secret in the call. The secret then passes through the model and its provider.";
    SEQUENCE_API_URL = "https://api.getsequence.io", "an https URL (http on loopback) without query or fragment",
        "The API this server talks to. Token and secrets are sent to this host and no other.";
    LOG_FORMAT = "text", "`text` or `json`",
        "Format of the log lines on standard error.";
    DEBUG = "0", "`0` or `1`",
        "`1` logs at debug level. No log line at any level has arguments, tokens or secrets in it.";
}
