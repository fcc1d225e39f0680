//! What the picture shows, in sentences: for each `recv` what it took, and what no `recv` took.

use crate::calls::Call;
use crate::show;
use crate::stream::{Kind, Piece, Read, Stream};

/// A stream cut into single bytes would fill screens with sentences.
const MOST: usize = 16;

pub fn sentences(stream: &Stream) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (index, send) in stream.sends.iter().enumerate() {
        all.extend(about_send(index + 1, send));
    }
    let reads = stream.reads();
    all.extend(reads.iter().map(|read| about_read(stream, read)));
    if all.len() > MOST {
        let left_out = all.len() - MOST;
        let glued = reads.iter().rev().take(left_out).filter(|read| read.glued()).count();
        all.truncate(MOST);
        all.push(format!(
            "(and {left_out} calls more; {glued} of them took bytes of several messages)"
        ));
    }
    let (sent, taken) =
        (stream.sends.last().map_or(0, Call::end), stream.recvs.last().map_or(0, Call::end));
    if !reads.is_empty() && taken < sent {
        all.push(format!("not received: {}, from offset {taken} on", bytes(sent - taken)));
    }
    all
}

/// A send that did what it was asked to needs no words.
fn about_send(number: usize, send: &Call) -> Option<String> {
    match (&send.error, send.asked) {
        (Some(error), _) => {
            Some(format!("send {number}: failed: {}", show::text(error.as_bytes())))
        }
        (None, Some(asked)) if (send.data.len() as u64) < asked => Some(format!(
            "send {number}: took {} of the {asked} bytes it was given",
            send.data.len()
        )),
        _ => None,
    }
}

fn about_read(stream: &Stream, read: &Read) -> String {
    let number = read.number;
    if let Some(error) = &read.error {
        return format!("recv {number}: failed: {}", show::text(error.as_bytes()));
    }
    if read.is_end() {
        return format!("recv {number}: 0 bytes = end of stream");
    }
    let mut parts: Vec<String> =
        read.pieces.iter().map(|piece| about_piece(stream, piece)).collect();
    if read.unknown > 0 && !read.pieces.is_empty() {
        parts.push(format!("{} of no known message", bytes(read.unknown)));
    }
    let (len, parts) = (bytes(read.len), parts.join(" + "));
    match (read.pieces.len(), read.cut()) {
        (0, _) => format!("recv {number}: {len}"),
        // The sentence about the piece has the numbers already.
        (1, true) if read.unknown == 0 => format!("recv {number}: {parts}"),
        (1, _) => format!("recv {number}: {len} = {parts}"),
        (count, false) => format!("recv {number}: {len} = {count} messages glued: {parts}"),
        (_, true) => format!("recv {number}: {len} = {parts}, glued"),
    }
}

fn about_piece(stream: &Stream, piece: &Piece) -> String {
    let placed = &stream.messages[piece.message];
    let name = placed.message.name.clone();
    let Piece { from, len, of, .. } = *piece;
    if len == of {
        return name;
    }
    let start = placed.offset + from;
    if let Some((kind, part)) = placed.parts().find(|(_, part)| *part == (start..start + len)) {
        let kind = match kind {
            Kind::Framing => "framing",
            Kind::Payload => "payload",
        };
        return format!("the {kind} of {name} ({})", bytes(part.len()));
    }
    let which = match from {
        0 => "first",
        _ if from + len == of => "last",
        _ => "next",
    };
    format!("the {which} {len} of {of} bytes of {name}")
}

fn bytes(count: usize) -> String {
    match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    }
}

/// Breaks a sentence into lines, at blanks where it can; the lines below the first are indented.
pub fn wrap(sentence: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let mut rest = word;
        loop {
            let last = lines.len() - 1;
            let line = &mut lines[last];
            let blank = if line.trim().is_empty() { "" } else { " " };
            let left = room.saturating_sub(show::width(line) + blank.len());
            if show::width(rest) <= left {
                line.push_str(blank);
                line.push_str(rest);
                break;
            }
            // Only a word that is longer than a whole line is broken itself.
            if show::width(rest) > room - INDENT.len() && left > 1 {
                let piece = show::head(rest, left);
                line.push_str(blank);
                line.push_str(piece);
                rest = &rest[piece.len()..];
            }
            lines.push(INDENT.to_owned());
        }
    }
    lines
}

/// As wide as `recv 1: `.
const INDENT: &str = "        ";
