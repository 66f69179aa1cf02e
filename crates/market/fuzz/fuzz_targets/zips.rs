//! Fuzzes zips and zips of zips.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read_zip(bytes));
