//! The configuration page, printed from the table of settings.

use std::fmt::Write as _;

use super::settings::ALL;

/// `docs/configuration.md`, complete.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         <!-- Printed by `sequentum-mcp catalog configuration`. Do not edit: change src/config/settings.rs. -->\n\n\
         A setting is taken from its command-line flag, or else from the environment, or else from the TOML file named by\n\
         `--config`, or else it has its default. One name serves everywhere: `PUBLIC_URL` in the environment is\n\
         `--public-url` as a flag and `public_url` in the file. All settings are checked at start; with a bad value the\n\
         server does not start, and says which key, which value and what is allowed.\n\n\
         | Setting | Default | Meaning | Expected |\n| --- | --- | --- | --- |\n",
    );
    for setting in ALL {
        let aliases = if setting.aliases.is_empty() {
            String::new()
        } else {
            format!("<br>(also `{}`)", setting.aliases.join("`, `"))
        };
        let secret = if setting.secret { " Secret: environment or file only." } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}`{aliases} | {} | {}{secret} | {} |",
            setting.name, setting.default, setting.help, setting.allowed
        );
    }
    page
}
