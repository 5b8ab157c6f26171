//! Whole simulated runs: how long they take, and how many calls, turns and transitions.

use jiff::SignedDuration;
use opendlm::pace::Share;
use opendlm::sim::fleet::run::{Calls, Conditions, Ended, Shell, run};
use opendlm::turn::RunOutcome;
use serde_json::{Value, json};

/// What is simulated where no number of volumes is given.
const VOLUMES: [u32; 4] = [1, 100, 1_000, 10_000];

/// What may be said beside the numbers of volumes: first what the shell does otherwise than today, each a field of
/// [`Shell`]; then what the runs meet, each a field of [`Conditions`].
pub(super) const WORDS: [&str; 10] = [
    "timeout=SECONDS",
    "work-seconds-max=SECONDS",
    "creation-seconds-max=SECONDS",
    "deletion-seconds-max=SECONDS",
    "memory=MB",
    "wait-after-deletions=SECONDS",
    "others=THOUSANDTHS",
    "share=PER_CENT",
    "pending=SNAPSHOTS",
    "page=MILLISECONDS",
];

/// What was asked for.
struct Asked {
    volumes: Vec<u32>,
    shell: Shell,
    conditions: Conditions,
    /// The words about the shell: its name.
    shell_words: Vec<String>,
}

/// Simulates a run for each number of volumes, with what the words say.
///
/// # Errors
/// The first word that is none.
pub(super) fn runs(words: &[String]) -> Result<(), String> {
    let asked = read(words)?;
    let name = if asked.shell_words.is_empty() { "today".to_owned() } else { asked.shell_words.join(" ") };
    for &volumes in &asked.volumes {
        println!("{}", line(volumes, &name, &asked));
    }
    Ok(())
}

fn line(volumes: u32, name: &str, asked: &Asked) -> Value {
    let ran = run(volumes, &asked.shell, asked.conditions);
    let outcome = match ran.outcome {
        Ended::CutOff => "CUT_OFF",
        Ended::Done(RunOutcome::Partial) => "PARTIAL",
        Ended::Done(RunOutcome::Skipped) => "SKIPPED",
        Ended::Done(RunOutcome::Succeeded) => "SUCCEEDED",
    };
    json!({
        "Volumes": volumes,
        "Shell": name,
        "Outcome": outcome,
        "CreatedAfterSeconds": seconds(ran.created_after),
        "DoneAfterSeconds": seconds(ran.done_after),
        "Throttled": ran.throttled,
        "Calls": calls(ran.calls),
        "CallsMin": calls(Calls::minimum(volumes)),
        "Held": ran.held,
        "Turns": ran.turns,
        "Invocations": ran.invocations,
        "InvocationSeconds": seconds(ran.invoked),
        "Transitions": ran.transitions,
    })
}

/// How often each call was made that a run makes.
fn calls(calls: Calls) -> Value {
    let made = calls.0.iter().filter(|(_, made)| **made > 0).map(|(api, made)| (api.name().to_owned(), json!(made)));
    made.chain([("Total".to_owned(), json!(calls.total()))]).collect::<serde_json::Map<_, _>>().into()
}

fn seconds(duration: SignedDuration) -> f64 {
    duration.as_secs_f64()
}

fn read(words: &[String]) -> Result<Asked, String> {
    let mut asked =
        Asked { volumes: Vec::new(), shell: Shell::TODAY, conditions: Conditions::ALONE, shell_words: Vec::new() };
    for word in words {
        if let Ok(volumes) = word.parse() {
            asked.volumes.push(volumes);
        } else if change(&mut asked.shell, word).is_some() {
            asked.shell_words.push(word.clone());
        } else {
            set(&mut asked.conditions, word).ok_or_else(|| word.clone())?;
        }
    }
    if asked.volumes.is_empty() {
        asked.volumes.extend(VOLUMES);
    }
    Ok(asked)
}

/// Changes the shell as a word says; `None` when it says nothing about the shell.
fn change(shell: &mut Shell, word: &str) -> Option<()> {
    match word.split_once('=') {
        Some(("timeout", seconds)) => shell.timeout_seconds = seconds.parse().ok()?,
        Some(("work-seconds-max", seconds)) => shell.work_seconds_max = seconds.parse().ok()?,
        Some(("creation-seconds-max", seconds)) => shell.creation_seconds_max = seconds.parse().ok()?,
        Some(("deletion-seconds-max", seconds)) => shell.deletion_seconds_max = seconds.parse().ok()?,
        Some(("memory", mb)) => shell.memory_mb = mb.parse().ok()?,
        Some(("wait-after-deletions", seconds)) => shell.wait_after_deletions_seconds_max = seconds.parse().ok()?,
        _ => return None,
    }
    Some(())
}

/// Changes what a run meets as a word says; `None` when it says nothing about that.
fn set(conditions: &mut Conditions, word: &str) -> Option<()> {
    match word.split_once('=') {
        Some(("others", thousandths)) => conditions.others_thousandths = thousandths.parse().ok()?,
        Some(("share", per_cent)) => conditions.share = Share::of_per_cent(per_cent.parse().ok()?)?,
        Some(("page", millis)) => conditions.page = SignedDuration::from_millis(millis.parse().ok()?),
        Some(("pending", snapshots)) => conditions.pending_max = Some(snapshots.parse().ok()?),
        _ => return None,
    }
    Some(())
}
