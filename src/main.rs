//! The `sequentum-mcp` command.
fn main() {}
