//! How the two programs mark where a message ends, and what is sent for a message.

use proto::json::{self, Header, LENGTH_KEY};
use proto::{ack, lines, prefix};
use serde::Deserialize;

/// How the two programs mark where a message ends.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FramingName {
    /// They don't.
    None,
    /// A 4-byte length in front, least significant byte first.
    Prefix,
    /// The same, most significant byte first.
    PrefixBe,
    /// A JSON header in front, and its length in front of that.
    Json,
    /// A line feed after each message.
    Lines,
    /// The length as text; then the sender waits for `OK`.
    Ack,
}

impl FramingName {
    /// What is sent for a message: what goes before its payload, the payload as it travels, and what goes after it.
    pub fn encode(self, message: &[u8]) -> Result<[Vec<u8>; 3], String> {
        let too_long = |error: proto::EncodeError| error.to_string();
        let head = match self {
            FramingName::None => Vec::new(),
            FramingName::Prefix => prefix::encode_head(message.len()).map_err(too_long)?.to_vec(),
            FramingName::PrefixBe => {
                prefix::encode_big_endian_head(message.len()).map_err(too_long)?.to_vec()
            }
            FramingName::Json => {
                let header = Header { data_len: message.len(), ..Header::default() };
                json::encode_head(&header, LENGTH_KEY).map_err(too_long)?
            }
            FramingName::Lines => {
                let mut line = lines::encode(message);
                let feed = line.split_off(line.len() - 1);
                return Ok([Vec::new(), line, feed]);
            }
            FramingName::Ack => ack::encode_head(message.len()).map_err(too_long)?,
        };
        Ok([head, message.to_vec(), Vec::new()])
    }
}
