#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| zegel_fuzz::archive_of_any_kind(octets));
