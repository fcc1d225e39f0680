//! A run that was recorded, with our programs' `--trace` or with strace.

use crate::decoding::{Decoding, Outcome, Took};
use crate::framing::FramingName;
use crate::play::widest;
use crate::receiver::Receiver;
use crate::shown::{Refusal, Shown};
use serde::Deserialize;
use std::path::Path;
use timeline::{
    Connection, Direction, Framing, Read, Stream, StreamError, connections, parse_trace,
};

/// With more calls the page would be busy for seconds, and nobody would step through them all.
const MOST_CALLS: usize = 20_000;

/// What is replayed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    recordings: Vec<Recording>,
    framing: FramingName,
    /// Which connection, counted from 0.
    connection: usize,
    /// How wide the pictures may be, in pixels.
    #[serde(default = "widest")]
    width: usize,
}

/// A file that holds a recording.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    /// The name of the file.
    name: String,
    /// All of its text.
    text: String,
}

/// Shows one of the recorded connections. A recording may hold one side or both.
///
/// # Errors
/// When a recording can't be read or has too many calls, or when there's no connection in it that can be shown.
pub fn replay(choice: &Choice) -> Result<Shown, Refusal> {
    let (mut events, mut remarks) = (Vec::new(), Vec::new());
    for recording in &choice.recordings {
        let trace = parse_trace(Path::new(&recording.name), recording.text.as_bytes())
            .map_err(|error| {
                Refusal::of(&format!(
                    "expected a recording made with --trace FILE or scripts/see.sh --save FILE; {error}"
                ))
            })?;
        let name = columns::visible(&recording.name);
        remarks.extend(trace.remarks.into_iter().map(|remark| format!("{name}: {remark}")));
        events.extend(trace.events);
    }
    if events.len() > MOST_CALLS {
        let got = events.len();
        return Err(Refusal::of(&format!(
            "expected a recording of at most {MOST_CALLS} calls, got {got}: the program `timeline` can draw longer ones"
        )));
    }
    let (between, ends): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.call == "segment");
    let mut all = Vec::new();
    for one in connections(&ends, &between) {
        match streams(&one) {
            Ok(streams) if streams.is_empty() => {} // it carried nothing
            Ok(streams) => all.push((one, streams)),
            Err(error) => remarks.push(format!("{} isn't shown: {error}", one.ends())),
        }
    }
    let names = all.iter().map(|(one, _)| one.ends()).collect();
    let last = all.len().checked_sub(1).ok_or_else(|| nothing(&remarks))?;
    let (one, streams) = all.into_iter().nth(choice.connection).ok_or_else(|| {
        let got = choice.connection;
        Refusal::of(&format!("expected the number of a connection, from 0 to {last}, got {got}"))
    })?;
    let decodings = streams.iter().map(|stream| decoding(stream, choice.framing)).collect();
    let shown: Vec<Stream> =
        streams.into_iter().map(|stream| framed(stream, choice.framing)).collect();
    Ok(Shown {
        run: timeline::steps_json(&shown, &one.parties(), choice.width),
        decodings,
        connections: names,
        remarks,
        stream: None,
    })
}

/// Why no connection is shown.
fn nothing(remarks: &[String]) -> Refusal {
    let why = if remarks.is_empty() {
        String::new()
    } else {
        format!(" to show: {}", remarks.join("; "))
    };
    Refusal::of(&format!(
        "expected a recording of a client and a server that talked to each other (--trace FILE, or scripts/see.sh --save FILE), \
         got one without a connection{why}"
    ))
}

/// The directions that carried bytes, or in which a call failed.
fn streams(connection: &Connection) -> Result<Vec<Stream>, StreamError> {
    let mut streams = Vec::new();
    for direction in [Direction::ToServer, Direction::ToClient] {
        streams.push(connection.stream(direction)?);
    }
    streams.retain(|stream| !stream.is_empty() || stream.has_failures());
    Ok(streams)
}

fn framed(stream: Stream, framing: FramingName) -> Stream {
    match framing {
        FramingName::Prefix => stream.framed(&Framing::Prefix),
        FramingName::PrefixBe => stream.framed(&Framing::PrefixBigEndian),
        FramingName::Json => {
            stream.framed(&Framing::Json { length_key: proto::json::LENGTH_KEY.to_owned() })
        }
        FramingName::Lines => stream.framed(&Framing::Lines),
        // Each send is drawn as one part: a message, or a length.
        FramingName::None | FramingName::Ack => stream,
    }
}

/// What a receiver with this framing would have made of the bytes. In `stream`, each datagram is a message still, whatever
/// the framing.
fn decoding(stream: &Stream, framing: FramingName) -> Decoding {
    let mut program = Receiver::new(framing);
    let mut decoding = Decoding::default();
    let mut gave_up = false;
    for (read, bytes) in stream.reads().into_iter().zip(stream.taken()) {
        if stream.is_datagrams() {
            // What is in one datagram has nothing to do with the next.
            program = Receiver::new(framing);
        }
        decoding.push(match read.error.clone() {
            Some(error) => Outcome::Failed { error, would_block: read.would_block() },
            None if gave_up => Outcome::After,
            None => outcome(stream, &mut program, &read, bytes),
        });
        gave_up = !stream.is_datagrams() && (gave_up || decoding.gave_up());
    }
    decoding
}

fn outcome(stream: &Stream, program: &mut Receiver, read: &Read, bytes: &[u8]) -> Outcome {
    if bytes.len() < read.len {
        let error = "the bytes weren't recorded, so there's nothing to decode from here on";
        return Outcome::Took(Took { error: Some(error.to_owned()), ..Took::default() });
    }
    if !stream.is_datagrams() {
        return if bytes.is_empty() { program.end() } else { program.receive(bytes, 0) };
    }
    let of = read.pieces.first().map_or(bytes.len(), |piece| piece.of.max(bytes.len()));
    match program.receive(bytes, 0) {
        Outcome::EachRecv(bytes) => Outcome::Datagram { bytes, of },
        Outcome::Took(took) => Outcome::FramedDatagram { took, len: bytes.len(), of },
        other => other,
    }
}
