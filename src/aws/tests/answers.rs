//! Whole answers as EC2 writes them, and bodies that are none.

use super::{account_answering, answer};
use crate::aws::Account;
use aws_sdk_ec2::config::http::HttpResponse;

/// Two snapshots as EC2 writes them (EC2 API reference, DescribeSnapshots), the second one of a volume that is not
/// targeted.
pub(in crate::aws) const SNAPSHOTS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <snapshotSet>
        <item>
            <snapshotId>snap-0a</snapshotId>
            <volumeId>vol-0a</volumeId>
            <status>completed</status>
            <startTime>2026-11-22T17:00:00.000Z</startTime>
            <progress>100%</progress>
            <ownerId>123456789012</ownerId>
            <volumeSize>8</volumeSize>
            <description>Created for policy: policy-0123456789abcdef0 schedule: Default Schedule</description>
            <tagSet>
                <item><key>opendlm:policy-id</key><value>policy-0123456789abcdef0</value></item>
                <item><key>opendlm:schedule-name</key><value>Default Schedule</value></item>
                <item><key>opendlm:hold</key><value>until=2027-01-01</value></item>
            </tagSet>
            <encrypted>false</encrypted>
            <storageTier>standard</storageTier>
        </item>
        <item>
            <snapshotId>snap-1b</snapshotId>
            <volumeId>vol-0b</volumeId>
            <status>pending</status>
            <startTime>2026-11-22T17:00:01.000Z</startTime>
            <progress>80%</progress>
            <ownerId>123456789012</ownerId>
            <description>Created for policy: policy-0123456789abcdef0 schedule: Default Schedule</description>
            <tagSet><item><key>opendlm:policy-id</key><value>policy-0123456789abcdef0</value></item></tagSet>
        </item>
    </snapshotSet>
</DescribeSnapshotsResponse>
"#;

/// A snapshot of the policy that nothing but its rank or age speaks for.
pub(in crate::aws) const ONE_SNAPSHOT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <snapshotSet>
        <item>
            <snapshotId>snap-0a</snapshotId>
            <volumeId>vol-0a</volumeId>
            <status>completed</status>
            <startTime>2026-11-19T17:00:00.000Z</startTime>
            <description>Created for policy: policy-0123456789abcdef0 schedule: Default Schedule</description>
            <tagSet><item><key>opendlm:policy-id</key><value>policy-0123456789abcdef0</value></item></tagSet>
        </item>
    </snapshotSet>
</DescribeSnapshotsResponse>
"#;

/// Two volumes with the target tag.
pub(in crate::aws) const VOLUMES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <volumeSet>
        <item>
            <volumeId>vol-0a</volumeId>
            <status>in-use</status>
            <createTime>2026-01-01T00:00:00.000Z</createTime>
            <attachmentSet><item><volumeId>vol-0a</volumeId><instanceId>i-0a</instanceId></item></attachmentSet>
            <tagSet><item><key>auto-backup</key><value>dlm</value></item><item><key>Name</key><value/></item></tagSet>
            <volumeType>gp3</volumeType>
        </item>
        <item>
            <volumeId>vol-0c</volumeId>
            <status>available</status>
            <tagSet><item><key>auto-backup</key><value>dlm</value></item></tagSet>
        </item>
    </volumeSet>
</DescribeVolumesResponse>
"#;

/// Two reservations with three instances that carry the target tag.
pub(in crate::aws) const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <reservationSet>
        <item>
            <reservationId>r-0a</reservationId>
            <groupSet/>
            <instancesSet>
                <item>
                    <instanceId>i-0a</instanceId>
                    <instanceState><code>16</code><name>running</name></instanceState>
                    <rootDeviceName>/dev/xvda</rootDeviceName>
                    <blockDeviceMapping>
                        <item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-0a</volumeId></ebs></item>
                        <item><deviceName>/dev/sdf</deviceName><ebs><volumeId>vol-0c</volumeId></ebs></item>
                    </blockDeviceMapping>
                    <tagSet><item><key>auto-backup</key><value>dlm</value></item></tagSet>
                </item>
                <item>
                    <instanceId>i-0b</instanceId>
                    <tagSet><item><key>auto-backup</key><value>dlm</value></item></tagSet>
                </item>
            </instancesSet>
        </item>
        <item>
            <instancesSet>
                <item>
                    <instanceId>i-0c</instanceId>
                    <tagSet><item><key>auto-backup</key><value>dlm</value></item></tagSet>
                </item>
            </instancesSet>
        </item>
    </reservationSet>
</DescribeInstancesResponse>
"#;

pub(in crate::aws) const CREATED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CreateSnapshotResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <snapshotId>snap-0a0b0c</snapshotId>
    <volumeId>vol-0a</volumeId>
    <status>pending</status>
</CreateSnapshotResponse>"#;

pub(in crate::aws) const CREATED_SET: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CreateSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <snapshotSet>
        <item><snapshotId>snap-0a0b0c</snapshotId><volumeId>vol-0a</volumeId></item>
        <item><snapshotId>snap-0d0e0f</snapshotId><volumeId>vol-0c</volumeId></item>
    </snapshotSet>
</CreateSnapshotsResponse>"#;

pub(in crate::aws) const DELETED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DeleteSnapshotResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <return>true</return>
</DeleteSnapshotResponse>"#;

pub(in crate::aws) const REFUSED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>InvalidSnapshot.NotFound</Code><Message>The snapshot 'snap-0a' does not exist.</Message>
</Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"#;

/// The whole answer to a call that succeeds.
pub(in crate::aws) fn whole_answer(action: &str) -> &'static str {
    match action {
        "CreateSnapshot" => CREATED,
        "CreateSnapshots" => CREATED_SET,
        "DeleteSnapshot" => DELETED,
        "DescribeInstances" => INSTANCES,
        "DescribeSnapshots" => SNAPSHOTS,
        "DescribeVolumes" => VOLUMES,
        other => panic!("nobody calls {other}"),
    }
}

/// An account where `spoilt` gets `body` with status 200 and all other actions get what EC2 says.
pub(in crate::aws) fn account_with_body(spoilt: &'static str, body: &[u8]) -> Account {
    let body = body.to_vec();
    account_answering(
        move |action, _| if action == spoilt { bytes(200, &body) } else { answer(200, whole_answer(action)) },
    )
}

pub(in crate::aws) fn bytes(status: u16, body: &[u8]) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), body.to_vec().into())
}

/// Bodies that are no answer to any call. Each one comes with the status 200.
pub(in crate::aws) fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let document =
        |content: &str| format!("<DescribeSnapshotsResponse>{content}</DescribeSnapshotsResponse>").into_bytes();
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
    vec![
        ("nothing", Vec::new()),
        ("blanks", b" \n".to_vec()),
        (
            "the page of a proxy",
            b"<html><head><title>Login</title></head><body>Please log in<br></body></html>".to_vec(),
        ),
        ("a whole page of a proxy", b"<!DOCTYPE html><html><body><p>Please log in</p></body></html>".to_vec()),
        ("JSON", b"{\"Snapshots\": [], \"NextToken\": null}".to_vec()),
        ("bytes", (0..=255).collect()),
        ("UTF-16", utf_16(SNAPSHOTS)),
        ("Latin-1", b"<DescribeSnapshotsResponse><snapshotSet>\xe9</snapshotSet></DescribeSnapshotsResponse>".to_vec()),
        ("an error", REFUSED.as_bytes().to_vec()),
        ("the answer to another call", b"<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>".to_vec()),
        ("an empty document", document("")),
        ("only a request id", document("<requestId>59dbff89</requestId>")),
        ("an entity bomb", format!("{bomb}<DescribeSnapshotsResponse>&c;</DescribeSnapshotsResponse>").into_bytes()),
        ("a deep nest", document(&format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000)))),
        ("a deep nest without an end", "<a>".repeat(10_000).into_bytes()),
        ("two documents", [SNAPSHOTS, "<DescribeSnapshotsResponse/>"].concat().into_bytes()),
        ("a namespace that hides the root", b"<x:y xmlns:x=\"http://ec2.amazonaws.com/\"/>".to_vec()),
    ]
}
