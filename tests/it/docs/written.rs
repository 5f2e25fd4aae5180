//! What is written by hand: links lead somewhere, commands are commands, settings and error codes are those of the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use sequentum_mcp::{cli, config::settings, sequence};
use serde_json::Value;

/// Names that look like settings and belong to others: to libraries, to the tests, or to the public server that users come
/// from.
const FOREIGN_NAMES: [&str; 10] = [
    "HTTPS_PROXY",
    "MIMALLOC_ALLOW_THP",
    "NODE_ENV",
    "REDIS_SERVER",
    "SSL_CERT_FILE",
    "TCP_NODELAY",
    "TRANSPORT_MODE",
    "UPDATE_EXAMPLES",
    "UPDATE_README",
    "XDG_STATE_HOME",
];
/// Pages whose text is pinned or printed elsewhere, with what is data of a platform in it.
const PRINTED: [&str; 3] =
    ["docs/tool-reference.md", "docs/prompts-reference.md", "docs/resources-reference.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One page, taken apart.
#[derive(Default)]
struct Page {
    path: String,
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// Language and text of each block.
    blocks: Vec<(String, String)>,
    /// Code within sentences.
    spans: Vec<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut page =
            Self { path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), ..Self::default() };
        let mut heading: Option<String> = None;
        let mut block: Option<(String, String)> = None;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.add_anchor(&heading.take().unwrap()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let CodeBlockKind::Fenced(language) = kind else {
                        panic!("{}: a block of code names its language", page.path)
                    };
                    block = Some((language.into_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.push(block.take().unwrap()),
                Event::Text(text) => {
                    if let Some(into) = block.as_mut().map(|block| &mut block.1).or(heading.as_mut()) {
                        into.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    if let Some(heading) = heading.as_mut() {
                        heading.push_str(&code);
                    }
                    page.spans.push(code.into_string());
                }
                _ => {}
            }
        }
        page
    }

    /// The name that GitHub gives to a heading.
    fn add_anchor(&mut self, heading: &str) {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let name: String =
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.anchors.contains(name));
        self.anchors.extend(free);
    }
}

/// README, changelog and everything under docs and tests, by path.
fn pages() -> BTreeMap<PathBuf, Page> {
    let mut found = Vec::new();
    for name in ["README.md", "CHANGELOG.md"] {
        found.push(root().join(name));
    }
    for folder in ["docs", "tests"] {
        files(&root().join(folder), &mut found);
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(found.len() > 15, "{found:?}");
    found.into_iter().map(|path| (path.clone(), Page::read(&path))).collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
            files(&path, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut followed = 0;
    for (path, page) in &pages {
        for link in &page.links {
            if link.contains("://") || link.starts_with("mailto:") {
                assert!(url::Url::parse(link).is_ok(), "{}: {link}", page.path);
                continue;
            }
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let Ok(target) = target.canonicalize() else {
                broken.push(format!("{}: {link}: no such file", page.path));
                continue;
            };
            let has = |page: &Page| page.anchors.contains(anchor);
            if !anchor.is_empty() && !pages.get(&target).is_some_and(has) {
                broken.push(format!("{}: {link}: no such heading", page.path));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 80, "{followed} links");
}

#[test]
fn every_command_is_one() {
    let mut parsed = 0;
    for page in pages().values() {
        for (language, text) in &page.blocks {
            if language == "sh" {
                assert!(is_shell(text), "{}: bash does not understand:\n{text}", page.path);
                parsed += text.replace("\\\n", " ").lines().filter(|line| parses(&page.path, line)).count();
            }
        }
        for span in page.spans.iter().filter(|span| span.contains("-mcp ")) {
            parsed += usize::from(parses(&page.path, span));
        }
    }
    assert!(parsed > 15, "{parsed} commands");
}

fn is_shell(text: &str) -> bool {
    let shell = Command::new("bash").args(["-n", "-c", text]).stderr(Stdio::inherit()).status();
    shell.expect("there is a bash").success()
}

/// The two commands of this project.
const COMMANDS: [&str; 2] = ["sequentum-mcp", "sequence-mcp"];

/// Holds a line that runs a server against the real command line and the known settings; false if it does not run it.
fn parses(page: &str, line: &str) -> bool {
    let words = shlex::split(line).unwrap_or_else(|| panic!("{page}: {line}"));
    let ours = |word: &String| word.rsplit('/').next().is_some_and(|name| COMMANDS.contains(&name));
    let through_cargo = words.starts_with(&["cargo".to_owned(), "run".to_owned()]);
    let begin = if through_cargo {
        words.iter().position(|word| word == "--")
    } else {
        // `docker build --tag` and names of clusters' objects name it without running it.
        let runs = !words.iter().any(|word| word == "build" || word == "kubectl");
        words.iter().position(ours).filter(|_| runs)
    };
    let Some(begin) = begin else { return false };
    for assignment in &words[..begin] {
        let Some((name, _)) = assignment.split_once('=') else { continue };
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            assert!(is_known(name), "{page}: {line}: no setting {name}");
        }
    }
    let ends = |word: &&String| !matches!(word.as_str(), ">" | "|" | "&&" | ";" | "&");
    let arguments = words[begin + 1..].iter().take_while(ends).cloned();
    let name = words[begin].rsplit('/').next().unwrap();
    let command = if name == "sequence-mcp" { cli::sequence::command() } else { cli::command() };
    if let Err(error) = command.try_get_matches_from(std::iter::once(name.to_owned()).chain(arguments)) {
        assert!(!error.use_stderr(), "{page}: {line}\n{error}");
    }
    true
}

fn is_known(name: &str) -> bool {
    let mut settings = settings::ALL.iter().chain(sequence::settings::ALL);
    settings.any(|setting| setting.name == name || setting.aliases.contains(&name))
        || FOREIGN_NAMES.contains(&name)
        // The OpenTelemetry library reads its own.
        || name.starts_with("OTEL_")
}

#[test]
fn every_block_can_be_read() {
    let mut configurations = 0;
    for page in pages().values() {
        for (language, text) in &page.blocks {
            match language.as_str() {
                // Commands have a test of their own; YAML is read by the gate (step manifests).
                "sh" | "text" | "yaml" => {}
                "json" => {
                    let value = serde_json::from_str::<Value>(text);
                    let value = value.unwrap_or_else(|error| panic!("{}: {error}\n{text}", page.path));
                    configurations += started(&page.path, &value);
                }
                "toml" => {
                    let table = text.parse::<toml::Table>();
                    let table = table.unwrap_or_else(|error| panic!("{}: {error}", page.path));
                    for key in table.keys() {
                        assert!(is_known(&key.to_uppercase()), "{}: no setting {key}", page.path);
                    }
                }
                other => panic!("{}: nobody checks blocks of {other:?}", page.path),
            }
        }
    }
    assert!(configurations > 5, "{configurations} configurations start the server");
}

/// How many entries of a client's configuration start the server; each is held against the real command line.
fn started(page: &str, value: &Value) -> usize {
    let Some(members) = value.as_object() else { return 0 };
    let command = members.get("command").and_then(Value::as_str).unwrap_or_default();
    let words = |key: &str| -> Vec<String> {
        let words = members.get(key).and_then(Value::as_array).into_iter().flatten();
        words.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let line = std::iter::once(command.to_owned()).chain(words("args")).collect::<Vec<_>>();
    let line = shlex::try_join(line.iter().map(String::as_str)).unwrap();
    let own = !command.is_empty() && parses(page, &line);
    if own {
        for name in members.get("env").and_then(Value::as_object).into_iter().flat_map(|env| env.keys()) {
            assert!(is_known(name), "{page}: no setting {name}");
        }
    }
    usize::from(own) + members.values().map(|value| started(page, value)).sum::<usize>()
}

/// Words in capitals with an underline in them.
fn names_of_settings(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| {
        word.contains('_')
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && !word.ends_with('_')
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

#[test]
fn every_setting_that_is_named_exists() {
    let mut found = Vec::new();
    found.push(root().join("README.md"));
    found.push(root().join("Dockerfile"));
    files(&root().join("docs"), &mut found);
    let mut seen = 0;
    let mut unknown = Vec::new();
    for path in found {
        let page = path.strip_prefix(root()).unwrap().to_str().unwrap();
        if PRINTED.contains(&page) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for name in names_of_settings(&text) {
            seen += 1;
            if !is_known(name) {
                unknown.push(format!("{page}: {name}"));
            }
        }
    }
    assert_eq!(
        unknown,
        Vec::<String>::new(),
        "these are no settings; FOREIGN_NAMES lists what belongs to others"
    );
    assert!(seen > 150, "{seen} names");
}

/// The codes that answers carry, as they stand in the source: the first text of a `new` that makes an error, the member
/// `code` of an answer that is made by hand, and the list of what is wrong with tokens.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    let made = ["Problem::new(", "ToolError::new(", "Self::new("].into_iter().flat_map(|begin| {
        source.split(begin).skip(1).map(|rest| {
            let rest = rest.trim_start();
            // The status comes first in answers of the edge.
            rest.strip_prefix("StatusCode::")
                .map_or(rest, |rest| rest.split_once(',').map_or("", |(_, rest)| rest))
        })
    });
    let written = [r#""code": "#, r#""code":"#].into_iter().flat_map(|begin| source.split(begin).skip(1));
    let list = source.split("fn code(self) -> &'static str {").nth(1).unwrap_or_default();
    let list = list.split_once("\n    }\n").map_or("", |(list, _)| list);
    let listed = list.split("=>").skip(1);
    made.chain(written).chain(listed).filter_map(|rest| {
        let code = rest.trim_start().strip_prefix('"')?.split('"').next()?;
        let is_code = !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        is_code.then_some(code)
    })
}

#[test]
fn every_error_code_of_sequence_is_explained() {
    let page = fs::read_to_string(root().join("docs/sequence-banking.md")).unwrap();
    let (_, table) = page.split_once("## Errors").unwrap();
    let mut sources = Vec::new();
    files(&root().join("src/sequence"), &mut sources);
    let mut found: BTreeSet<String> =
        // Those that it borrows.
        ["invalid_arguments", "timeout", "cancelled", "internal_error"].map(str::to_owned).into();
    for path in &sources {
        let source = fs::read_to_string(path).unwrap();
        found.extend(codes(source.split("#[cfg(test)]").next().unwrap()).map(str::to_owned));
    }
    found.retain(|code| !table.contains(&format!("`{code}`")));
    assert_eq!(found, BTreeSet::new(), "docs/sequence-banking.md, Errors");
}

#[test]
fn every_error_code_is_explained() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let (_, table) = page.split_once("## All codes").unwrap();
    let mut missing = BTreeSet::new();
    let mut found = BTreeSet::new();
    for folder in ["src/auth", "src/http", "src/mcp", "src/tools"] {
        let mut sources = Vec::new();
        files(&root().join(folder), &mut sources);
        for path in sources.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        {
            let source = fs::read_to_string(path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for code in codes(source) {
                found.insert(code.to_owned());
                if !table.contains(&format!("`{code}`")) {
                    missing.insert(code.to_owned());
                }
            }
        }
    }
    assert_eq!(missing, BTreeSet::new(), "docs/troubleshooting.md, All codes");
    assert!(found.len() > 65, "{found:?}");
}

/// What stands under "Tested in" is there: a file of the tests or of the code, or a type.
#[test]
fn every_promise_names_a_test_that_exists() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, table) = page.split_once("| Promise | Tested in |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<_> = table.lines().skip(2).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let places = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for place in places.split(", ").map(|place| place.trim_matches('`')) {
            let known = match place.split_once("::") {
                Some((module, name)) => fs::read_to_string(root().join(format!("src/{module}.rs")))
                    .is_ok_and(|source| source.contains(name)),
                None => [root().join(place), root().join("src").join(place)].iter().any(|path| path.exists()),
            };
            assert!(known, "{place}: {row}");
        }
    }
}
