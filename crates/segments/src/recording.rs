//! The packets of a run, each with its time.

use rustix::time::{ClockId, clock_gettime};

/// How many bytes are kept. A run that moves more teaches nothing about segments.
const ROOM: usize = 256 << 20;

/// A packet that arrived, from its IP header on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was read, in microseconds on the machine's monotonic clock, as in [`observe::Event`]. It arrived a
    /// little earlier: the kernel's own stamp is out of reach without `unsafe`.
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
    /// It ran out of room: later packets are not in it.
    pub full: bool,
    kept: usize,
}

impl Recording {
    /// An empty one, which knows the time.
    pub fn new() -> Recording {
        let epoch_us = micros(ClockId::Realtime).saturating_sub(micros(ClockId::Monotonic));
        Recording { epoch_us, ..Recording::default() }
    }

    /// Records a packet that was seen now, from its IP header on.
    pub fn record(&mut self, packet: &[u8]) {
        self.kept += packet.len();
        self.full |= self.kept > ROOM;
        if !self.full {
            let t_us = micros(ClockId::Monotonic);
            self.packets.push(Packet { t_us, bytes: packet.to_owned() });
        }
    }
}

fn micros(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}
