//! The zegel command; everything happens in the library.

fn main() {}
