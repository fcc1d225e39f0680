//! One socket call as a value: what `--trace FILE` writes, one JSON object per line.
//!
//! The programs record with `observe`, which needs an operating system. Drawing a recording needs only this crate, so it works
//! in a browser too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One socket call and its result.
///
/// ```
/// let line = r#"{"t_us":12,"pid":7,"call":"send","conn":1,"dir":"out","asked":5,"got":5,"offset":0,"data":"aGVsbG8="}"#;
/// let event: event::Event = serde_json::from_str(line)?;
/// assert_eq!(event.data.as_deref(), Some(b"hello".as_slice()));
/// assert_eq!(serde_json::to_string(&event)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds on the machine's monotonic clock, the same clock for every process.
    pub t_us: u64,
    /// When the call began, if that's known: strace records it, our own traces don't.
    #[serde(skip)]
    pub began_us: Option<u64>,
    /// The process that made the call.
    pub pid: u32,
    /// bind, listen, accept, connect, send, recv, sendto, recvfrom, shutdown or close; or `note`, which isn't a call: the
    /// program says in `text` what it did with the bytes that the last `recv` on this socket returned.
    pub call: String,
    /// The number of the socket, which no other socket of the process has.
    pub conn: u64,
    /// `in` or `out`: where the bytes of a call go; on `shutdown`, the direction that it ended, or none if it ended both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// How many bytes the program offered to send, or had room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// How many bytes were sent or received. A `recv` that got 0 is the end of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<u64>,
    /// The position of the first of these bytes in this direction of the stream, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The bytes themselves, base64 in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes")]
    pub data: Option<Vec<u8>>,
    /// This end's address, where it is known: on bind, accept and connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The other end's address: on accept, connect, sendto and recvfrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Why the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a `note` says: ``printed as the answer to `echo two` ``.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

mod base64_bytes {
    use super::*;

    pub fn serialize<S: Serializer>(data: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        data.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| STANDARD.decode(text).map_err(de::Error::custom)).transpose()
    }
}
