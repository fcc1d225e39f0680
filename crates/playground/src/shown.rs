//! What an answer contains.

use crate::decoding::Decoding;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;

/// What is shown.
#[derive(Serialize)]
pub struct Shown {
    /// For the script that steps: see [`timeline::steps_json`].
    pub run: Value,
    /// What the receiver of each picture makes of its `recv`s.
    pub decodings: Vec<Decoding>,
    /// The connections to choose from, in a replay.
    pub connections: Vec<String>,
    /// What a reader must know about a recording, a sentence each.
    pub remarks: Vec<String>,
    /// The stream that was sent; in a replay there's none.
    pub stream: Option<Sent>,
}

/// The stream that was sent.
#[derive(Serialize)]
pub struct Sent {
    /// All its bytes.
    pub hex: String,
    /// Whether exactly these came out, in this order.
    pub all_came: bool,
    /// Three lengths for each message: the framing in front of its payload, the payload, and the framing after it.
    pub messages: Vec<[usize; 3]>,
    /// After which bytes the network cuts.
    pub cuts: Vec<usize>,
}

/// Why a question has no answer.
#[derive(Serialize)]
pub struct Refusal {
    /// The field of the form with the mistake, if it's in one.
    pub field: Option<&'static str>,
    /// What was expected, and what came.
    #[serde(rename = "error")]
    pub why: String,
}

impl Refusal {
    pub fn of(error: &dyn Display) -> Refusal {
        Refusal { field: None, why: error.to_string() }
    }
}
