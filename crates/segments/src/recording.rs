//! The packets of a run, each with its time.

use std::collections::HashMap;

use rustix::time::{ClockId, clock_gettime};

/// How many bytes are kept. You won't learn more about segments from a run that moves more.
const ROOM: usize = 256 << 20;

/// A packet that arrived, from its IP header on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was read, in microseconds on the machine's monotonic clock, as in [`observe::Event`]. It arrived a
    /// little earlier: the kernel's own timestamp is out of reach without `unsafe`.
    pub t_us: u64,
    /// The packet.
    pub bytes: Vec<u8>,
}

/// What a [`Capture`](crate::Capture) recorded.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The packets, in the order in which they were read.
    pub packets: Vec<Packet>,
    /// What to add to a `t_us` for microseconds since 1970.
    pub epoch_us: u64,
    /// It ran out of room: of the later packets it has only those that begin or end a connection.
    pub full: bool,
    kept: usize,
}

impl Recording {
    /// An empty recording, which begins now.
    pub fn new() -> Recording {
        let epoch_us = micros(ClockId::Realtime).saturating_sub(micros(ClockId::Monotonic));
        Recording { epoch_us, ..Recording::default() }
    }

    /// Adds a packet that was seen just now, from its IP header on.
    pub fn record(&mut self, packet: &[u8]) {
        self.kept += packet.len();
        self.full |= self.kept > ROOM;
        if !self.full {
            let t_us = micros(ClockId::Monotonic);
            self.packets.push(Packet { t_us, bytes: packet.to_owned() });
        }
    }

    /// Adds the packets of a second recording, made at the same time in another way, that are missing from this one, and
    /// sorts all of them by time.
    pub fn add_missing(&mut self, packets: &[Packet]) {
        let mut here: HashMap<&[u8], usize> =
            packets.iter().map(|packet| (headers(packet), 0)).collect();
        for packet in &self.packets {
            if let Some(times) = here.get_mut(headers(packet)) {
                *times += 1;
            }
        }
        // A packet that was sent twice, byte for byte, is in here twice.
        let is_missing = |packet: &&Packet| match here.get_mut(headers(packet)) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        };
        let missing: Vec<Packet> = packets.iter().filter(is_missing).cloned().collect();
        self.packets.extend(missing);
        self.packets.sort_by_key(|packet| packet.t_us);
    }
}

/// The headers of a packet, which identify it: those of IP and TCP have at most 60 bytes each.
fn headers(packet: &Packet) -> &[u8] {
    &packet.bytes[..packet.bytes.len().min(120)]
}

fn micros(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_added_once_and_in_its_place() {
        let packet = |t_us, byte| Packet { t_us, bytes: vec![byte; 200] };
        let packets = vec![packet(1, b'a'), packet(2, b'b'), packet(3, b'b'), packet(9, b'c')];
        let mut recording = Recording { packets, ..Recording::default() };
        let others = [(1, b'a'), (4, b'b'), (4, b'b'), (5, b'b'), (6, b'd'), (6, b'e')];
        recording.add_missing(&others.map(|(t_us, byte)| packet(t_us, byte)));
        let now: Vec<(u64, u8)> =
            recording.packets.iter().map(|packet| (packet.t_us, packet.bytes[0])).collect();
        let expected =
            [(1, b'a'), (2, b'b'), (3, b'b'), (5, b'b'), (6, b'd'), (6, b'e'), (9, b'c')];
        assert_eq!(now, expected);
    }
}
