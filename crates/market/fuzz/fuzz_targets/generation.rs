//! Fuzzes the reports of `generation`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[
        market_fuzz::Report::Wind,
        market_fuzz::Report::WindByRegion,
        market_fuzz::Report::Solar,
        market_fuzz::Report::SolarByRegion
    ],
    bytes
));
