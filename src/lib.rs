//! opendlm: Amazon Data Lifecycle Manager's job, in a Lambda function of your own account.

pub mod action;
#[cfg(feature = "aws")]
pub mod aws;
pub mod pace;
pub mod policy;
pub mod schedule;
pub mod tags;
pub mod world;
pub mod options;
pub mod plan;
pub mod turn;
pub mod report;
pub mod sim;
pub mod event;
pub mod answer;
#[cfg(feature = "aws")]
pub mod handler;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(test)]
mod fixtures;
