//! What a request to the agent builder may lack: the site, or everything.

use serde_json::Value;

use super::{Answers, Details, Field, Object, Question};
use crate::tools::untrusted;

/// Of `start_agent_build` and `build-agent-from-prompt`, which both call it `prompt`.
pub static BUILD: Details = Details { missing, complete };

const PROMPT: &str = "prompt";
/// Characters of the request that are shown in the question.
const SHOWN: usize = 200;

const SITE: Field = Field {
    name: "site",
    title: "Site",
    description: "Address of the site or page, such as https://shop.example.",
    min: 3,
    max: 500,
};
const TARGET: Field = Field {
    name: "target",
    title: "What to extract",
    description: "The data wanted, in your own words.",
    min: 3,
    max: 4000,
};
static ONLY_SITE: [Field; 1] = [SITE];
static SITE_AND_TARGET: [Field; 2] = [SITE, TARGET];

fn missing(arguments: &Object) -> Option<Question> {
    let prompt = match arguments.get(PROMPT) {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text.trim(),
        Some(_) => return None,
    };
    if prompt.is_empty() {
        let message = "Which site is the new agent to read, and what is it to extract?".to_owned();
        return Some(Question { message, fields: &SITE_AND_TARGET });
    }
    (!names_a_site(prompt)).then(|| {
        let shown = untrusted::quoted(prompt, SHOWN);
        let message =
            format!("The request for a new agent names no address: {shown}. Which site is it to read?");
        Question { message, fields: &ONLY_SITE }
    })
}

/// The user's words stay as they are; the site is added behind them.
fn complete(arguments: &mut Object, answers: &Answers) {
    let wanted = answers.get(TARGET.name).map(String::as_str);
    let wanted = wanted.or_else(|| arguments.get(PROMPT)?.as_str()).unwrap_or_default().trim();
    let site = answers.get(SITE.name).map(String::as_str).unwrap_or_default();
    let prompt = format!("{wanted} (site: {site})");
    arguments.insert(PROMPT.to_owned(), prompt.into());
}

/// Whether a word of the text looks like an address: `https://...`, `shop.example`, `www.shop.example/shoes`, an IP address.
/// A site that is named in words only ("the shop of Acme") is asked for; the user may answer with the same words.
fn names_a_site(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || "()[]{}<>\"'`,;“”".contains(c));
    words.map(|word| word.trim_end_matches(['.', ':', '!', '?'])).any(|word| {
        let (explicit, rest) = match word.split_once("://") {
            Some((_, rest)) => (true, rest),
            None => (false, word),
        };
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        if explicit || host.parse::<std::net::Ipv4Addr>().is_ok() {
            return !host.is_empty();
        }
        host.rsplit_once('.').is_some_and(|(name, last)| {
            let part = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            };
            name.split('.').all(part) && last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(arguments: &Value) -> Option<(String, Vec<&'static str>)> {
        let question = missing(arguments.as_object().unwrap())?;
        Some((question.message, question.fields.iter().map(|field| field.name).collect()))
    }

    #[test]
    fn an_address_is_recognised() {
        for text in [
            "Shoes on https://shop.example",
            "Shoes on shop.example, with sizes.",
            "everything from (www.shop.example/shoes?page=2).",
            "http://127.0.0.1:8080/list",
            "10.0.0.7:8080 please",
            "Preise von münchen.example",
        ] {
            assert!(names_a_site(text), "{text}");
        }
        for text in
            ["", "Shoes on Acme", "Price, size. Colour", "version 2.5", "e.g. shoes", "a ... b", "://"]
        {
            assert!(!names_a_site(text), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_and_nothing_else() {
        let both = Some(vec!["site", "target"]);
        for nothing in [json!({}), json!({"prompt": null}), json!({"prompt": " \n"})] {
            assert_eq!(asked(&nothing).map(|(_, fields)| fields), both, "{nothing}");
        }
        let (message, fields) = asked(&json!({"prompt": "All\u{202e} “shoes”\nof Acme"})).unwrap();
        assert_eq!(fields, ["site"]);
        insta::assert_snapshot!(message, @r#"The request for a new agent names no address: “All "shoes" of Acme”. Which site is it to read?"#);
        for complete in [json!({"prompt": "Shoes on shop.example"}), json!({"prompt": 7})] {
            assert_eq!(asked(&complete), None, "{complete}");
        }
    }

    #[test]
    fn answers_are_added_to_the_users_words() {
        let completed = |arguments: Value, answers: &[(&'static str, &str)]| {
            let mut arguments = arguments.as_object().unwrap().clone();
            let answers = answers.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
            complete(&mut arguments, &answers);
            Value::Object(arguments)
        };
        assert_eq!(
            completed(json!({"prompt": " Shoes of Acme ", "spaceId": 1}), &[("site", "acme.example")]),
            json!({"prompt": "Shoes of Acme (site: acme.example)", "spaceId": 1})
        );
        assert_eq!(
            completed(json!({}), &[("site", "Acme"), ("target", "Shoes")]),
            json!({"prompt": "Shoes (site: Acme)"})
        );
    }
}
