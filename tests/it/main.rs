//! The integration tests: everything over real sockets, on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "the modules of a test binary serve each other")]

mod bounces;
mod carrier;
mod contacts;
mod deadline;
mod direct;
mod direction;
mod dkim;
mod explained;
mod faults;
mod files_only;
mod genuine;
#[path = "../formats/mod.rs"]
mod formats;
mod kill;
mod loops;
mod mixed;
mod model;
mod mutated;
mod null_sender;
mod openly;
mod outbox;
mod pictures;
mod policies;
mod portal;
mod postfix;
mod process;
#[path = "../processes/mod.rs"]
mod processes;
mod reminders;
mod regression;
mod reports;
mod run;
mod sink;
mod smtp;
mod soak;
mod spine;
mod status;
mod stolen;
mod walk;
mod workers;
mod world;
