//! Where a value comes from: flag before environment before file, and how a bad one is reported.

use std::{collections::BTreeMap, fmt};

use super::settings::{self, Setting};

/// The raw texts of all three layers. Built once at start; tests build it by hand.
#[derive(Debug, Clone)]
pub struct Sources {
    known: &'static [&'static Setting],
    flags: BTreeMap<&'static str, String>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl Default for Sources {
    /// For the settings of `sequentum-mcp`.
    fn default() -> Self {
        Self::of(settings::ALL)
    }
}

impl Sources {
    /// For a table of settings.
    #[must_use]
    pub fn of(known: &'static [&'static Setting]) -> Self {
        Self { known, flags: BTreeMap::new(), environment: BTreeMap::new(), file: BTreeMap::new() }
    }

    /// Values given on the command line, by setting.
    #[must_use]
    pub fn with_flag(mut self, setting: &Setting, value: impl Into<String>) -> Self {
        self.flags.insert(setting.name, value.into());
        self
    }

    /// Environment variables; variables that are no setting are ignored.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = |name: &str| {
            self.known.iter().any(|setting| setting.name == name || setting.aliases.contains(&name))
        };
        self.environment.extend(variables.into_iter().filter(|(name, _)| known(name)));
        self
    }

    /// The text of a TOML file whose keys are the settings' names in lower case.
    ///
    /// # Errors
    ///
    /// A file that is no TOML, a key that is no setting, or a value that is a table.
    pub fn with_file(mut self, text: &str) -> Result<Self, Problem> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| Problem {
            subject: "the configuration file".to_owned(),
            // The message only: the excerpt that toml adds would print a secret's line.
            cause: format!("is not valid TOML: {}", error.message()),
        })?;
        for (key, value) in table {
            if !self.known.iter().any(|setting| setting.key() == key) {
                let known: Vec<_> = self.known.iter().map(|setting| setting.key()).collect();
                return Err(Problem {
                    subject: format!("`{key}` (configuration file)"),
                    cause: format!("is not a setting. Known ones: {}", known.join(", ")),
                });
            }
            let value = plain(&value).ok_or_else(|| Problem {
                subject: format!("`{key}` (configuration file)"),
                cause: "must be a text, a number, a boolean or a list of texts".to_owned(),
            })?;
            self.file.insert(key, value);
        }
        Ok(self)
    }

    /// What `read` makes of all settings, unless there is a problem with any.
    pub(crate) fn read<C>(&self, read: impl FnOnce(&mut Reader<'_>) -> Option<C>) -> Result<C, Vec<Problem>> {
        let mut reader = Reader { sources: self, problems: Vec::new() };
        match (read(&mut reader), reader.problems) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }

    /// The value of a setting and where it was found. An empty text counts as unset.
    fn find(&self, setting: &Setting) -> Option<(&str, Origin)> {
        let mut names = std::iter::once(setting.name).chain(setting.aliases.iter().copied());
        let flag = || Some((text(self.flags.get(setting.name))?, Origin::Flag));
        let environment = || {
            names.find_map(|name| {
                Some((text(self.environment.get(name))?, Origin::Environment(name.to_owned())))
            })
        };
        let file = || Some((text(self.file.get(&setting.key()))?, Origin::File));
        flag().or_else(environment).or_else(file)
    }
}

/// A value without the spaces around it, if anything is left then.
fn text(value: Option<&String>) -> Option<&str> {
    value.map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

#[derive(Debug)]
enum Origin {
    Flag,
    Environment(String),
    File,
}

/// One reason why the configuration was refused: which setting, and what is allowed instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting with its value (never a secret's) and where it was found.
    pub subject: String,
    /// What is wrong and what would be right.
    pub cause: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.cause)
    }
}

/// Reads settings one by one and collects every problem, so that one start reports them all.
pub(crate) struct Reader<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// The parsed value if the setting is set; `None` if it is unset or was refused.
    pub(crate) fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let (value, origin) = self.sources.find(setting)?;
        let parsed = parse(value);
        if parsed.is_none() {
            let subject = describe(setting, value, &origin);
            self.problems
                .push(Problem { subject, cause: format!("is refused: expected {}", setting.allowed) });
        }
        parsed
    }

    /// The parsed value, or the setting's own default.
    pub(crate) fn required<T>(
        &mut self,
        setting: &Setting,
        fallback: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        self.optional(setting, parse).unwrap_or(fallback)
    }

    /// A whole number within bounds; defaults to the number in the table.
    pub(crate) fn number(&mut self, setting: &Setting, bounds: std::ops::RangeInclusive<u64>) -> u64 {
        let fallback = setting.default.parse().unwrap_or(*bounds.start());
        self.required(setting, fallback, |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && bounds.contains(number))
        })
    }

    /// A rule between settings was broken.
    pub(crate) fn refuse(&mut self, setting: &Setting, cause: impl Into<String>) {
        let subject = match self.sources.find(setting) {
            Some((value, origin)) => describe(setting, value, &origin),
            None => format!("{} (unset)", setting.name),
        };
        self.problems.push(Problem { subject, cause: cause.into() });
    }
}

fn describe(setting: &Setting, value: &str, origin: &Origin) -> String {
    let value = if setting.secret { "(hidden)".to_owned() } else { format!("{value:?}") };
    match origin {
        Origin::Flag => format!("--{}={value}", setting.flag().unwrap_or_default()),
        Origin::Environment(name) => format!("{name}={value} (environment)"),
        Origin::File => format!("{} = {value} (configuration file)", setting.key()),
    }
}
