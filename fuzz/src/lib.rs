//! zegel's fuzz targets, for libFuzzer. They lie in `tests/fuzz/targets/`, since `cargo verify` replays their corpus too.

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

pub use targets::*;
