//! The headers: JSON objects, each with its length in front.

use std::io;

use proto::prefix::{PREFIX_LEN, encode_head};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest header that is accepted, in bytes. Ours have less than 700.
pub const MAX_HEADER: usize = 4096;

/// What the client says of a file. Members that we don't know are ignored: tomorrow's client may say more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Offer {
    /// Its name, without any folder: see [`check_name`](crate::check_name).
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of all of them, as 64 hexadecimal digits.
    pub sha256: String,
}

/// What the server answers: one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reply {
    /// It has this many bytes of the file already: go on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The file is there, whole, and its checksum fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
    /// Why it isn't taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Reply {
    /// Go on from there.
    pub fn offset(offset: u64) -> Reply {
        Reply { offset: Some(offset), ..Reply::default() }
    }

    /// The file is there.
    pub fn done() -> Reply {
        Reply { done: Some(true), ..Reply::default() }
    }

    /// The file isn't taken, or not to its end.
    pub fn error(why: &io::Error) -> Reply {
        // A socket timeout shows as EAGAIN, and "try again" would be the wrong advice.
        let why = match why.kind() {
            io::ErrorKind::WouldBlock => "nothing came for too long".to_owned(),
            _ => why.to_string(),
        };
        // It must fit into a header, and JSON may need six bytes for a character.
        let why = why.chars().take(MAX_HEADER / 8).collect();
        Reply { error: Some(why), ..Reply::default() }
    }
}

/// Why a file, or a header, isn't taken, in words for the other side.
pub fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

/// The stream ended inside something; and how much of it came.
pub fn ended(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.into())
}

/// The header as it travels, with its length in front, so that both leave in one write.
///
/// # Errors
/// When it's longer than [`MAX_HEADER`].
pub fn encode(header: &impl Serialize) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(header)?;
    if text.len() > MAX_HEADER {
        return Err(io::Error::other(format!("a header of {} bytes is too long", text.len())));
    }
    let length = encode_head(text.len()).map_err(io::Error::other)?;
    Ok([&length[..], &text].concat())
}

/// What a header says. Members that we don't know may hold anything.
///
/// # Errors
/// `InvalidData` when it isn't an object, or not one with these members.
pub fn decode<T: DeserializeOwned>(header: &[u8]) -> io::Result<T> {
    // Otherwise serde would accept a list as well, with the members' values in their order.
    if !header.trim_ascii_start().starts_with(b"{") {
        let got = header[..header.len().min(40)].escape_ascii();
        return Err(refused(format!("expected a header, an object in JSON, got {got}")));
    }
    serde_json::from_slice(header)
        .map_err(|error| refused(format!("expected a header, got {error}")))
}

/// How long the header is, if these four bytes are a length. Asked before anything is allocated for it.
///
/// # Errors
/// `InvalidData` otherwise, with the bytes.
pub fn header_len(prefix: [u8; PREFIX_LEN]) -> io::Result<usize> {
    let length = i32::from_le_bytes(prefix);
    match usize::try_from(length) {
        Ok(length @ 1..=MAX_HEADER) => Ok(length),
        _ => {
            let [a, b, c, d] = prefix;
            let what = format!(
                "expected a header's length from 1 to {MAX_HEADER}, got {length} \
                 ({a:02x} {b:02x} {c:02x} {d:02x}, \"{}\")",
                prefix.escape_ascii()
            );
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_these_bytes() {
        let offer = Offer { name: "ä".into(), size: 7, sha256: "00".into() };
        let text = r#"{"name":"ä","size":7,"sha256":"00"}"#;
        assert_eq!(encode(&offer).unwrap(), [b"\x24\0\0\0", text.as_bytes()].concat());
        assert_eq!(encode(&Reply::offset(300)).unwrap(), b"\x0e\0\0\0{\"offset\":300}");
        assert_eq!(encode(&Reply::done()).unwrap(), b"\x0d\0\0\0{\"done\":true}");
        assert_eq!(
            encode(&Reply::error(&io::Error::other("no"))).unwrap(),
            b"\x0e\0\0\0{\"error\":\"no\"}"
        );
    }

    #[test]
    fn a_long_reason_is_shortened_so_that_it_can_be_sent() {
        for char in ["x", "\u{1}", "\"", "日", "\u{1f600}"] {
            let why = io::Error::other(char.repeat(5000));
            let header = encode(&Reply::error(&why)).unwrap();
            let reply: Reply = decode(&header[PREFIX_LEN..]).unwrap();
            assert_eq!(reply.error.unwrap(), char.repeat(512));
        }
    }

    #[test]
    fn what_is_unknown_is_ignored_and_what_is_needed_is_not() {
        let offer = |text: &str| decode::<Offer>(text.as_bytes());
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for more in [r#"[1,{"x":null}]"#, &deep] {
            let more = format!(r#" {{"name":"a","mtime":{more},"size":0,"sha256":""}}"#);
            assert_eq!(offer(&more).unwrap().size, 0);
        }
        for wrong in [
            r#"{"name":"a","size":-1,"sha256":""}"#,
            r#"{"name":"a","size":1.5,"sha256":""}"#,
            r#"{"name":"a","size":1,"size":2,"sha256":""}"#,
            r#"{"name":"a","size":1}"#,
            r#"["a",0,""]"#,
            "{",
        ] {
            assert!(offer(wrong).is_err(), "{wrong}");
        }
        // Neither is an answer.
        assert!(decode::<Reply>(b"[300]").is_err());
    }

    #[test]
    fn a_length_is_judged_before_it_is_believed() {
        assert_eq!(header_len([1, 0, 0, 0]).unwrap(), 1);
        assert_eq!(header_len([0, 16, 0, 0]).unwrap(), MAX_HEADER);
        for wrong in [[0; 4], [1, 16, 0, 0], [255; 4], *b"GET "] {
            assert_eq!(header_len(wrong).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        let said = header_len(*b"GET ").unwrap_err().to_string();
        assert!(said.contains("542393671 (47 45 54 20, \"GET \")"), "{said}");
    }
}
