//! What an answer holds.

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
    /// The bytes of the stream in hex, and where its messages and their parts end; in a play.
    pub stream: Option<Sent>,
}

/// The stream that was sent.
#[derive(Serialize)]
pub struct Sent {
    /// All its bytes.
    pub hex: String,
    /// The messages, as those that come out are written.
    pub texts: Vec<String>,
    /// What each message is made of: the lengths of its framing before the payload, its payload, and its framing after it.
    pub messages: Vec<[usize; 3]>,
    /// After which bytes the network cuts.
    pub cuts: Vec<usize>,
}

/// Why a question has no answer.
#[derive(Serialize)]
pub struct Refusal {
    /// In which field of the form the mistake is, if it is in one.
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
