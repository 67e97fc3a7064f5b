//! The zegel command; everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else, since a worker must not do more than it needs to.
    zegel::sandbox::work_if_told(zegel::extract::file_to);
    zegel::cli::main()
}
