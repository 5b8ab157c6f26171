//! What is wrong with what a person's environment and profile say, told before anything else is asked of EC2: one cause
//! and one cure each.

use super::client::Unreached;
use super::failure;
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use std::io;

/// Why EC2 cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// There are credentials, and they cannot be used.
    #[error("the credentials of {whose} cannot be read: {cause}; {cure}")]
    Credentials {
        /// Whose they are.
        whose: String,
        /// Why not.
        cause: String,
        /// What to do.
        cure: String,
    },
    /// An endpoint that is no URL.
    #[error(
        "{variable} is {url:?}, expected a URL with http:// or https:// such as http://localhost:4566: correct it, or \
         unset it to use AWS"
    )]
    Endpoint {
        /// Where it comes from.
        variable: &'static str,
        /// What it says.
        url: String,
    },
    /// Nobody said who asks.
    #[error(
        "no credentials were found: sign in (aws login, aws sso login) and name the profile in AWS_PROFILE, or set \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials,
    /// Nobody said where.
    #[error("no Region is set: set AWS_REGION, as in AWS_REGION=eu-west-1")]
    NoRegion,
    /// A name that nobody knows.
    #[error("no computer is called {host}: is {region} (AWS_REGION) a Region of AWS, and is this machine online?")]
    NoSuchRegion {
        /// The name.
        host: String,
        /// The Region that it was made of.
        region: String,
    },
    /// Somebody's own endpoint, which does not answer.
    #[error("nothing answers at {endpoint} ({cause}): start it, or correct AWS_ENDPOINT_URL")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What stood in the way.
        cause: String,
    },
}

/// Checks what needs no call, by what the variables of the environment say.
pub(super) fn check(settings: &SdkConfig) -> Result<(), SettingsError> {
    check_with(settings, |variable| std::env::var(variable).ok())
}

fn check_with(settings: &SdkConfig, value: impl Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    if settings.region().is_none_or(|region| region.as_ref().trim().is_empty()) {
        return Err(SettingsError::NoRegion);
    }
    let is_ignored = value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|is| is.eq_ignore_ascii_case("true"));
    // The settings leave out what is no URL, and the client takes it all the same.
    for variable in ENDPOINT_VARIABLES.into_iter().filter(|_| !is_ignored) {
        if let Some(url) = value(variable).filter(|url| !is_url(url)) {
            return Err(SettingsError::Endpoint { variable, url: failure::without_password(&url) });
        }
    }
    Ok(())
}

/// What names an endpoint: the one for EC2 comes first.
const ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"];

/// What is wrong with the credentials, where that says more than `otherwise`: a profile that is misspelled has no Region
/// either.
pub(super) async fn of_profile_or(otherwise: SettingsError) -> SettingsError {
    let Some(provider) = super::client::settings().await.credentials_provider() else { return otherwise };
    match provider.provide_credentials().await {
        Err(error) if std::env::var_os("AWS_PROFILE").is_some() => match of_credentials(&error) {
            told @ SettingsError::Credentials { .. } => told,
            _ => otherwise,
        },
        Ok(_) | Err(_) => otherwise,
    }
}

/// Whether a text is what the SDK can call: it panics where there is nothing, and finds no way where there is no scheme.
fn is_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Why the first call did not get through, where that is the fault of the settings.
pub(super) async fn of_unreached(settings: &SdkConfig, unreached: &Unreached) -> Option<SettingsError> {
    match unreached {
        // The SDK's own words come from the second try, which says only that the first one failed.
        Unreached::NoCredentials => match super::client::settings().await.credentials_provider() {
            None => Some(SettingsError::NoCredentials),
            Some(provider) => provider.provide_credentials().await.err().map(|error| of_credentials(&error)),
        },
        Unreached::Other { endpoint, causes } => {
            let is_own = settings.endpoint_url().is_some() || std::env::var("AWS_ENDPOINT_URL_EC2").is_ok();
            let region = settings.region().map_or("", |region| region.as_ref());
            of_causes(endpoint.as_deref()?, region, is_own, causes)
        }
    }
}

/// What the causes of a failed connection mean.
fn of_causes(endpoint: &str, region: &str, is_own: bool, causes: &Causes) -> Option<SettingsError> {
    let host = || endpoint.split_once("://").map_or(endpoint, |(_, host)| host).to_owned();
    if causes.text.contains("dns error") {
        return Some(if is_own {
            SettingsError::Unreachable { endpoint: endpoint.to_owned(), cause: "nobody knows its name".to_owned() }
        } else {
            SettingsError::NoSuchRegion { host: host(), region: region.to_owned() }
        });
    }
    let is_refused = causes.io == Some(io::ErrorKind::ConnectionRefused);
    let is_distrusted = causes.text.contains("invalid peer certificate");
    let cause = match (is_refused, is_distrusted) {
        (true, _) => "connection refused".to_owned(),
        (_, true) => "its certificate is not trusted".to_owned(),
        (false, false) => return None,
    };
    Some(SettingsError::Unreachable { endpoint: endpoint.to_owned(), cause })
}

/// Why a connection failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Causes {
    /// In the SDK's words.
    pub(super) text: String,
    /// What the system says.
    pub(super) io: Option<io::ErrorKind>,
}

/// What an error of the chain of credentials means.
fn of_credentials(error: &CredentialsError) -> SettingsError {
    let profile = std::env::var("AWS_PROFILE").ok();
    match (error, profile) {
        (CredentialsError::CredentialsNotLoaded(_), None) => SettingsError::NoCredentials,
        (CredentialsError::CredentialsNotLoaded(_), Some(profile)) => of_profile(Some(&profile), NOTHING_IN_PROFILE),
        (_, profile) => of_profile(profile.as_deref(), &failure::chain(error)),
    }
}

/// The SDK does not say which of the two it is.
const NOTHING_IN_PROFILE: &str = "there is no such profile, or nothing in it";

/// How the SDK begins to say that something else went wrong.
const EMPTY_WORDS: [&str; 2] = ["an error occurred while loading", "unexpected credentials error"];

fn of_profile(profile: Option<&str>, cause: &str) -> SettingsError {
    let option = profile.map_or_else(String::new, |profile| format!(" --profile {profile}"));
    let cause: Vec<&str> =
        cause.split(": ").filter(|part| !EMPTY_WORDS.iter().any(|words| part.starts_with(words))).collect();
    let cause = cause.join(": ");
    let lower = cause.to_ascii_lowercase();
    let cure = if lower.contains("sso") {
        format!("sign in again: aws sso login{option}")
    } else if lower.contains("login") {
        format!("sign in again: aws login{option}")
    } else if cause == NOTHING_IN_PROFILE {
        "name one that aws configure list-profiles lists".to_owned()
    } else if lower.contains("external process") {
        "run the credential_process of the profile by hand".to_owned()
    } else {
        format!("see what aws sts get-caller-identity{option} says")
    };
    let whose = profile.map_or_else(|| "this machine".to_owned(), |profile| format!("profile {profile}"));
    SettingsError::Credentials { whose, cause, cure }
}

#[cfg(test)]
mod tests;
