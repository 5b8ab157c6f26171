//! The reader against policies that people published. They are not part of the project: the folder is named by
//! `OPENDLM_POLICIES`, or lies beside the project as `../shared/policies`.

use opendlm::policy::Policy;
use opendlm::policy::decode::{self, Finding, IdRule, Reading};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Says something that a test run shows even where all is well: the test harness captures what `println!` prints.
macro_rules! say {
    ($($text:tt)*) => {
        writeln!(std::io::stderr(), $($text)*).expect("standard error takes a line")
    };
}
pub(crate) use say;

/// What a person has to be told about each refused policy: the number of its file, and parts of the errors.
const REFUSED: [(&str, &[&str]); 20] = [
    ("036", &["Actions[0].CrossRegionCopy[0].Target: missing", "Schedules[0].CreateRule.Interval: expected 1"]),
    ("037", &["Actions[0].CrossRegionCopy[0].Target: missing", "EncryptionConfiguration.Encryption: unknown key"]),
    ("039", &["CrossRegionCopyRules: two rules copy to us-west-2"]),
    ("046", &["Schedules[1].CreateRule.CronExpression: has 5 fields, expected 6"]),
    ("049", &["PolicyDetails.TargetTags: missing"]),
    ("063", &["PolicyDetails.Schedules: Schedules on a default", "PolicyDetails.TargetTags: TargetTags on a default"]),
    ("064", &["CreateRule.IntervalUnit: expected HOURS but got \"WEEKS\""]),
    ("100", &["EventSource.Parameters.DescriptionRegex: missing"]),
    ("102", &["Schedules[1].CreateRule.CronExpression: has 7 fields, expected 6"]),
    ("134", &["Interval: expected a whole number from 1", "IntervalUnit: expected DAYS", "AvailabilityZones: missing"]),
    ("136", &["FastRestoreRule.AvailabilityZones: missing"]),
    ("137", &["CrossRegionCopyRules[0].CmkArn: expected the ARN of a KMS key"]),
    ("140", &["PolicyDetails.VariableTags: unknown key", "VariableTags belongs in PolicyDetails.Schedules[]"]),
    ("142", &["CreateRule.IntervalUnit: expected HOURS but got \"DAYS\""]),
    ("143", &["Schedules[0].CrossRegionCopy: unknown key", "did you mean CrossRegionCopyRules?"]),
    ("144", &["Schedules[0].RetentionRule: unknown key", "did you mean RetainRule?", "RetainRule: missing"]),
    ("146", &["PolicyDetails.CrossRegionCopyRules: unknown key", "TargetTags: missing", "CreateInterval: expected"]),
    ("147", &["ResourceTypes[0]: expected INSTANCE or VOLUME but got \"IMAGE\"", "Exclusions.Tags: unknown key"]),
    ("151", &["TargetTags: missing", "Schedules: missing", "Actions: Actions on a snapshot policy, expected only on"]),
    ("157", &["CrossRegionCopyRules[0].RetainRule.Count: unknown key", "CreateRule.DayOfWeek: unknown key"]),
];

const DESCRIPTION: &str = "Description: expected at most 500 letters, digits";
const EXCLUDE_BOOT: &str = "Parameters.ExcludeBootVolume: ExcludeBootVolume means nothing on";
const LIST_OF_ONE: &str = "taken as a list of one";
const NO_REBOOT: &str = "Parameters.NoReboot: NoReboot means nothing on a snapshot policy";
const TARGET: &str = "Target: Target is read as TargetRegion";
const TARGET_REGION: &str = "TargetRegion: TargetRegion is read as Target";

/// What each policy is warned of, and nothing else.
const WARNED: [(&str, &[&str]); 20] = [
    ("013", &["TagsToAdd[0]: $(timestamp) is taken literally", "TagsToAdd[1]: $(instance-id) is taken literally"]),
    ("033", &[NO_REBOOT]),
    ("056", &[EXCLUDE_BOOT]),
    ("057", &[NO_REBOOT]),
    ("058", &[EXCLUDE_BOOT]),
    ("060", &[EXCLUDE_BOOT]),
    ("067", &[TARGET]),
    ("094", &[LIST_OF_ONE, "CreateRule.Location: expected a word but got a list of one"]),
    ("095", &[LIST_OF_ONE]),
    ("105", &["Exclusions.ExcludeBootVolume: ExcludeBootVolume is read as ExcludeBootVolumes"]),
    ("111", &[TARGET, EXCLUDE_BOOT]),
    ("127", &[DESCRIPTION]),
    ("129", &[DESCRIPTION]),
    ("130", &[TARGET_REGION]),
    ("131", &[TARGET_REGION]),
    ("132", &[TARGET_REGION]),
    ("133", &[DESCRIPTION]),
    ("138", &[TARGET_REGION]),
    ("139", &[TARGET_REGION]),
    ("158", &[TARGET_REGION]),
];

/// A policy, and what the reader must say of it.
pub(crate) struct Published {
    pub(crate) file: String,
    verdict: String,
    pub(crate) document: Value,
}

/// The policies; `None`, and a word why, when nobody said where they are and they are not in their usual place.
pub(crate) fn published() -> Option<Vec<Published>> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/policies");
    let folder = match std::env::var_os("OPENDLM_POLICIES") {
        Some(folder) => PathBuf::from(folder),
        None if usual.is_dir() => usual,
        None => {
            say!("skipped: OPENDLM_POLICIES is not set and {} is no folder", usual.display());
            return None;
        }
    };
    let path = folder.join("expected.tsv");
    let table = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(table.lines().skip(1).map(|line| row(&folder, line)).collect())
}

fn row(folder: &Path, line: &str) -> Published {
    let (file, rest) = line.split_once('\t').expect("a line has a file and a verdict");
    let verdict = rest.split('\t').next().unwrap_or(rest);
    let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    Published { file: file.to_owned(), verdict: verdict.to_owned(), document }
}

fn read(document: &Value) -> Reading<Policy> {
    decode::policy(document, "", IdRule::Optional)
}

/// What is not carried out yet does not count: it was understood.
fn verdict(reading: &Reading<Policy>) -> &'static str {
    match (reading.errors.is_empty(), reading.warnings.is_empty()) {
        (false, _) => "reject",
        (true, false) => "warn",
        (true, true) => "accept",
    }
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect()
}

/// The policies with that verdict beside their line of `table`, of which each has one.
fn beside<'a>(
    published: &'a [Published],
    verdict: &str,
    table: &[(&str, &'static [&'static str])],
) -> Vec<(&'a Published, &'static [&'static str])> {
    let rows: Vec<&Published> = published.iter().filter(|policy| policy.verdict == verdict).collect();
    assert_eq!(rows.len(), table.len(), "{verdict}");
    let parts = |policy: &Published| table.iter().find(|(number, _)| policy.file.starts_with(number)).map(|row| row.1);
    rows.into_iter().map(|policy| (policy, parts(policy).unwrap_or_else(|| panic!("{}", policy.file)))).collect()
}

#[test]
fn published_policies_get_the_expected_verdict() {
    let Some(published) = published() else { return };
    let mut wrong = Vec::new();
    for Published { file, verdict: expected, document } in &published {
        let reading = read(document);
        if verdict(&reading) != expected {
            let said = [lines(&reading.errors), lines(&reading.warnings)];
            wrong.push(format!("{file}: {}, expected {expected}: {said:#?}", verdict(&reading)));
        }
    }
    let right = published.len() - wrong.len();
    say!("{right} of {} policies get the expected verdict", published.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many of the policies without an error opendlm can carry out. It only ever goes up: what is missing are AMIs,
/// event-based policies, scripts, archiving, sharing and fast restore.
const CARRIED_OUT_MIN: usize = 105;

#[test]
fn most_readable_policies_can_be_carried_out() {
    let Some(published) = published() else { return };
    let readings: Vec<Reading<Policy>> = published.iter().map(|policy| read(&policy.document)).collect();
    let readable: Vec<&Reading<Policy>> = readings.iter().filter(|reading| reading.errors.is_empty()).collect();
    let carried_out = readable.iter().filter(|reading| reading.not_supported.is_empty()).count();
    say!("{carried_out} of {} readable policies can be carried out", readable.len());
    assert!(carried_out >= CARRIED_OUT_MIN, "{carried_out} of {}, expected {CARRIED_OUT_MIN}", readable.len());
    assert!(readable.iter().all(|reading| reading.value.is_some() == reading.not_supported.is_empty()));
}

#[test]
fn refused_policies_hear_of_every_mistake() {
    let Some(published) = published() else { return };
    for (policy, parts) in beside(&published, "reject", &REFUSED) {
        let errors = lines(&read(&policy.document).errors);
        for part in parts {
            assert!(errors.iter().any(|line| line.contains(part)), "{}: {part}: {errors:#?}", policy.file);
        }
    }
}

#[test]
fn policies_are_warned_of_nothing_else() {
    let Some(published) = published() else { return };
    for (policy, parts) in beside(&published, "warn", &WARNED) {
        let warnings = lines(&read(&policy.document).warnings);
        let is_expected = |line: &String| parts.iter().any(|part| line.contains(part));
        let is_said = |part: &&str| warnings.iter().any(|line| line.contains(*part));
        assert!(warnings.iter().all(is_expected) && parts.iter().all(is_said), "{}: {warnings:#?}", policy.file);
    }
}

#[test]
fn the_order_of_keys_does_not_matter() {
    let Some(published) = published() else { return };
    for Published { file, document, .. } in &published {
        let shuffled: Value = serde_json::from_str(&reversed(document)).expect("what was written is JSON");
        assert_eq!(read(document), read(&shuffled), "{file}");
    }
}

/// The document as text, with the keys of every object in the reverse order of the alphabet.
fn reversed(document: &Value) -> String {
    match document {
        Value::Array(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable_by(|a, b| b.cmp(a));
            let entries = keys.iter().map(|key| format!("{}:{}", Value::from(key.as_str()), reversed(&map[*key])));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}
