//! Fuzzes the reports of `adders`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[market_fuzz::Report::ScedAdders, market_fuzz::Report::SettlementAdders],
    bytes
));
