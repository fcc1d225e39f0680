//! The experiments, in the order of the course. Each has a file, which opens with its claim.

mod ack;
mod ack_cut;
mod backlog;
mod case1;
mod case2;
mod chat;
mod delimiter;
mod epipe;
mod file;
mod fixed;
mod flow;
mod goodbye;
mod heartbeat;
mod ipv6;
mod json;
mod life;
mod methods;
mod models;
mod nagle;
mod names;
mod padding;
mod pipes;
mod promise;
mod readiness;
mod request;
mod reuseaddr;
mod sendall;
mod short_read;
mod sleep;
mod stall;
mod sticky;
mod r#struct;
mod tcp;
mod udp;
mod udp_boundaries;
mod udp_loss;
mod udp_refused;
mod udp_size;
mod unix;
mod unix_kinds;
mod unix_speed;
mod utf8;
mod web;

use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::Verdict;

/// A claim, and how it is tested.
pub struct Experiment {
    /// What the reader types.
    pub name: &'static str,
    /// The claim, in one sentence.
    pub claim: &'static str,
    /// What `--predict` asks instead of showing the claim, which would give the answer away.
    pub prediction: Prediction,
    /// Runs it. The verdict depends only on what was observed.
    pub(crate) run: fn(&mut Scene) -> Result<Verdict, SetupError>,
}

/// All of them.
pub const ALL: &[Experiment] = &[
    tcp::EXPERIMENT,
    ipv6::EXPERIMENT,
    names::EXPERIMENT,
    reuseaddr::EXPERIMENT,
    backlog::EXPERIMENT,
    life::EXPERIMENT,
    methods::EXPERIMENT,
    sendall::EXPERIMENT,
    flow::EXPERIMENT,
    heartbeat::EXPERIMENT,
    epipe::EXPERIMENT,
    udp::EXPERIMENT,
    unix::EXPERIMENT,
    sticky::EXPERIMENT,
    case1::EXPERIMENT,
    case2::EXPERIMENT,
    nagle::EXPERIMENT,
    sleep::EXPERIMENT,
    fixed::EXPERIMENT,
    delimiter::EXPERIMENT,
    udp_boundaries::EXPERIMENT,
    udp_loss::EXPERIMENT,
    udp_size::EXPERIMENT,
    udp_refused::EXPERIMENT,
    unix_kinds::EXPERIMENT,
    unix_speed::EXPERIMENT,
    utf8::EXPERIMENT,
    ack::EXPERIMENT,
    ack_cut::EXPERIMENT,
    r#struct::EXPERIMENT,
    padding::EXPERIMENT,
    stall::EXPERIMENT,
    short_read::EXPERIMENT,
    pipes::EXPERIMENT,
    request::EXPERIMENT,
    json::EXPERIMENT,
    file::EXPERIMENT,
    models::EXPERIMENT,
    readiness::EXPERIMENT,
    chat::EXPERIMENT,
    web::EXPERIMENT,
    promise::EXPERIMENT,
    goodbye::EXPERIMENT,
];
