//! Reads recorded answers of EC2 from standard input, a JSON list, and writes what the function's readers make of each to
//! standard output: a door for tests (`tests/local/test_transcripts.py`).

use opendlm::aws::{Transcript, replay};
use std::io;

fn main() {
    let transcripts: Vec<Transcript> = serde_json::from_reader(io::stdin()).expect("a JSON list of answers");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let read = runtime.block_on(async {
        let mut read = Vec::new();
        for transcript in &transcripts {
            read.push(replay(transcript).await);
        }
        read
    });
    serde_json::to_writer(io::stdout(), &read).expect("somebody reads it");
}
