//! SMTP (RFC 5321) on both legs: what an organisation's mail server says to zegel, and what zegel says to the next hop.
//!
//! [`server`] owns the sockets of the first leg and [`session`] its conversation, without a socket; [`client`] owns the second leg.
//! Between them stand [`Service`] and [`Handler`]: the gateway. [`codec`] is the body of DATA, the place where smuggling is stopped.

pub mod auth;
pub mod budget;
pub mod client;
pub mod codec;
pub mod command;
pub mod dane;
mod extensions;
mod network;
pub mod proxy;
pub mod reply;
pub mod server;
pub mod session;
pub mod spill;
mod stream;
pub mod tls;
mod trace;
mod xforward;

pub use auth::{Accounts, LoginLimits, Logins};
pub use budget::{Budget, Permit};
pub use command::EnvelopeCommand;
pub use extensions::Extensions;
pub use network::{Network, NetworkError};
pub use reply::{Enhanced, Reply};
pub use server::{Handler, Peer, ServerLimits, ServerOptions, Service, listen, serve};
pub use spill::{Content, SpillFolder};
pub use tls::TlsFacts;
pub use trace::Received;

/// The room that is kept in SIZE for the trace header which zegel puts on top: ours takes some 300 octets, with a long EHLO name 700.
pub const HEADER_ROOM: u64 = 1024;
