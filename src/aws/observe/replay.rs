//! A door for tests: recorded answers of EC2 through the real client and the real readers, told as JSON.
//!
//! Only builds with the SDK's test doors (`mocks`) have it; the deployed function is built without. What it tells is what the
//! rest of the program gets to see, so whoever knows the answer can tell whether it was read right.

use super::paging::Listing;
use super::volumes;
use crate::action::{Action, CreateSnapshot, CreateSnapshots, DeleteSnapshot, Failed, Outcome};
use crate::aws::{Account, CallFailed, ObserveError, client, clock};
use crate::policy::{PolicyId, ScheduleName};
use crate::tags::{self, Marks};
use crate::world::{
    AttachedVolume, Instance, InstanceId, Origin, Snapshot, SnapshotId, SnapshotState, Tier, Volume, VolumeId,
};
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::{Client, Config};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer of EC2 to a call of ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Transcript {
    /// The call, as in `DescribeSnapshots`.
    pub action: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer.
    pub body: String,
    /// The answer to a call with the token of the first one.
    pub next_body: String,
}

/// What the readers make of an answer.
///
/// # Panics
/// When the call is none that the function makes.
pub async fn replay(transcript: &Transcript) -> Value {
    let account = account(transcript);
    match transcript.action.as_str() {
        "CreateSnapshot" => outcome(&account, Action::CreateSnapshot(creation())).await,
        "CreateSnapshots" => outcome(&account, Action::CreateSnapshots(set_creation())).await,
        "DeleteSnapshot" => outcome(&account, Action::DeleteSnapshot(deletion())).await,
        "DescribeInstances" => told(account.find_instances(&[instance_id()], |_| ()).await, instance),
        "DescribeSnapshots" => {
            let newest = account.list_newest_snapshots().await.map(|(newest, _)| newest);
            let newest = newest.unwrap_or_default().into_iter();
            let newest: Value = newest.map(|(volume, began)| json!([volume.to_string(), began.to_string()])).collect();
            let mut told = told(account.list_snapshots(&policy_id()).await, snapshot);
            told["Newest"] = newest;
            told
        }
        "DescribeVolumes" => {
            told(account.find_volumes("volume-id", &[volume_id()], volumes::read_with_tags).await, volume)
        }
        other => panic!("{other} is no call of the function"),
    }
}

/// An account whose endpoint gives the answer to whatever is asked, but for the last look before a deletion.
fn account(transcript: &Transcript) -> Account {
    let Transcript { action, status, body, next_body } = transcript.clone();
    let http = infallible_client_fn(move |request| {
        let form = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let is_last_look = action == "DeleteSnapshot" && form.contains("Action=DescribeSnapshots");
        let (status, body) = match (is_last_look, form.contains("&NextToken=")) {
            (true, _) => (200, last_look()),
            (false, true) => (status, next_body.clone()),
            (false, false) => (status, body.clone()),
        };
        let status = status.try_into().expect("a recorded status is one of HTTP");
        HttpResponse::new(status, SdkBody::from(body)).try_into_http1x().expect("the answer has no headers")
    });
    let config = Config::builder().with_test_defaults_v2().http_client(http);
    Account::new(Client::from_conf(client::with_patience(config, 1).build()))
}

fn told<Id, T>(listing: Result<Listing<Id, T>, ObserveError>, tell: fn(&T) -> Value) -> Value {
    match listing {
        Ok(listing) => {
            let items: Vec<Value> = listing.items.iter().map(tell).collect();
            json!({"Items": items, "CutShort": listing.cut_short.map(|cut| format!("{cut:?}"))})
        }
        Err(error) => {
            let (ObserveError::AccessDenied(failed)
            | ObserveError::Expired(failed)
            | ObserveError::Throttled(failed)
            | ObserveError::Unavailable(failed)) = &error;
            let CallFailed { code, message, .. } = failed;
            json!({"Name": error.name(), "Code": code, "Message": message, "Text": error.to_string()})
        }
    }
}

async fn outcome(account: &Account, action: Action) -> Value {
    let until = clock::now() + SignedDuration::from_mins(5);
    let outcomes = account.apply(&[action], until, |_, _| {}).await;
    match outcomes.first() {
        Some(Outcome::Created(ids)) => json!({"Created": ids.iter().map(ToString::to_string).collect::<Vec<_>>()}),
        Some(Outcome::Deleted) => json!({"Deleted": true}),
        Some(Outcome::Failed(failed)) => {
            let Failed { kind, code, message } = failed;
            json!({"Kind": format!("{kind:?}"), "Code": code, "Message": message, "Cure": failed.cure()})
        }
        Some(Outcome::Changed(_) | Outcome::NotStarted) | None => Value::Null,
    }
}

fn snapshot(snapshot: &Snapshot) -> Value {
    json!({
        "Id": snapshot.id.to_string(),
        "Volume": snapshot.volume_id.to_string(),
        "Description": &*snapshot.description,
        "State": snapshot.state.to_string(),
        "StateMessage": snapshot.state_message.as_deref(),
        "Began": snapshot.start_time.to_string(),
        "IsCopy": snapshot.origin == Origin::Copied,
        "PolicyId": snapshot.marks.policy_id.as_deref(),
        "IsArchived": snapshot.tier == Tier::Archive,
        "FullSizeBytes": snapshot.full_size_bytes,
    })
}

fn volume(volume: &Volume) -> Value {
    json!({
        "Id": volume.id.to_string(),
        "State": volume.state.to_string(),
        "Created": volume.created.map(|created| created.to_string()),
        "Tags": volume.tags.iter().map(|tag| json!([tag.key, tag.value])).collect::<Vec<_>>(),
        "Type": volume.volume_type,
    })
}

fn instance(instance: &Instance) -> Value {
    let attached = |volume: &AttachedVolume| json!([volume.id.to_string(), volume.is_root]);
    json!({
        "Id": instance.id.to_string(),
        "State": instance.state.to_string(),
        "Volumes": instance.volumes.iter().map(attached).collect::<Vec<_>>(),
    })
}

fn policy_id() -> PolicyId {
    PolicyId::parse("policy-0123456789abcdef0").expect("it is an id")
}

fn instance_id() -> InstanceId {
    InstanceId::parse("i-0123456789abcdef0").expect("it is an id")
}

fn volume_id() -> VolumeId {
    VolumeId::parse("vol-0123456789abcdef0").expect("it is an id")
}

fn creation() -> CreateSnapshot {
    CreateSnapshot {
        volume_id: volume_id(),
        schedule: ScheduleName::default_name(),
        scheduled_time: clock::now(),
        description: String::new(),
        tags: Vec::new(),
        tags_left_out: Vec::new(),
    }
}

fn set_creation() -> CreateSnapshots {
    CreateSnapshots {
        instance_id: instance_id(),
        exclude_boot_volume: false,
        exclude_data_volume_ids: Vec::new(),
        copy_tags_from_source: false,
        schedule: ScheduleName::default_name(),
        scheduled_time: clock::now(),
        description: String::new(),
        tags: Vec::new(),
        tags_left_out: Vec::new(),
    }
}

/// What shows the snapshot of [`deletion`] as it was when that was decided.
fn last_look() -> String {
    let Snapshot { id, volume_id, description, start_time, .. } = deletion().snapshot;
    format!(
        "<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>{id}</snapshotId><volumeId>{volume_id}</volumeId>\
         <status>completed</status><startTime>{start_time}</startTime><description>{description}</description>\
         <tagSet><item><key>{}</key><value>{}</value></item></tagSet></item></snapshotSet></DescribeSnapshotsResponse>",
        tags::POLICY_ID,
        policy_id(),
    )
}

/// Of a snapshot of ours: apply deletes no other.
fn deletion() -> DeleteSnapshot {
    let policy_id = policy_id();
    let snapshot = Snapshot {
        id: SnapshotId::parse("snap-0123456789abcdef0").expect("it is an id"),
        volume_id: volume_id(),
        description: tags::description(&policy_id, &ScheduleName::default_name()).into(),
        state: SnapshotState::Completed,
        state_message: None,
        start_time: clock::now(),
        completed_at: None,
        origin: Origin::Created,
        marks: Marks { policy_id: Some(policy_id.as_str().into()), ..Marks::default() }.into(),
        tier: Tier::Standard,
        full_size_bytes: 0,
    };
    DeleteSnapshot { policy_id, snapshot, of_copy: None, rests_on: Vec::new() }
}
