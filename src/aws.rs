//! The shell: the only room that touches EC2 and the clock.
//!
//! It makes no choice about policy. [`Account::observe`] brings home a [`World`](crate::world::World),
//! [`Account::apply`] carries out actions that name everything, and what went wrong comes back as values.

pub mod clock;
pub mod failure;

mod apply;
mod client;
mod observe;
mod pace;
#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
mod whole;

pub use apply::{CREATE_SECONDS_MAX, DELETE_SECONDS_MAX};
pub use failure::{CallFailed, ObserveError};

use crate::pace::Limits;
use aws_sdk_ec2::Client;
pub use pace::Buckets;
use pace::Lanes;

/// One account in one Region: a client and our picture of its request limits, kept from turn to turn while the
/// function's process lives.
#[derive(Debug)]
pub struct Account {
    client: Client,
    lanes: Lanes,
}

impl Account {
    /// The account that the environment names, with its connections already open: for the init phase of the function,
    /// which has a full CPU. Never fails: what is wrong shows at the first real call, which can say so.
    pub async fn connect() -> Self {
        let client = client::from_environment().await;
        client::warm_up(&client).await;
        let limits = Limits::of(std::env::var(Limits::VARIABLE).ok().as_deref());
        Self { client, lanes: Lanes::full(limits) }
    }

    /// The account behind `client`, with EC2's limits and full buckets.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, lanes: Lanes::full(Limits::Documented) }
    }
}
