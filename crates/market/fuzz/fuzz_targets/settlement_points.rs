//! Fuzzes the lists of settlement points.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read_settlement_points(bytes));
