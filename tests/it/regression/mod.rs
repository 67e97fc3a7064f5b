//! One file per bug that was found after its code was thought right.

mod bounce_by_an_account;
mod bucket_key_race;
mod clock_that_ran_ahead;
mod hop_hangs_at_rset;
mod hop_lost_between_recipients;
mod hop_well_again;
mod letter_too_long;
mod letter_unopened;
mod outside_sender_untold;
mod pending_left_behind;
mod route_in_the_address;
mod same_person_twice;
pub(crate) mod unreadable_rows;
