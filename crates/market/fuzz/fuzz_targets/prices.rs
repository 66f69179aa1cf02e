//! Fuzzes the reports of `prices`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[market_fuzz::Report::Lmp, market_fuzz::Report::Spp, market_fuzz::Report::DayAheadSpp],
    bytes
));
