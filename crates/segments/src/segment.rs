//! From the bytes of a packet to a TCP segment.

use crate::Packet;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One TCP segment (RFC 9293, 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When it was seen: see [`Packet::t_us`].
    pub t_us: u64,
    /// The sender's address.
    pub from: SocketAddr,
    /// The receiver's address.
    pub to: SocketAddr,
    /// The number of its first byte, counted from a start that the sender chose.
    pub seq: u32,
    /// The number of the byte that the sender expects next from the other side; meaningful with the ACK flag.
    pub ack: u32,
    /// Its flags.
    pub flags: Flags,
    /// The bytes it carries.
    pub payload: Vec<u8>,
}

/// The flags of a segment, as in its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// The last one of this direction: the sender has no more bytes.
    pub const FIN: Flags = Flags(0x01);
    /// The first one of this direction.
    pub const SYN: Flags = Flags(0x02);
    /// The connection is thrown away.
    pub const RST: Flags = Flags(0x04);
    /// The sender had no more to send just then. It isn't a boundary: the program that reads never sees it.
    pub const PSH: Flags = Flags(0x08);
    /// The `ack` number counts.
    pub const ACK: Flags = Flags(0x10);

    /// Whether all of these are set.
    pub fn contains(self, these: Flags) -> bool {
        self.0 & these.0 == these.0
    }
}

impl Display for Flags {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let named = [
            (Flags::SYN, "SYN"),
            (Flags::FIN, "FIN"),
            (Flags::RST, "RST"),
            (Flags::PSH, "PSH"),
            (Flags::ACK, "ACK"),
        ];
        let set: Vec<&str> =
            named.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name).collect();
        f.pad(&set.join(" "))
    }
}

impl Segment {
    /// Reads a packet; `None` if it is not a whole TCP segment over IPv4 or IPv6. Checksums are not checked: on a loopback
    /// they are not filled in.
    ///
    /// Packets that are fragments or have IPv6 extension headers are skipped: a loopback has none.
    pub fn parse(packet: &Packet) -> Option<Segment> {
        let bytes = &packet.bytes[..];
        let (from, to, tcp) = match bytes.first()? >> 4 {
            4 => ipv4(bytes)?,
            6 => ipv6(bytes)?,
            _ => return None,
        };
        let port = |at| Some(u16::from_be_bytes(*tcp.get(at..)?.first_chunk()?));
        let number = |at| Some(u32::from_be_bytes(*tcp.get(at..)?.first_chunk()?));
        Some(Segment {
            t_us: packet.t_us,
            from: SocketAddr::new(from, port(0)?),
            to: SocketAddr::new(to, port(2)?),
            seq: number(4)?,
            ack: number(8)?,
            flags: Flags(*tcp.get(13)?),
            // Byte 12 has the length of the header in its upper half, in units of four bytes.
            payload: tcp.get(usize::from(tcp[12] >> 4) * 4..)?.to_vec(),
        })
    }
}

const TCP: u8 = 6;

/// RFC 791, 3.1: the addresses, and what the packet carries if that is TCP.
fn ipv4(bytes: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let header = usize::from(bytes[0] & 0x0f) * 4;
    let total = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    let address = |at| Some(IpAddr::from(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?)));
    (*bytes.get(9)? == TCP).then_some(())?;
    Some((address(12)?, address(16)?, bytes.get(header..total.into())?))
}

/// RFC 8200, 3.
fn ipv6(bytes: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    const HEADER: usize = 40;
    let length = u16::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    let address = |at| Some(IpAddr::from(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?)));
    (*bytes.get(6)? == TCP).then_some(())?;
    Some((address(8)?, address(24)?, bytes.get(HEADER..HEADER + usize::from(length))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "hi" from port 1 to port 2, with sequence number 5, acknowledging 6, PSH and ACK, and four bytes of options.
    fn tcp() -> Vec<u8> {
        let mut tcp = vec![0, 1, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6, 6 << 4, 0x18, 1, 0, 0, 0, 0, 0];
        tcp.extend([1, 1, 1, 1]);
        tcp.extend(b"hi");
        tcp
    }

    fn v4() -> Vec<u8> {
        let mut packet =
            vec![0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2];
        packet.extend(tcp());
        packet
    }

    fn v6() -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 26, 6, 64];
        packet.extend(Ipv6Addr::LOCALHOST.octets());
        packet.extend(Ipv6Addr::UNSPECIFIED.octets());
        packet.extend(tcp());
        packet
    }

    fn parse(bytes: &[u8]) -> Option<Segment> {
        Segment::parse(&Packet { t_us: 9, bytes: bytes.to_vec() })
    }

    #[test]
    fn both_families_are_read() {
        for (packet, from, to) in
            [(v4(), "127.0.0.1:1", "127.0.0.2:2"), (v6(), "[::1]:1", "[::]:2")]
        {
            let segment = parse(&packet).unwrap();
            assert_eq!(
                (segment.from.to_string(), segment.to.to_string()),
                (from.into(), to.into())
            );
            assert_eq!((segment.t_us, segment.seq, segment.ack), (9, 5, 6));
            assert_eq!(segment.flags.to_string(), "PSH ACK");
            assert_eq!(segment.payload, b"hi");
            // The padding of a short Ethernet frame is not payload.
            assert_eq!(parse(&[&packet[..], &[0; 7]].concat()), Some(segment));
        }
    }

    #[test]
    fn what_is_no_whole_segment_is_none() {
        for packet in [v4(), v6()] {
            for len in 0..packet.len() {
                assert_eq!(parse(&packet[..len]), None, "{len}");
            }
            // Any one byte wrong: any result is fine, as long as there is one.
            for at in 0..packet.len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut wrong = packet.clone();
                    wrong[at] = value;
                    parse(&wrong);
                }
            }
        }
        let mut udp = v4();
        udp[9] = 17;
        assert_eq!(parse(&udp), None);
    }
}
