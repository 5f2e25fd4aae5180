//! Generated pages are fresh, and the README's promises hold.

mod written;

use std::{fs, process::Command};

use sequentum_mcp::{prompts::Prompts, resources::KINDS, tools::Catalog};

fn printed(page: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp")).args(["catalog", page]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_tool_reference_is_fresh() {
    assert!(
        file("docs/tool-reference.md") == printed("tools"),
        "run: cargo run -- catalog tools > docs/tool-reference.md"
    );
}

#[test]
fn the_prompt_and_resource_references_are_fresh() {
    for page in ["prompts", "resources"] {
        assert!(
            file(&format!("docs/{page}-reference.md")) == printed(page),
            "run: cargo run -- catalog {page} > docs/{page}-reference.md"
        );
    }
}

#[test]
fn the_references_are_there_as_json() {
    let templates = KINDS.iter().filter(|kind| kind.is_template()).count();
    for (page, member, count) in [
        ("tools", "tools", Catalog::new().rows().len()),
        ("prompts", "prompts", Prompts::new().unwrap().all().len()),
        ("resources", "resources", KINDS.len() - templates),
        ("resources", "resourceTemplates", templates),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"))
            .args(["catalog", page, "--json"])
            .output()
            .unwrap();
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed[member].as_array().unwrap().len(), count, "{page}");
    }
}

#[test]
fn the_configuration_page_is_fresh() {
    assert!(
        file("docs/configuration.md") == printed("configuration"),
        "run: cargo run -- catalog configuration > docs/configuration.md"
    );
}

#[test]
fn the_lists_in_the_readme_are_fresh() {
    const BEGIN: &str = "cargo test --test it the_lists -->\n";
    const END: &str = "<!-- end of what is printed -->\n";
    let readme = file("README.md");
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{BEGIN}{}{END}{after}", printed("readme"));
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(format!("{}/README.md", env!("CARGO_MANIFEST_DIR")), &fresh).unwrap();
    }
    assert!(fresh == readme, "run: UPDATE_README=1 cargo test --test it the_lists");
}

#[test]
fn the_page_about_sequence_has_every_setting() {
    let page = file("docs/sequence-banking.md");
    for setting in sequentum_mcp::sequence::settings::ALL {
        let row = format!("| `{}` | {} | ", setting.name, setting.default);
        assert!(page.contains(&row), "docs/sequence-banking.md lacks {row}");
    }
}

#[test]
fn a_refused_configuration_ends_the_start_with_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"))
        .args(["serve", "--port", "many"])
        .env("HOST", "0.0.0.0")
        .env("SESSION_KEY", "short")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r#"
    The configuration was refused:
      - PUBLIC_URL (unset) is needed because HOST=0.0.0.0 is not loopback: set it to an origin such as https://mcp.example.com (https, or http on loopback; no path)
      - --port="many" is refused: expected a port number from 0 to 65535 (0 = any free port)
      - SESSION_KEY=(hidden) (environment) is refused: expected one or more keys of 32 bytes in base64url or hex, separated by commas; the first seals, all open
    Run `sequentum-mcp --help` for all settings.
    "#);
}
