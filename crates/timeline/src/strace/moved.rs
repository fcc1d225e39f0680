//! Which bytes a call moved.

use super::line::Call;
use super::socket::address;
use super::value::Value;

/// The bytes that a call moved, as far as strace shows them.
#[derive(Debug, Default, PartialEq)]
pub struct Moved {
    /// The first of them: all, if there are `got`.
    pub bytes: Vec<u8>,
    /// How many it was given to send, or how large its buffer was.
    pub asked: Option<u64>,
    /// How many it sent or received; `None` if the call failed.
    pub got: Option<u64>,
    /// The address that a datagram goes to or comes from.
    pub peer: Option<String>,
    /// It is sent together with the bytes of the next call (MSG_MORE).
    pub more: bool,
    /// It connects, too (MSG_FASTOPEN).
    pub connects: bool,
    /// The bytes were thrown away, and what the buffer holds is something else (MSG_TRUNC, on a stream).
    pub discards: bool,
    /// Why this is not a step of the stream.
    pub aside: Option<&'static str>,
}

/// What a call moved: one item, except for `sendmmsg` and `recvmmsg`.
pub fn moved(call: &Call<'_>) -> Vec<Moved> {
    let arg = |index: usize| call.args.get(index);
    let got = call.result.number();
    let has = |flags: Option<&Value<'_>>, name| flags.is_some_and(|flags| flags.has_flag(name));
    let aside = |flags: Option<&Value<'_>>| match () {
        () if has(flags, "MSG_PEEK") => Some(
            "not drawn: a recv that only looked at the bytes and left them in the buffer (MSG_PEEK)",
        ),
        () if has(flags, "MSG_OOB") => {
            Some("not drawn: a call for urgent data, which isn't part of the stream (MSG_OOB)")
        }
        () if has(flags, "MSG_ERRQUEUE") => {
            Some("not drawn: a recv from the error queue (MSG_ERRQUEUE)")
        }
        () => None,
    };
    let more = |flags: Option<&Value<'_>>| has(flags, "MSG_MORE");
    match call.name {
        "sendmsg" | "recvmsg" => {
            let message = arg(1).map(|message| of_message(message, got));
            message
                .into_iter()
                .map(|moved| Moved { aside: aside(arg(2)), more: more(arg(2)), ..moved })
                .collect()
        }
        "sendmmsg" | "recvmmsg" => {
            let count = got.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            let messages = arg(1).map_or(&[][..], Value::elements).iter().take(count);
            let each = |message: &Value<'_>| {
                let got = message.field("msg_len").and_then(Value::number);
                Some(Moved { aside: aside(arg(3)), ..of_message(message.field("msg_hdr")?, got) })
            };
            messages.filter_map(each).collect()
        }
        "readv" | "writev" | "preadv2" | "pwritev2" => {
            vec![of_pieces(arg(1).map_or(&[][..], Value::elements), got)]
        }
        _ => {
            let asked = arg(2).and_then(Value::number);
            // With MSG_TRUNC, recv returns the full length of the datagram.
            let got = got.map(|got| got.min(asked.unwrap_or(got)));
            let mut bytes = Vec::new();
            take(&mut bytes, arg(1), got);
            let peer = arg(4).and_then(address);
            let flags = arg(3).filter(|_| !matches!(call.name, "read" | "write"));
            let discards = has(flags, "MSG_TRUNC");
            let connects = has(flags, "MSG_FASTOPEN");
            let (more, aside) = (more(flags), aside(flags));
            vec![Moved { bytes, asked, got, peer, more, connects, discards, aside }]
        }
    }
}

/// `{msg_name=…, msg_iov=[…], …}`.
fn of_message(message: &Value<'_>, got: Option<u64>) -> Moved {
    let pieces = message.field("msg_iov").map_or(&[][..], Value::elements);
    Moved { peer: message.field("msg_name").and_then(address), ..of_pieces(pieces, got) }
}

/// `[{iov_base="…", iov_len=2}, …]`.
fn of_pieces(pieces: &[Value<'_>], got: Option<u64>) -> Moved {
    let length = |piece: &Value<'_>| piece.field("iov_len").and_then(Value::number);
    let asked: u64 = pieces.iter().filter_map(length).fold(0, u64::saturating_add);
    let got = got.map(|got| got.min(asked));
    let mut bytes = Vec::new();
    for piece in pieces {
        if !take(&mut bytes, piece.field("iov_base"), got) {
            break; // after bytes that strace cut off, the place of the others is unknown
        }
    }
    Moved { bytes, asked: Some(asked), got, ..Moved::default() }
}

/// Takes the bytes of one buffer, up to `got` in all. Returns whether strace showed all of them.
fn take(bytes: &mut Vec<u8>, buffer: Option<&Value<'_>>, got: Option<u64>) -> bool {
    let Some(Value::Bytes { bytes: shown, cut }) = buffer else { return false };
    let got = got.and_then(|got| usize::try_from(got).ok()).unwrap_or(0);
    let room = got.saturating_sub(bytes.len());
    bytes.extend_from_slice(&shown[..shown.len().min(room)]);
    !cut
}
