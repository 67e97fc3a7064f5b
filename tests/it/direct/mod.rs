//! Direct delivery: mail itself goes where transport is verified, and nowhere else.

mod dns;
mod delivery;
mod names;
mod partner;
