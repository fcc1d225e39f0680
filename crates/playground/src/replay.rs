//! A run that was recorded: by our programs' `--trace`, or by strace.

use crate::decoding::{Decoding, Took};
use crate::receiver::{FramingName, Receiver};
use crate::shown::{Refusal, Shown};
use serde::Deserialize;
use std::path::Path;
use timeline::{Connection, Direction, Framing, Stream, connections, parse_trace};

/// A file that holds a recording.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The name of the file.
    name: String,
    /// All that is in it.
    text: String,
}

/// Shows one of the connections that were recorded: a recording may hold one side or both.
///
/// # Errors
/// When a recording can't be read, or holds no connection.
pub fn replay(
    recordings: &[Recording],
    framing: FramingName,
    connection: usize,
) -> Result<Shown, Refusal> {
    let (mut events, mut remarks) = (Vec::new(), Vec::new());
    for recording in recordings {
        let trace = parse_trace(Path::new(&recording.name), recording.text.as_bytes())
            .map_err(|error| Refusal::of(&error))?;
        let name = columns::visible(&recording.name);
        remarks.extend(trace.remarks.into_iter().map(|remark| format!("{name}: {remark}")));
        events.extend(trace.events);
    }
    let (between, ends): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.call == "segment");
    let all: Vec<Connection> =
        connections(&ends, &between).into_iter().filter(|one| !streams(one).is_empty()).collect();
    let one = all.get(connection).ok_or_else(|| {
        Refusal::of(
            &"expected a recording of a client and a server that talked to each other (--trace FILE, or \
              scripts/see.sh --save FILE), got one without a connection",
        )
    })?;
    let shown: Vec<Stream> =
        streams(one).into_iter().map(|stream| framed(stream, framing)).collect();
    Ok(Shown {
        run: timeline::steps_json(&shown, &one.parties()),
        decodings: shown.iter().map(|stream| decoding(stream, framing)).collect(),
        connections: all.iter().map(Connection::ends).collect(),
        remarks,
        stream: None,
    })
}

/// The directions that carried something. If the two recordings contradict each other, none.
fn streams(connection: &Connection) -> Vec<Stream> {
    let both = [Direction::ToServer, Direction::ToClient];
    let streams = both.iter().filter_map(|direction| connection.stream(*direction).ok());
    streams.filter(|stream| !stream.is_empty() || stream.has_failures()).collect()
}

fn framed(stream: Stream, framing: FramingName) -> Stream {
    match framing {
        FramingName::Prefix => stream.framed(&Framing::Prefix),
        FramingName::PrefixBe => stream.framed(&Framing::PrefixBigEndian),
        FramingName::Json => {
            stream.framed(&Framing::Json { length_key: proto::json::LENGTH_KEY.to_owned() })
        }
        FramingName::Lines => stream.framed(&Framing::Lines),
        // Each send is a message, or a length.
        FramingName::None | FramingName::Ack => stream,
    }
}

/// What a receiver with this framing would have made of the bytes.
fn decoding(stream: &Stream, framing: FramingName) -> Decoding {
    let mut program = Receiver::new(framing);
    let mut gave_up = false;
    let took = stream.reads().into_iter().zip(stream.taken()).map(|(read, bytes)| {
        if gave_up || read.error.is_some() {
            return Took::default();
        }
        let took = match read.len {
            0 => program.end(),
            len if bytes.len() < len => {
                let error =
                    "the bytes were not recorded, so there is nothing to decode from here on";
                Took { error: Some(error.to_owned()), ..Took::default() }
            }
            _ => {
                program.ask();
                program.receive(bytes, 0)
            }
        };
        gave_up = took.error.is_some();
        took
    });
    Decoding { recvs: took.collect() }
}
