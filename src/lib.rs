//! zegel: an e-mail gateway that recognises sensitive mail and seals it.
//!
//! The modules stand in the order in which a mail meets them; a module may import only what stands above it (`tests/it/direction.rs` checks this).

// ── words: plain values, parsed once ──
pub mod address;
pub mod envelope;
pub mod fault;
pub mod message;
pub mod phone;
pub mod record;
pub mod secret;
pub mod time;
// ── judgement: bytes in, values out; no I/O, clock, randomness, log or async ──
pub mod detect;
pub mod extract;
// pub mod policy;
// pub mod inspect;
// ── making: values in, records and mails out; `now` and tokens are arguments ──
// pub mod seal;
// pub mod unlock;
// pub mod template;
// pub mod notice;
// ── world: each file knows one neighbour ──
// pub mod store;
// pub mod smtp;
// pub mod sms;
// pub mod sandbox;
// ── movers: they meet only through records in the store ──
// pub mod gateway;
// pub mod outbox;
// pub mod sweep;
// pub mod portal;
// ── putting it together ──
// pub mod config;
// pub mod serve;
// pub mod demo;
// pub mod cli;
