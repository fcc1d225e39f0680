//! Fix 3, the JSON header: a header that can grow without breaking anyone.
//!
//! ```text
//!  0             3 4
//! [ header_len   | {"data_len": 5, ...} | payload ... ]
//!   i32, little-endian, of the header       data_len bytes
//! ```
//!
//! A client that knows only `data_len` can read every header, even one with members that were
//! invented later. That is why the header has its own length: it can say more and more about the body.

use std::fmt;
use std::iter;

use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::prefix::{self, PREFIX_LEN};
use crate::{EncodeError, FrameError, Framing, MAX_FRAME, Parsed, Part, Progress};

/// The longest header that is accepted: 64 KiB. Ours are under 200 bytes.
pub const MAX_HEADER: usize = 64 * 1024;
/// Our encoded heads usually fit into this, so that one allocation is enough.
const USUAL_HEAD: usize = 128;
/// The key of the body's length in the header, unless a program is told otherwise.
pub const LENGTH_KEY: &str = "data_len";

/// What the header says about the body that follows, the output of a remote command.
///
/// Every member except the length is optional, and has the same name in JSON as here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The length of the body in bytes. Its key is part of the agreement: `data_len`, or another name
    /// that both sides use.
    pub data_len: usize,
    /// How the command ended.
    pub status: Option<Status>,
    /// How many bytes of the body are the command's stdout; the rest is its stderr.
    pub stdout_len: Option<usize>,
    /// The command's output was longer than the server keeps; the body is the beginning of it.
    pub truncated: Option<bool>,
    /// The command was killed because its time was up.
    pub timed_out: Option<bool>,
}

/// How a command ended: `0` or `{"signal": 9}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Status {
    /// It returned this exit code.
    Exit(i32),
    /// This signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
    },
}

impl Default for Status {
    fn default() -> Self {
        Status::Exit(0)
    }
}

/// The JSON header as a [`Framing`].
#[derive(Clone, Debug)]
pub struct JsonFraming {
    /// The longest body that is accepted, in bytes.
    pub max_frame: usize,
    /// The key of the body's length in the header.
    pub length_key: String,
}

impl Default for JsonFraming {
    fn default() -> Self {
        JsonFraming { max_frame: MAX_FRAME, length_key: LENGTH_KEY.into() }
    }
}

impl Framing for JsonFraming {
    type Head = Header;

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<Header>, FrameError> {
        let need = |part, got, want| Ok(Parsed::NeedMore(Progress { part, got, want }));
        let Some((&prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else {
            return need(Part::Length, bytes.len(), PREFIX_LEN);
        };
        let header_len = prefix::length(prefix, 1, MAX_HEADER)?;
        let Some(text) = rest.get(..header_len) else {
            return need(Part::Header, rest.len(), header_len);
        };
        let head = decode_header(text, &self.length_key, self.max_frame)?;
        let body_len = head.data_len;
        Ok(Parsed::Head { head, head_len: PREFIX_LEN + header_len, body_len })
    }
}

/// The head of a message, length and JSON: everything that goes before the body.
///
/// `length_key` is the key of the length. If it is also the name of another member, that other member
/// is not sent.
///
/// Send it together with the body, in one write: see [`Outgoing`](crate::Outgoing).
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes: the same bound as with a plain prefix.
pub fn encode_head(header: &Header, length_key: &str) -> Result<Vec<u8>, EncodeError> {
    let data_len = header.data_len;
    prefix::encode_head(data_len)?;
    let mut head = Vec::with_capacity(USUAL_HEAD);
    head.resize(PREFIX_LEN, 0);
    // Writing to memory can't fail, unless we have made a mistake.
    write_members(header, length_key, &mut serde_json::Serializer::new(&mut head))
        .map_err(|_| EncodeError { length: data_len })?;
    let prefix = prefix::encode_head(head.len() - PREFIX_LEN)?;
    head[..PREFIX_LEN].copy_from_slice(&prefix);
    Ok(head)
}

fn write_members<S: Serializer>(
    header: &Header,
    length_key: &str,
    to: S,
) -> Result<S::Ok, S::Error> {
    let Header { data_len, status, stdout_len, truncated, timed_out } = header;
    let mut members = to.serialize_map(None)?;
    members.serialize_entry(length_key, data_len)?;
    write_optional(&mut members, "status", status, length_key)?;
    write_optional(&mut members, "stdout_len", stdout_len, length_key)?;
    write_optional(&mut members, "truncated", truncated, length_key)?;
    write_optional(&mut members, "timed_out", timed_out, length_key)?;
    members.end()
}

/// Writes a member if it has a value, unless the length has taken its name.
fn write_optional<M: SerializeMap>(
    members: &mut M,
    key: &str,
    value: &Option<impl Serialize>,
    length_key: &str,
) -> Result<(), M::Error> {
    match value {
        Some(value) if key != length_key => members.serialize_entry(key, value),
        _ => Ok(()),
    }
}

/// Reads the header's text.
///
/// Strict where the stream depends on it: the length must be there exactly once, as a whole number of 0
/// or more. Lenient elsewhere: a member that we don't know, or that the peer uses differently, is ignored.
///
/// # Errors
/// When the text is not a UTF-8 JSON object with such a length, or the length is above `max_frame`.
fn decode_header(text: &[u8], length_key: &str, max_frame: usize) -> Result<Header, FrameError> {
    let members = members(text)?;
    let mut lengths = members.iter().filter(|(key, _)| key.0 == length_key.as_bytes());
    let data_len = match (lengths.next(), lengths.next()) {
        (Some((_, value)), None) => length(value.get(), length_key, max_frame)?,
        (None, _) => return Err(no_length(length_key, &members)),
        (Some(_), Some(_)) => return Err(bad(format!("{} comes twice", show(length_key)))),
    };
    Ok(Header {
        data_len,
        status: optional(&members, "status", length_key),
        stdout_len: optional(&members, "stdout_len", length_key),
        truncated: optional(&members, "truncated", length_key),
        timed_out: optional(&members, "timed_out", length_key),
    })
}

/// The length of the body: digits and nothing else. The peer may use a signed 64-bit integer.
fn length(json: &str, length_key: &str, max_frame: usize) -> Result<usize, FrameError> {
    let digits = json.bytes().all(|byte| byte.is_ascii_digit());
    let Some(length) = json.parse::<i64>().ok().filter(|_| digits) else {
        let (key, value) = (show(length_key), show(json));
        let most = i64::try_from(max_frame).unwrap_or(i64::MAX);
        return Err(bad(format!("{key} is {value}, not a whole number from 0 to {most}")));
    };
    match usize::try_from(length) {
        Ok(length) if length <= max_frame => Ok(length),
        _ => Err(FrameError::TooLong { length: length.unsigned_abs(), limit: max_frame }),
    }
}

/// An optional member. If it occurs twice, the last one counts, as in Python; `None` if the peer uses
/// the name for something else.
fn optional<T: DeserializeOwned>(members: &Members, name: &str, length_key: &str) -> Option<T> {
    let named = |(key, _): &&(Key, &RawValue)| key.0 == name.as_bytes() && name != length_key;
    let (_, value) = members.iter().rfind(named)?;
    serde_json::from_str(value.get()).ok()
}

/// A JSON object as it was written: in order, duplicates included, with the text of each value.
type Members<'a> = Vec<(Key, &'a RawValue)>;

fn members(text: &[u8]) -> Result<Members<'_>, FrameError> {
    let text = str::from_utf8(text)
        .map_err(|error| bad(format!("its byte {} is not UTF-8", error.valid_up_to())))?;
    if text.starts_with('\u{feff}') {
        return Err(bad("it begins with a byte order mark".into()));
    }
    if !text.trim_start().starts_with('{') {
        return Err(bad(format!("it is not an object: {}", show(text))));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(MembersVisitor);
    members
        .and_then(|members| json.end().map(|()| members))
        .map_err(|error| bad(format!("it is not JSON: {}", not_json(text, &error))))
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        iter::from_fn(|| map.next_entry().transpose()).collect()
    }
}

/// A key with its escapes resolved. Bytes, because JSON can escape half a character (a lone surrogate).
struct Key(Vec<u8>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Key, E> {
                Ok(Key(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

/// The parser's message; but for a number that Python writes and JSON doesn't allow, it names that number.
fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // The parser stops at the first letter, after the minus sign.
    let stops_at = |name: &&str| {
        let start = error.column().checked_sub(if name.starts_with('-') { 2 } else { 1 });
        start.and_then(|start| line.get(start..)).is_some_and(|rest| rest.starts_with(name))
    };
    match ["-Infinity", "Infinity", "NaN"].iter().find(|name| stops_at(name)) {
        Some(name) => format!("{name} is not a JSON number"),
        None => error.to_string(),
    }
}

fn no_length(length_key: &str, members: &Members) -> FrameError {
    const SHOWN: usize = 4;
    let keys = members.iter().take(SHOWN).map(|(key, _)| show(&String::from_utf8_lossy(&key.0)));
    let came = match members.len() {
        0 => "and no other member".into(),
        n => {
            let more = if n > SHOWN { format!(" and {} more", n - SHOWN) } else { String::new() };
            format!("only {}{more}", keys.collect::<Vec<_>>().join(", "))
        }
    };
    FrameError::NoLengthKey { reason: format!("no {}, {came}", show(length_key)).into() }
}

/// The peer's text inside an error: only its beginning is shown, with unprintable characters escaped.
fn show(text: &str) -> String {
    const SHOWN: usize = 24;
    let mut shown = String::new();
    for char in text.chars().take(SHOWN) {
        match char {
            ' '..='~' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn bad(reason: String) -> FrameError {
    FrameError::BadHeader { reason: reason.into() }
}
