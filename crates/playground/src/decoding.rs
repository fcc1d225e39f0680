//! What the receiver makes of its `recv`s, for the page.

use proto::FrameError;
use serde::{Serialize, Serializer};

/// What the receiver of one picture makes of each of its `recv`s, in their order.
#[derive(Default, Serialize)]
pub struct Decoding {
    pub recvs: Vec<Took>,
}

/// What it made of one.
#[derive(Clone, Default, Serialize)]
pub struct Took {
    /// The messages that are whole now.
    #[serde(serialize_with = "texts")]
    pub messages: Vec<Vec<u8>>,
    /// What it keeps for the next `recv`.
    #[serde(serialize_with = "as_hex")]
    pub held: Vec<u8>,
    /// What it has of the piece that it waits for: `3 of 5 bytes of the body`.
    pub wants: Option<String>,
    /// It has said `OK`.
    pub ok: bool,
    /// Why it gave up.
    pub error: Option<String>,
}

impl Took {
    pub fn messages(messages: Vec<Vec<u8>>) -> Took {
        Took { messages, ..Took::default() }
    }

    pub fn failed(error: FrameError) -> Took {
        Took { error: Some(error.to_string()), ..Took::default() }
    }

    /// Every message decoded further; the first that can't be is the error.
    pub fn each(mut self, decode: impl Fn(&[u8]) -> Result<Vec<u8>, FrameError>) -> Took {
        let mut messages = Vec::new();
        for message in &self.messages {
            match decode(message) {
                Ok(decoded) => messages.push(decoded),
                Err(error) => {
                    self = Took::failed(error);
                    break;
                }
            }
        }
        Took { messages, ..self }
    }
}

/// Lowercase, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn as_hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    hex(bytes).serialize(to)
}

/// Text where it is UTF-8, and escapes where it isn't.
pub fn texts<S: Serializer>(messages: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(messages.iter().map(|message| columns::visible_bytes(message)))
}
