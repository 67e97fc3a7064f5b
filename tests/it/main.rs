//! The integration tests: everything over real sockets, on loopback.

mod sink;
mod smtp;
