//! The seeds of the fuzz targets, held to the same promises as every input that `make fuzz` comes upon.

#[path = "../../fuzz/promises/cron.rs"]
mod cron;
#[path = "../../fuzz/promises/event.rs"]
mod event;

use std::path::Path;

#[track_caller]
fn check(target: &str, hold: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    assert!(seeds.map(|seed| hold(&seed)).count() > 50, "the seeds of {target} are there");
}

#[test]
fn every_seed_of_a_cron_expression_keeps_the_promises() {
    check("cron", cron::check);
}

#[test]
fn every_seed_of_an_event_keeps_the_promises() {
    check("event", event::check);
}
