//! Fuzzes the reports of `ancillary_services`: files and pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| market_fuzz::read(
    &[
        market_fuzz::Report::DayAheadMcpc,
        market_fuzz::Report::RealTimeMcpc,
        market_fuzz::Report::ScedMcpc,
        market_fuzz::Report::AsPlan,
        market_fuzz::Report::AsCapability
    ],
    bytes
));
