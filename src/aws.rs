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

pub use apply::{CREATE_SECONDS_MAX, DELETE_SECONDS_MAX};
pub use failure::{CallFailed, ObserveError};

use crate::options::Options;
use aws_sdk_ec2::Client;
use jiff::SignedDuration;
use pace::Lanes;

/// One account in one Region: a client and our picture of its request limits, kept from turn to turn while the
/// function's process lives.
#[derive(Debug)]
pub struct Account {
    client: Client,
    lanes: Lanes,
    settling: SignedDuration,
}

impl Account {
    /// The account that the environment names, with its connections already open: for the init phase of the function,
    /// which has a full CPU. Never fails: what is wrong shows at the first real call, which can say so.
    pub async fn connect() -> Self {
        let client = client::from_environment().await;
        client::warm_up(&client).await;
        Self { settling: settling(std::env::var(SETTLING_SECONDS).ok().as_deref()), ..Self::new(client) }
    }

    /// The account behind `client`, with full buckets.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, lanes: Lanes::full(), settling: Options::SETTLING_DEFAULT }
    }

    /// How long the endpoint's lists may lag behind its writes (environment: `OPENDLM_SETTLING_SECONDS`).
    #[must_use]
    pub fn settling(&self) -> SignedDuration {
        self.settling
    }
}

/// For endpoints other than EC2 that show at once what was begun: 0 there saves the wait.
const SETTLING_SECONDS: &str = "OPENDLM_SETTLING_SECONDS";

/// A number of seconds from 0 on; what cannot be read is as good as nothing said, since a shorter time could cost a
/// second snapshot and a longer one only postpones.
fn settling(text: Option<&str>) -> SignedDuration {
    let seconds = text.and_then(|text| text.trim().parse::<u32>().ok());
    let known = seconds.filter(|&seconds| seconds <= Options::SETTLING_SECONDS_MAX);
    known.map_or(Options::SETTLING_DEFAULT, |seconds| SignedDuration::from_secs(i64::from(seconds)))
}
