//! The credentials of a role in a target's account, and why there are none.

use super::failure::{self, NotAssumed};
use crate::place::Role;
use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};

/// Credentials by AssumeRole, with errors that name the role. The client keeps them until shortly before they end, after an
/// hour, STS's default.
#[derive(Debug)]
pub(super) struct AssumedRole {
    arn: String,
    provider: AssumeRoleProvider,
}

impl AssumedRole {
    /// The role, asked for under the name `session` with the credentials of `settings`, in their Region: tokens of a regional
    /// STS endpoint hold in every Region, and the function's own is always on.
    pub(super) async fn new(role: &Role, session: &str, settings: &SdkConfig) -> Self {
        let arn = role.arn.to_string();
        let mut provider = AssumeRoleProvider::builder(arn.as_str()).session_name(session).configure(settings);
        if let Some(external_id) = &role.external_id {
            provider = provider.external_id(external_id.as_str());
        }
        Self { arn, provider: provider.build().await }
    }

    async fn credentials(&self) -> Result {
        self.provider.provide_credentials().await.map_err(|error| match error {
            late @ CredentialsError::ProviderTimedOut(_) => late,
            error => CredentialsError::provider_error(NotAssumed {
                role: self.arn.clone(),
                failed: failure::of_assume_role(&error),
            }),
        })
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
