//! The zegel command; everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    zegel::cli::main()
}
