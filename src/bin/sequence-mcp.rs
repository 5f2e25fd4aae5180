//! The `sequence-mcp` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sequentum_mcp::cli::sequence::main()
}
