//! What the picture shows, in sentences: for each `recv` what it took, and what no `recv` took.

use crate::bytes::count;
use crate::calls::{Call, Retransmission};
use crate::stream::{Lane, Piece, Read, Stream};
use std::iter;

/// The most sentences that are written: a stream cut into single bytes would fill screens.
const MOST: usize = 16;
/// From this many on, similar reads share one sentence.
const FOLDED: usize = 4;

/// What is worth saying about a stream: at most 16 sentences, and how many calls are left out.
pub fn about_stream(stream: &Stream) -> Vec<String> {
    let mut all: Vec<String> = stream
        .sends
        .iter()
        .filter(|send| !send.would_block())
        .filter_map(|send| about_send("send", send))
        .collect();
    if let Some(via) = &stream.via {
        let call = lane_name(&via.name, via.call);
        all.extend(via.calls.iter().filter_map(|send| about_send(&call, send)));
        all.extend(via.retransmissions.iter().map(|sent| about_retransmission(&call, sent)));
    }
    let reads = stream.recvs.iter().zip(stream.reads());
    let reads: Vec<Read> =
        reads.filter(|(recv, _)| !recv.would_block()).map(|(_, read)| read).collect();
    let runs = alike(stream, &reads);
    let said = MOST.saturating_sub(all.len());
    let rest: Vec<&Read> = runs.iter().skip(said).copied().flatten().collect();
    let mut left_out = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    all.extend(runs.iter().take(said).map(|run| about_run(stream, run)));
    left_out += rest.len();
    if left_out > 0 {
        let glued = rest.iter().filter(|read| read.glued()).count();
        all.push(format!(
            "(and {left_out} more calls; {glued} of them took bytes of several messages)"
        ));
    }
    let blocked = |calls: &[Call]| calls.iter().filter(|call| call.would_block()).count();
    for (count, call, what) in [
        (blocked(&stream.sends), "send", "found the buffer full"),
        (blocked(&stream.recvs), "recv", "found nothing to read yet"),
    ] {
        if count > 0 {
            let calls = if count == 1 { call.to_owned() } else { format!("{call}s") };
            all.push(format!("also, {count} {calls} {what} (EAGAIN)"));
        }
    }
    all.extend(stream.unframed.clone());
    if stream.overtaken {
        let says = "some datagrams arrived out of order: the recvs are numbered in the order in which their datagrams were sent";
        all.push(says.to_owned());
    }
    let end = |calls: &[Call]| calls.last().map_or(0, Call::end);
    let sent = end(&stream.sends);
    if let Some(via) = &stream.via
        && end(&via.calls) < sent
    {
        let rest = end(&via.calls);
        let what = if via.call == "segment" { "seen in a segment" } else { "passed on" };
        all.push(format!("not {what}: {}, from offset {rest} on", count(sent - rest)));
    }
    // Bytes after them came: these were datagrams.
    let taken = end(&stream.recvs);
    let lost = |at: &usize| {
        let placed = &stream.messages[*at];
        let touches = |recv: &Call| recv.offset < placed.end() && placed.offset < recv.end();
        placed.end() <= taken && placed.offset < placed.end() && !stream.recvs.iter().any(touches)
    };
    if !stream.recvs.is_empty() {
        let lost = (0..stream.messages.len()).filter(lost);
        all.extend(lost.map(|at| format!("never received: {}", stream.messages[at].message.name)));
    }
    if !reads.is_empty() && taken < sent {
        all.push(format!("not received: {}, from offset {taken} on", count(sent - taken)));
    }
    all
}

/// Which side was not recorded. Its lane is missing from the picture, but that says nothing about the stream.
pub fn unrecorded(stream: &Stream) -> Vec<String> {
    let sides = [(&stream.sender, "sent"), (&stream.receiver, "received")];
    let missing = sides.iter().zip(stream.recorded).filter(|(_, recorded)| !recorded);
    let sentence = |((side, did), _): (&(&String, &str), bool)| {
        let side = columns::visible(side);
        format!("what the {} {did} was not recorded", side.strip_prefix("the ").unwrap_or(&side))
    };
    missing.map(sentence).collect()
}

/// The name of a lane: who makes the calls, and which.
pub fn lane_name(side: &str, call: &str) -> String {
    format!("{} {call}", columns::visible(side))
}

/// About a send: nothing if it took all that it was given.
fn about_send(name: &str, send: &Call) -> Option<String> {
    let number = send.number;
    match (&send.error, send.asked) {
        (Some(error), _) => Some(format!("{name} {number}: failed: {}", columns::visible(error))),
        (None, Some(asked)) if (send.len as u64) < asked => {
            Some(format!("{name} {number}: took {} of the {asked} bytes it was given", send.len))
        }
        _ => None,
    }
}

fn about_retransmission(name: &str, sent: &Retransmission) -> String {
    let Retransmission { number, offset, len } = sent;
    format!("{name} {number}: {} from offset {offset} on, sent again", count(*len))
}

/// The same as the sentences in few words, for inside the box; the first is the longest.
pub fn captions(stream: &Stream, lane: &Lane<'_>, call: &Call) -> Vec<String> {
    let Read { number, pieces, unknown, len, .. } = stream.moved(call);
    let part = |piece: &Piece| match piece.len == piece.of {
        true => piece.of.to_string(),
        false => format!("{} of {}", piece.len, piece.of),
    };
    let len = count(len);
    let (long, short) = match pieces.as_slice() {
        [] => (len, None),
        [piece] if unknown == 0 => match (piece.len == piece.of, stream.part(piece)) {
            (true, _) => (len, None),
            (false, Some(kind)) => (format!("{kind}, {len}"), Some(kind.to_string())),
            (false, None) => (format!("{} bytes", part(piece)), Some(part(piece))),
        },
        [piece] => (format!("{len} = {} + {unknown}", part(piece)), None),
        all if all.iter().all(|piece| piece.len == piece.of) => {
            let count = all.len();
            (format!("{len} = {count} messages glued"), Some(format!("{count} glued")))
        }
        all if all.len() > 4 => {
            let count = all.len();
            (format!("{len} of {count} messages, glued"), Some(format!("{count} glued")))
        }
        all => {
            let parts = all.iter().map(part).collect::<Vec<_>>().join(" + ");
            (format!("{len} = {parts}, glued"), Some(format!("{} glued", all.len())))
        }
    };
    let again = stream.via.as_ref().filter(|via| lane.call == "segment" && via.repeats(call));
    let again = if again.is_some() { ", sent again" } else { "" };
    let mut all = vec![format!("{number}: {long}{again}")];
    all.extend(short.iter().map(|short| format!("{number}: {short}{again}")));
    all.extend(short);
    all.push(number.to_string());
    all
}

/// What the program did with a call's bytes, for inside the box: in at most `most` lines of `columns` columns.
pub fn note_lines(call: &Call, columns: usize, most: usize) -> Vec<String> {
    let Some(note) = call.note() else { return Vec::new() };
    let mut lines = columns::wrap(&format!("→ {note}"), 0, 0, columns);
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(columns::cut(&rest, columns));
    }
    lines
}

/// What a call moved, in a sentence.
pub fn about_call(stream: &Stream, lane: &Lane<'_>, call: &Call) -> String {
    match lane.call {
        "recv" => about_read(stream, &stream.moved(call)),
        name => {
            about_send(name, call).unwrap_or_else(|| about_moved(stream, &stream.moved(call), name))
        }
    }
}

/// The reads in order, in slices: one sentence is enough for all reads of a slice.
fn alike<'a>(stream: &Stream, reads: &'a [Read]) -> Vec<&'a [Read]> {
    let part_only = |read: &Read| match (read.pieces.as_slice(), read.unknown) {
        ([piece], 0) if piece.len < piece.of && stream.part(piece).is_none() => Some(piece.message),
        _ => None,
    };
    let same = |one: &Read, next: &Read| match (one.is_end(), next.is_end()) {
        // What the program did with each is what the reader came for.
        _ if one.note.is_some() || next.note.is_some() => false,
        (true, true) => true,
        _ => {
            let follows = next.offset == one.offset + one.len && next.len == one.len;
            follows && part_only(one).is_some() && part_only(one) == part_only(next)
        }
    };
    let runs = reads.chunk_by(same);
    runs.flat_map(|run| {
        run.chunks(if run[0].is_end() || run.len() >= FOLDED { run.len() } else { 1 })
    })
    .collect()
}

/// What a slice of [`alike`] reads took, in one sentence.
fn about_run(stream: &Stream, run: &[Read]) -> String {
    let (first, last) = (&run[0], &run[run.len() - 1]);
    if run.len() == 1 {
        return about_read(stream, first);
    }
    let between = if run.len() == 2 { "," } else { " to" };
    let numbers = format!("{}{between} {}", first.number, last.number);
    match first.pieces.first() {
        None => format!("recv {numbers}: 0 bytes = {}", nothing(stream)),
        Some(piece) => {
            let together = Piece { len: piece.len * run.len(), ..piece.clone() };
            let what = match together.len == piece.of {
                true => format!(
                    "all {} of {}",
                    count(piece.of),
                    stream.messages[piece.message].message.name
                ),
                false => about_piece(stream, &together),
            };
            format!("recv {numbers}: {} each, {what}", count(piece.len))
        }
    }
}

/// What it means when a recv returned 0 bytes.
fn nothing(stream: &Stream) -> &'static str {
    if stream.datagrams { "an empty datagram" } else { "end of stream" }
}

fn about_read(stream: &Stream, read: &Read) -> String {
    let number = read.number;
    let took = match &read.error {
        Some(error) => format!("recv {number}: failed: {}", columns::visible(error)),
        None if read.is_end() => format!("recv {number}: 0 bytes = {}", nothing(stream)),
        None => about_moved(stream, read, "recv"),
    };
    took + &read.note.as_ref().map(|note| format!(" → {note}")).unwrap_or_default()
}

fn about_moved(stream: &Stream, read: &Read, call: &str) -> String {
    let number = read.number;
    let mut parts: Vec<String> =
        read.pieces.iter().map(|piece| about_piece(stream, piece)).collect();
    if read.unknown > 0 && !read.pieces.is_empty() {
        parts.push(format!("{} of no known message", count(read.unknown)));
    }
    let (len, parts) = (count(read.len), parts.join(" + "));
    match (read.pieces.len(), read.cut()) {
        (0, _) => format!("{call} {number}: {len}"),
        // The words about the piece already have the numbers.
        (1, true) if read.unknown == 0 => format!("{call} {number}: {parts}"),
        (1, _) => format!("{call} {number}: {len} = {parts}"),
        (count, false) => format!("{call} {number}: {len} = {count} messages glued: {parts}"),
        (_, true) => format!("{call} {number}: {len} = {parts}, glued"),
    }
}

fn about_piece(stream: &Stream, piece: &Piece) -> String {
    let placed = &stream.messages[piece.message];
    let name = placed.message.name.clone();
    let Piece { from, len, of, .. } = *piece;
    if len == of {
        return name;
    }
    if let Some(kind) = stream.part(piece) {
        return format!("the {kind} of {name} ({})", count(len));
    }
    let which = match from {
        0 => "first",
        _ if from + len == of => "last",
        _ => "next",
    };
    match len {
        1 => format!("the {which} of {of} bytes of {name}"),
        _ => format!("the {which} {len} of {of} bytes of {name}"),
    }
}

/// A sentence in lines that begin after `label` columns; all but the first are indented further.
pub fn wrap(sentence: &str, label: usize, width: usize) -> Vec<String> {
    let indent = label + "recv 1: ".len();
    let lines = columns::wrap(sentence, label, indent, width);
    let indents = iter::once(label).chain(iter::repeat(indent));
    lines.iter().zip(indents).map(|(line, indent)| format!("{:indent$}{line}", "")).collect()
}
