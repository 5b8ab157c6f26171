//! The walls of the house that no compiler and no lint holds: what a room may name, and that every loop has a bound.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file outside of tests, with its path below `src/`.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let is_test = ["tests", "properties", "oracle", "fixtures", "cases"].iter().any(|word| name.contains(word));
            if path.is_dir() {
                folders.push(path);
            } else if !is_test {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                sources.push((name, code));
            }
        }
    }
    sources.sort();
    sources
}

fn is_shell(name: &str) -> bool {
    ["aws", "cli", "bin/", "handler/"].iter().any(|room| name.starts_with(room))
        || ["handler.rs", "log.rs", "main.rs"].contains(&name)
}

#[track_caller]
fn check(files: impl Fn(&str) -> bool, forbidden: &[&str], why: &str) {
    let mut seen = 0;
    for (name, code) in sources().into_iter().filter(|(name, _)| files(name)) {
        seen += 1;
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for word in forbidden {
                assert!(!line.contains(word), "src/{name}:{}: {word}: {why}", number + 1);
            }
        }
    }
    assert!(seen > 0, "there are files to look at");
}

#[test]
fn the_ground_floor_names_no_aws_and_no_tokio() {
    let forbidden = ["aws_sdk", "aws_config", "aws_smithy", "lambda_runtime", "tokio", "crate::aws", "crate::handler"];
    check(|name| !is_shell(name) && name != "lib.rs", &forbidden, "the ground floor builds without AWS");
}

#[test]
fn the_shell_has_no_word_about_policy() {
    let forbidden = ["crate::plan", "crate::turn", "crate::options", "crate::schedule", "RetainRule", "CreateRule"];
    check(|name| name.starts_with("aws"), &forbidden, "an action names everything, the shell makes no choice");
}

#[test]
fn only_observe_and_apply_speak_ec2() {
    // However a call is named, it is sent.
    let forbidden = [".send()", ".describe_", ".copy_snapshot()", ".create_snapshot", ".delete_snapshot()"];
    // Those that speak to other services, each held by a wall of its own, and Service Quotas.
    let others = ["aws/machine.rs", "aws/neighbours.rs", "aws/quotas.rs", "aws/scheduler.rs"];
    let may = [&["aws/observe", "aws/apply", "aws/client.rs"][..], &others].concat();
    check(
        |name| !may.iter().any(|file| name.starts_with(file)),
        &forbidden,
        "EC2 is read in observe and written in apply",
    );
}

#[test]
fn only_one_file_speaks_to_scheduler() {
    check(|name| name != "aws/scheduler.rs", &["aws_sdk_scheduler"], "policies are deployed in aws/scheduler.rs");
}

#[test]
fn only_one_file_speaks_to_step_functions() {
    // Its error traits are those of every SDK: what they mean is read in one place.
    let may = ["aws/machine.rs", "aws/service_error.rs"];
    check(|name| !may.contains(&name), &["aws_sdk_sfn"], "runs are asked for in aws/machine.rs");
}

#[test]
fn only_one_file_speaks_to_what_only_the_doctor_looks_at() {
    let sdks = ["aws_sdk_dlm", "aws_sdk_sns", "aws_sdk_sqs", "aws_sdk_sts"];
    check(|name| name != "aws/neighbours.rs", &sdks, "the doctor's looks are in aws/neighbours.rs");
    let writes =
        [".create_", ".delete_", ".publish(", ".put_", ".send_message(", ".set_topic", ".subscribe(", ".update_"];
    check(|name| name == "aws/neighbours.rs", &writes, "the doctor only reads");
}

#[test]
fn only_the_clock_reads_the_clock() {
    let forbidden = ["Timestamp::now()", "SystemTime::now()", "Instant::now()", "Zoned::now()"];
    // Nothing is decided by the stopwatches of `make soak` and `make bench`.
    let is_free = |name: &str| ["aws/clock.rs", "bin/soak.rs", "bin/bench/planner.rs"].contains(&name);
    check(|name| !is_free(name), &forbidden, "the time is an argument");
}

#[test]
fn every_loop_says_what_bounds_it() {
    for (name, code) in sources() {
        let lines: Vec<&str> = code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            if code.starts_with("loop {") || code.starts_with("while ") {
                let above = at.checked_sub(1).map_or("", |above| lines[above].trim_start());
                assert!(
                    above.starts_with("// Bounded"),
                    "src/{name}:{}: say in a comment `// Bounded ...` what ends this loop",
                    at + 1
                );
            }
        }
    }
}
