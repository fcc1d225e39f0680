//! The experiments, in the order of the course. A file each, which opens with the claim.

mod ack;
mod case1;
mod case2;
mod ipv6;
mod json;
mod methods;
mod models;
mod request;
mod reuseaddr;
mod sendall;
mod sticky;
mod r#struct;
mod tcp;
mod udp;
mod udp_boundaries;
mod unix;
mod utf8;

use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::trouble::Trouble;
use crate::verdict::Verdict;

/// A claim, and how it is tested.
pub struct Experiment {
    /// What the reader types.
    pub name: &'static str,
    /// In one sentence.
    pub claim: &'static str,
    /// What `--predict` asks before the claim gives the answer away.
    pub prediction: Option<Prediction>,
    /// Carries it out. The verdict rests on nothing but what was observed.
    pub run: fn(&mut Scene) -> Result<Verdict, Trouble>,
}

/// All of them.
pub const ALL: &[Experiment] = &[
    tcp::EXPERIMENT,
    ipv6::EXPERIMENT,
    reuseaddr::EXPERIMENT,
    methods::EXPERIMENT,
    sendall::EXPERIMENT,
    udp::EXPERIMENT,
    unix::EXPERIMENT,
    sticky::EXPERIMENT,
    case1::EXPERIMENT,
    case2::EXPERIMENT,
    udp_boundaries::EXPERIMENT,
    utf8::EXPERIMENT,
    ack::EXPERIMENT,
    r#struct::EXPERIMENT,
    request::EXPERIMENT,
    json::EXPERIMENT,
    models::EXPERIMENT,
];
