//! The shell: the only room that touches EC2 and the clock.
//!
//! It makes no choice about policy. [`Account::observe`] brings home a [`World`](crate::world::World),
//! [`Account::apply`] carries out actions that name everything, and what went wrong comes back as values.

pub mod clock;
pub mod failure;

mod accounts;
mod apply;
mod client;
#[cfg(feature = "cli")]
mod machine;
#[cfg(feature = "cli")]
mod neighbours;
mod observe;
mod pace;
mod quotas;
mod role;
#[cfg(feature = "cli")]
mod scheduler;
#[cfg(feature = "cli")]
mod service_error;
mod settings;
#[cfg(test)]
#[cfg(feature = "mocks")]
pub(crate) mod tests;
mod whole;

pub use apply::{CREATE_SECONDS_MAX, DELETE_SECONDS_MAX};
pub use failure::{CallFailed, ObserveError};
pub use observe::{Label, Listed, MadeOf};
#[cfg(feature = "mocks")]
pub use observe::{Transcript, replay};

use crate::pace::Limits;
pub use accounts::Accounts;
use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
#[cfg(feature = "cli")]
pub use machine::Machine;
#[cfg(feature = "cli")]
pub use neighbours::Neighbours;
use pace::Lanes;
#[cfg(feature = "cli")]
pub use scheduler::Scheduler;
#[cfg(feature = "cli")]
pub use service_error::ServiceError;
pub use settings::SettingsError;
use std::sync::Arc;

/// One account in one Region: a client and our picture of its request limits, kept from turn to turn while the
/// function's process lives.
#[derive(Debug)]
pub struct Account {
    client: Client,
    /// How Service Quotas is reached; `None` where it is not asked.
    quotas: Option<SdkConfig>,
    /// Whoever comes to one account and Region by another way draws from the same buckets.
    lanes: Arc<Lanes>,
}

impl Account {
    /// The account behind `client`, with EC2's documented limits and full buckets.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, quotas: None, lanes: Arc::new(Lanes::full(Limits::Documented)) }
    }
}
