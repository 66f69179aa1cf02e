//! Fuzzes the reports of `load`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[market_fuzz::Report::LoadForecast, market_fuzz::Report::ActualLoad],
    bytes
));
