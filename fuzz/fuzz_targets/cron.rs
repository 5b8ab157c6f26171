//! Any bytes as a cron expression.

#![no_main]

#[path = "../promises/cron.rs"]
mod cron;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cron::check(data));
