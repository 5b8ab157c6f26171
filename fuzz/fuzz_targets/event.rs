//! Any bytes as an event.

#![no_main]

#[path = "../promises/event.rs"]
mod event;

libfuzzer_sys::fuzz_target!(|data: &[u8]| event::check(data));
