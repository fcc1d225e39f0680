//! Carries packets from device to device, each at the right time.

use crate::{Conditions, Counts, Wire};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use segments::Recording;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};
use tappers::linux::Tun;

/// No packet of a TUN device is longer, whatever its MTU is set to.
const LONGEST: usize = 1 << 16;

/// Both directions of the line, between two devices.
pub struct Carrier {
    ends: [Tun; 2],
    /// From the first end, and from the second.
    wires: [Wire; 2],
    start: Instant,
    recording: Option<Recording>,
}

impl Carrier {
    /// A line between two non-blocking devices. It may record the packets as they leave their sender: lost packets
    /// are in the recording too, and duplicated ones are in it once.
    pub fn new(ends: [Tun; 2], conditions: &Conditions, recording: Option<Recording>) -> Carrier {
        let wires = [Wire::new(conditions, 0), Wire::new(conditions, 1)];
        Carrier { ends, wires, start: Instant::now(), recording }
    }

    /// Carries packets until one of the descriptors can be read.
    ///
    /// # Errors
    /// When waiting fails, or when a network is gone, and its device with it.
    pub fn carry_until(&mut self, told: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST];
        loop {
            let due = self.wires.iter().filter_map(Wire::due).min();
            let wait = due.map(|due| due.saturating_sub(self.start.elapsed()));
            if self.wait(told, wait)? {
                return Ok(());
            }
            for (tun, wire) in self.ends.iter().zip(&mut self.wires) {
                // An empty device ends the loop, and so does one that is down.
                while let Ok(len) = tun.recv(&mut buffer) {
                    if let Some(recording) = &mut self.recording {
                        recording.record(&buffer[..len]);
                    }
                    // Each with its own time: with the time of the wake-up, later packets would arrive too early.
                    wire.send(self.start.elapsed(), buffer[..len].to_vec());
                }
            }
            let now = self.start.elapsed();
            for (tun, wire) in self.ends.iter().rev().zip(&mut self.wires) {
                while let Some(packet) = wire.receive(now) {
                    // If the device does not take it, it is lost, as packets may be.
                    let _ = tun.send(&packet);
                }
            }
        }
    }

    /// What happened to the packets, from the first end and from the second.
    pub fn counts(&self) -> [Counts; 2] {
        self.wires.each_ref().map(Wire::counts)
    }

    /// What was recorded.
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    /// Waits for a packet, but no longer than this. True if we were told to end.
    fn wait(&self, told: &[BorrowedFd<'_>], at_most: Option<Duration>) -> io::Result<bool> {
        let ends = self.ends.iter().map(|end| PollFd::new(end, PollFlags::IN));
        let told = told.iter().map(|fd| PollFd::new(fd, PollFlags::IN));
        let mut fds: Vec<PollFd<'_>> = ends.chain(told).collect();
        let at_most = at_most.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, at_most.as_ref()) {
            Ok(_) => {
                let (ends, told) = fds.split_at(self.ends.len());
                if told.iter().any(|fd| !fd.revents().is_empty()) {
                    return Ok(true);
                }
                // This would be reported again and again: a network lives only as long as the last process in it.
                if ends.iter().any(|end| end.revents().contains(PollFlags::ERR)) {
                    return Err(io::Error::other("one of the two networks is gone"));
                }
                Ok(false)
            }
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}
