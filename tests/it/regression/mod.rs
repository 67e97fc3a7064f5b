//! One file per bug that was found after its code was thought right.

mod bucket_key_race;
mod hop_lost_between_recipients;
mod letter_too_long;
mod recipient_twice;
