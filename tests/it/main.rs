//! The integration tests: everything over real sockets, on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sink;
mod smtp;
