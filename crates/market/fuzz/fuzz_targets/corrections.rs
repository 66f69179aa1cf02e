//! Fuzzes the reports of `corrections`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[market_fuzz::Report::RealTimeCorrections, market_fuzz::Report::DayAheadCorrections],
    bytes
));
