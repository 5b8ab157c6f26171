//! What is told of settings that lead nowhere.

use super::*;
use aws_config::{BehaviorVersion, Region};

fn settings(region: Option<&str>) -> SdkConfig {
    let mut settings = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    settings.set_region(region.map(|region| Region::new(region.to_owned())));
    settings.build()
}

/// What is told where these variables are set.
fn told(region: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
    let value = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    check_with(&settings(region), value).err().map(|error| error.to_string())
}

#[test]
fn settings_that_can_be_used_pass() {
    assert_eq!(told(Some("eu-west-1"), &[]), None);
    for endpoint in ["http://localhost:4566", "https://ec2.example.com/path"] {
        assert_eq!(told(Some("eu-west-1"), &[("AWS_ENDPOINT_URL", endpoint)]), None);
    }
    let ignored = [("AWS_ENDPOINT_URL", ""), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")];
    assert_eq!(told(Some("eu-west-1"), &ignored), None);
}

#[test]
fn without_a_region_the_variable_is_named() {
    for region in [None, Some(""), Some(" ")] {
        let expected = "no Region is set: set AWS_REGION, as in AWS_REGION=eu-west-1";
        assert_eq!(told(region, &[]).as_deref(), Some(expected));
    }
}

#[test]
fn an_endpoint_that_is_no_url_is_quoted_without_its_password() {
    let rest =
        "expected a URL with http:// or https:// such as http://localhost:4566: correct it, or unset it to use AWS";
    for variable in ENDPOINT_VARIABLES {
        for (url, shown) in [
            ("localhost:4566", "localhost:4566"),
            ("", ""),
            ("http://", "http://"),
            ("ftp://user:word@host", "ftp://host"),
        ] {
            let told = told(Some("eu-west-1"), &[(variable, url)]);
            assert_eq!(told, Some(format!("{variable} is {shown:?}, {rest}")));
        }
    }
}

#[track_caller]
fn check_causes(text: &str, io: Option<io::ErrorKind>, is_own: bool, expected: Option<&str>) {
    let causes = Causes { text: text.to_owned(), io };
    let told = of_causes("https://ec2.eu-nowhere-1.amazonaws.com", "eu-nowhere-1", is_own, &causes);
    assert_eq!(told.map(|error| error.to_string()).as_deref(), expected, "{text}");
}

#[test]
fn a_name_that_nobody_knows_is_a_regions_fault_or_the_endpoints() {
    let told = "no computer is called ec2.eu-nowhere-1.amazonaws.com: is eu-nowhere-1 (AWS_REGION) a Region of AWS, and is \
                this machine online?";
    let dns = "client error (Connect): dns error: failed to lookup address information";
    check_causes(dns, None, false, Some(told));
    let told = "nothing answers at https://ec2.eu-nowhere-1.amazonaws.com (nobody knows its name): start it, or correct \
                AWS_ENDPOINT_URL";
    check_causes(dns, None, true, Some(told));
}

#[test]
fn an_endpoint_that_refuses_is_named_and_what_may_pass_is_not_told() {
    let told = |cause: &str| {
        format!(
            "nothing answers at https://ec2.eu-nowhere-1.amazonaws.com ({cause}): start it, or correct AWS_ENDPOINT_URL"
        )
    };
    let refused = Some(io::ErrorKind::ConnectionRefused);
    check_causes("tcp connect error", refused, true, Some(&told("connection refused")));
    let distrusted = "invalid peer certificate: UnknownIssuer";
    check_causes(distrusted, None, true, Some(&told("its certificate is not trusted")));
    check_causes("connection reset by peer", Some(io::ErrorKind::ConnectionReset), true, None);
}

#[track_caller]
fn check_profile(profile: Option<&str>, cause: &str, expected: &str) {
    assert_eq!(of_profile(profile, cause).to_string(), expected);
}

#[test]
fn credentials_that_cannot_be_used_lead_to_who_gives_them_out() {
    check_profile(
        Some("work"),
        "an error occurred while loading credentials: the SSO token has expired",
        "the credentials of profile work cannot be read: the SSO token has expired; sign in again: aws sso login --profile \
         work",
    );
    check_profile(
        Some("work"),
        "no login session",
        "the credentials of profile work cannot be read: no login session; sign in again: aws login --profile work",
    );
    check_profile(
        Some("wrok"),
        NOTHING_IN_PROFILE,
        "the credentials of profile wrok cannot be read: there is no such profile, or nothing in it; name one that aws \
         configure list-profiles lists",
    );
    check_profile(
        Some("work"),
        "unexpected credentials error: external process exited with code 1",
        "the credentials of profile work cannot be read: external process exited with code 1; run the credential_process \
         of the profile by hand",
    );
    check_profile(
        None,
        "STS said no",
        "the credentials of this machine cannot be read: STS said no; see what aws sts get-caller-identity says",
    );
}

#[test]
fn who_says_nothing_hears_how_to_sign_in() {
    assert_eq!(of_credentials(&CredentialsError::not_loaded("no providers in chain")), SettingsError::NoCredentials);
}
