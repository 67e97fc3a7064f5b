#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| zegel_fuzz::font(octets));
