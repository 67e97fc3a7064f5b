//! One file per bug that was found after its code was thought right.

mod bucket_key_race;
mod same_person_twice;
