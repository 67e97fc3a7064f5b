//! zegel: an e-mail gateway that recognises sensitive mail and seals it.
//!
//! The modules stand in the order in which a mail meets them; a module may import only what stands above it (`tests/it/direction.rs` checks this).

// ── words: plain values, parsed once ──
pub mod fault;
pub mod time;
pub mod address;
pub mod phone;
pub mod secret;
pub mod envelope;
pub mod message;
pub mod record;
// ── judgement: bytes in, values out; no I/O, clock, randomness, log or async ──
pub mod extract;
pub mod detect;
pub mod policy;
pub mod inspect;
// ── making: values in, records and mails out; `now` is an argument ──
pub mod seal;
pub mod processed;
pub mod unlock;
pub mod template;
pub mod notice;
pub mod grant;
pub mod release;
pub mod recall;
// ── world: each file knows one neighbour ──
pub mod clock;
pub mod metrics;
pub mod http;
pub mod store;
pub mod dns;
pub mod mta_sts;
pub mod smtp;
pub mod sms;
pub mod sandbox;
// ── movers: they meet only through records in the store ──
pub mod gateway;
pub mod outbox;
pub mod sweep;
pub mod portal;
// ── putting it together ──
pub mod config;
pub mod control;
pub mod serve;
pub mod demo;
pub mod cli;
