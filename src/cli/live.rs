//! The words about deployed policies and their runs: put, list, show, enable, disable, delete, template, start, stop, runs.

mod delete;
mod files;
mod list;
mod put;
mod runs;
mod say;
mod show;
mod site;
mod start;
mod stop;
mod switch;
mod template;

use crate::live::document;
use crate::policy::PolicyId;
use clap::{Args, Subcommand};
use say::{complain, tell};
use serde_json::Value;
use std::future::Future;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Live {
    /// Take a policy out of EventBridge Scheduler: nothing starts it any more. Its snapshots stay.
    Delete(delete::Arguments),
    /// Let a policy start nothing until it is enabled again. Its snapshots stay.
    Disable(switch::Arguments),
    /// Let a policy start again.
    Enable(switch::Arguments),
    /// List the deployed policies.
    List(list::Arguments),
    /// Deploy policies, after showing what that changes and what it does to the account.
    Put(put::Arguments),
    /// List the last runs, or tell one of them whole: opendlm runs [POLICY or RUN].
    Runs(runs::Arguments),
    /// Print a deployed policy as JSON, ready for `put`.
    Show(show::Arguments),
    /// Start a deployed policy now; what it makes stays for Options.RunNowRetain, 7 days unless the policy says otherwise.
    Start(start::Arguments),
    /// End a run that is under way; what it has made stays.
    Stop(stop::Arguments),
    /// Print the schedules of policies as a CloudFormation template.
    Template(template::Arguments),
}

/// Where the policies are.
#[derive(Debug, Args)]
pub(super) struct Group {
    /// The schedule group of the stack; default: OPENDLM_GROUP, else opendlm.
    #[arg(long = "group", value_name = "NAME")]
    name: Option<String>,
}

impl Group {
    pub(super) fn name(&self) -> String {
        let of_environment = || std::env::var("OPENDLM_GROUP").ok().filter(|name| !name.is_empty());
        self.name.clone().or_else(of_environment).unwrap_or_else(|| "opendlm".to_owned())
    }
}

/// One deployed policy.
#[derive(Debug, Args)]
struct Which {
    /// The policy's id, as `opendlm list` shows it.
    #[arg(value_name = "POLICY")]
    policy: String,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of the words.
pub(super) fn live(word: &Live) -> ExitCode {
    match word {
        Live::Delete(arguments) => finish(delete::delete(arguments)),
        Live::Disable(arguments) => finish(switch::disable(arguments)),
        Live::Enable(arguments) => finish(switch::enable(arguments)),
        Live::List(arguments) => finish(list::list(arguments)),
        Live::Put(arguments) => finish(put::put(arguments)),
        Live::Runs(arguments) => finish(runs::runs(arguments)),
        Live::Start(arguments) => finish(start::start(arguments)),
        Live::Stop(arguments) => finish(stop::stop(arguments)),
        Live::Show(arguments) => finish(show::show(arguments)),
        Live::Template(arguments) => template::template(arguments),
    }
}

/// Looks up what a command is to read where that is the id of a deployed policy, and no file.
pub(super) fn resolve(document: &mut super::Document) -> Told<()> {
    const OF_FILES: [&str; 4] = ["json", "yaml", "yml", "txt"];
    let name = document.file.to_string_lossy().into_owned();
    let has_ending = document.file.extension().is_some_and(|ending| OF_FILES.iter().any(|known| ending == *known));
    let Ok(id) = PolicyId::parse(&name) else { return Ok(()) };
    if name == "-" || has_ending || document.file.exists() {
        return Ok(());
    }
    let group = document.group.name();
    let event = finish_with(async {
        let site = site::Site::open(group).await?;
        let deployed = site.policy(&id)?;
        Ok::<Value, String>(event_of(&deployed.newest().document, deployed.revision()))
    });
    document.deployed = Some(event.map_err(|why| format!("{name}: there is no such file, and no such policy: {why}"))?);
    Ok(())
}

/// What a word came to: an exit code, or what is wrong.
type Told<T> = Result<T, String>;

fn finish_with<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(work)
}

fn finish(word: impl Future<Output = Told<ExitCode>>) -> ExitCode {
    finish_with(word).unwrap_or_else(|wrong| {
        complain(&wrong);
        ExitCode::FAILURE
    })
}

fn policy_id(text: &str) -> Told<PolicyId> {
    PolicyId::parse(text).map_err(|error| format!("{text:?}: {error}"))
}

/// Asks on standard error and reads the answer from standard input. Whoever says nothing has not agreed.
fn agrees(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    let agrees = read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    if !agrees {
        tell("nothing was changed");
    }
    agrees
}

/// An event as a run would get it now.
pub(super) fn event_of(document: &document::Document, revision: Option<jiff::Timestamp>) -> Value {
    let mut event = document.clone();
    if let Some(revision) = revision {
        event.insert("Revision".to_owned(), Value::String(crate::tags::written(revision)));
    }
    Value::Object(event)
}
