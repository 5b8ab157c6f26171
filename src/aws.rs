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
use crate::place::Region;
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
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One account in one Region: a client and our picture of its request limits, kept from turn to turn while the
/// function's process lives.
#[derive(Debug)]
pub struct Account {
    client: Client,
    /// How Service Quotas is reached; `None` where it is not asked.
    quotas: Option<SdkConfig>,
    /// Whoever comes to one account and Region by another way draws from the same buckets.
    lanes: Arc<Lanes>,
    limits: Limits,
    /// The same account in other Regions, as far as they were opened.
    elsewhere: Mutex<BTreeMap<Region, Arc<Self>>>,
}

impl Account {
    /// The account behind `client`, with EC2's documented limits and full buckets.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::of(client, None, Arc::new(Lanes::full(Limits::Documented)), Limits::Documented)
    }

    fn of(client: Client, quotas: Option<SdkConfig>, lanes: Arc<Lanes>, limits: Limits) -> Self {
        Self { client, quotas, lanes, limits, elsewhere: Mutex::default() }
    }

    /// The same account in another Region, with buckets of its own. Nothing is asked of AWS before the first call.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Arc<Self> {
        // A map of whole entries: whoever panicked while holding it left it so.
        let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            let name = aws_config::Region::new(region.as_str().to_owned());
            let client = Client::from_conf(self.client.config().to_builder().region(name.clone()).build());
            let quotas = self.quotas.as_ref().map(|settings| settings.to_builder().region(name).build());
            Arc::new(Self::of(client, quotas, Arc::new(Lanes::full(self.limits)), self.limits))
        };
        Arc::clone(elsewhere.entry(region.clone()).or_insert_with(open))
    }
}
