//! The page asks in JSON, and gets its answer in JSON.

use crate::decoding::Decoding;
use crate::play::{Situation, play};
use crate::receiver::FramingName;
use crate::replay::{Recording, replay};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Display;

/// What the page asks for.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// What it needs to show a run: elements and style.
    Page {},
    /// Play this.
    Play(Situation),
    /// Show what was recorded.
    Replay {
        recordings: Vec<Recording>,
        framing: FramingName,
        /// Which connection, counted from 0.
        connection: usize,
    },
}

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
    #[serde(serialize_with = "crate::decoding::texts")]
    pub texts: Vec<Vec<u8>>,
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

/// Answers one question of the page. If it can't be answered, the answer has an `error`: what was expected, and what came.
///
/// ```
/// let answer = playground::answer(r#"{"play": {"messages": "hi", "framing": "none", "cut": "0", "reads": "1"}}"#);
/// assert!(answer.starts_with(r#"{"field":"cut","error":"expected * (all in one piece)"#), "{answer}");
/// ```
pub fn answer(question: &str) -> String {
    let shown = match serde_json::from_str(question) {
        Ok(Question::Page {}) => {
            let style = format!(
                ":host {{ {} }}\n:host([data-theme=dark]) {{ {} }}\n{}",
                timeline::LIGHT,
                timeline::DARK,
                timeline::STEPS_CSS
            );
            let page = serde_json::json!({ "html": timeline::STEPS_HTML, "style": style });
            return page.to_string();
        }
        Ok(Question::Play(situation)) => play(&situation),
        Ok(Question::Replay { recordings, framing, connection }) => {
            replay(&recordings, framing, connection)
        }
        Err(error) => Err(Refusal::of(&error)),
    };
    let answer = match shown {
        Ok(shown) => serde_json::to_string(&shown),
        Err(refusal) => serde_json::to_string(&refusal),
    };
    answer.unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}
