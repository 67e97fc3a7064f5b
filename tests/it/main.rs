//! The integration tests: everything over real sockets, on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod direction;
mod faults;
mod kill;
mod postfix;
mod process;
mod sink;
mod smtp;
mod spine;
mod twilio;
mod walk;
mod world;
