//! The `sequentum-mcp` command.

use std::process::ExitCode;

/// A quarter less CPU per request than the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sequentum_mcp::cli::main()
}
