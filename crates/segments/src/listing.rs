//! The traffic as lines of text.

use crate::{Direction, Flags, Gap, PlacedSegment, Traffic};
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

impl Traffic {
    /// One line for each segment: when, in milliseconds after the first; from whom to whom; its flags; and which bytes of its
    /// stream it carries. If there are too few columns, the bytes go below. What was not seen comes last.
    pub fn listing(&self, columns: usize) -> String {
        let start = self.segments.first().map_or(0, |seen| seen.segment.t_us);
        let ends = self.segments.iter().flat_map(|seen| [seen.segment.from, seen.segment.to]);
        let width = ends.map(|end| end.to_string().len()).max().unwrap_or(0);
        let line = |seen: &PlacedSegment| {
            let (segment, t) = (&seen.segment, (seen.segment.t_us - start) as f64 / 1000.0);
            let (from, to) = (segment.from.to_string(), segment.to.to_string());
            let ends = format!("{t:>9.3} ms  {from:>width$} > {to:<width$}  {:<7}", segment.flags);
            columns::row(&[(&ends, 0), (&Words(seen).to_string(), 0)], columns)
        };
        let to = |direction| if direction == Direction::ToServer { "server" } else { "client" };
        let gap = |Gap { conn, direction, bytes }: &Gap| {
            let (Range { start, end }, to) = (bytes, to(*direction));
            format!("not seen: bytes {start}..{end} to the {to} of connection {conn}")
        };
        let open = |(conn, direction): &(u64, Direction)| {
            format!("not seen: a FIN to the {} of connection {conn}", to(*direction))
        };
        let joined = |conn: &u64| {
            format!(
                "not seen: the beginning of connection {conn}; the side that was first seen sending is called the client, and \
                 offsets count from the first byte seen"
            )
        };
        let full =
            "not seen: later packets, except SYN, FIN and RST; there was too much traffic to keep";
        let lines = self.segments.iter().map(line);
        let lines = lines.chain(self.joined.iter().map(joined));
        let lines = lines.chain(self.gaps.iter().map(gap)).chain(self.open.iter().map(open));
        let lines = lines.chain(self.full.then(|| full.into()));
        lines.map(|line| line + "\n").collect()
    }
}

/// What a segment says in addition to its flags.
struct Words<'a>(&'a PlacedSegment);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 24;
        let PlacedSegment { offset, acked, again, segment, .. } = self.0;
        let payload = &segment.payload;
        if !payload.is_empty() {
            let start = payload[..payload.len().min(SHOWN)].escape_ascii();
            let more = if payload.len() > SHOWN { "…" } else { "" };
            write!(f, "bytes {offset}..{}  \"{start}\"{more}", offset + payload.len() as u64)?;
        } else if let Some(acked) = acked
            && segment.flags == Flags::ACK
        {
            write!(f, "acks {acked}")?;
        }
        if *again {
            f.write_str("  (again)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Segment;

    #[test]
    fn what_came_again_and_what_was_not_seen_is_said() {
        let (from, to) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8888".parse().unwrap());
        let seen = |t_us, flags, payload: &[u8], again| {
            let payload = payload.to_vec();
            let segment = Segment { t_us, from, to, seq: 0, ack: 0, flags, payload };
            PlacedSegment {
                conn: 1,
                direction: Direction::ToServer,
                offset: 4,
                acked: Some(3),
                again,
                segment,
            }
        };
        let traffic = Traffic {
            segments: vec![
                seen(1000, Flags::ACK, b"", false),
                seen(3500, Flags(Flags::ACK.0 | Flags::PSH.0), b"hi\n", true),
            ],
            joined: vec![1],
            gaps: vec![Gap { conn: 1, direction: Direction::ToServer, bytes: 0..4 }],
            open: vec![(1, Direction::ToClient)],
            full: true,
        };
        assert_eq!(
            traffic.listing(100),
            "    0.000 ms  127.0.0.1:50000 > 127.0.0.1:8888   ACK      acks 3\n    \
             2.500 ms  127.0.0.1:50000 > 127.0.0.1:8888   PSH ACK  bytes 4..7  \"hi\\n\"  (again)\n\
             not seen: the beginning of connection 1; the side that was first seen sending is called the client, and \
             offsets count from the first byte seen\n\
             not seen: bytes 0..4 to the server of connection 1\n\
             not seen: a FIN to the client of connection 1\n\
             not seen: later packets, except SYN, FIN and RST; there was too much traffic to keep\n"
        );
        let narrow = traffic.listing(60);
        assert!(narrow.contains("PSH ACK\n    bytes 4..7  \"hi\\n\"  (again)\n"), "{narrow}");
        assert!(narrow.lines().take(4).all(|line| line.len() <= 60), "{narrow}");
    }
}
