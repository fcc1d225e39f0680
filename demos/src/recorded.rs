//! An end of a connection that the experiment holds itself. Its calls are recorded in the same way as those of the
//! course's programs, so that they can be drawn.

use observe::{Event, show};
use rustix::time::{ClockId, clock_gettime};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream with its addresses, and each `send` and `recv` on it.
pub struct Recorded<S> {
    stream: S,
    /// Both ends are in this process, so only the number tells them apart in a recording.
    number: u64,
    sent: u64,
    received: u64,
    pub events: Vec<Event>,
}

impl<S: Read + Write + AsFd> Recorded<S> {
    /// The end that connected.
    pub fn connected(stream: S) -> io::Result<Recorded<S>> {
        Recorded::between("connect", stream)
    }

    /// The end that was accepted.
    pub fn accepted(stream: S) -> io::Result<Recorded<S>> {
        Recorded::between("accept", stream)
    }

    fn between(call: &str, stream: S) -> io::Result<Recorded<S>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (local, peer) = {
            let socket = SockRef::from(&stream);
            (show(&socket.local_addr()?), show(&socket.peer_addr()?))
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut recorded = Recorded { stream, number, sent: 0, received: 0, events: Vec::new() };
        recorded.record(Event {
            call: call.to_owned(),
            local: Some(local),
            peer: Some(peer),
            ..Event::default()
        });
        Ok(recorded)
    }

    /// One send of all of `bytes`: they are few, and the buffers are empty.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.record(event("send", "out", self.sent, bytes.len(), bytes));
        self.sent += bytes.len() as u64;
        Ok(())
    }

    /// One recv of at most `room` bytes: what it returned.
    pub fn recv(&mut self, room: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; room];
        let result = self.stream.read(&mut buffer);
        buffer.truncate(*result.as_ref().unwrap_or(&0));
        let mut event = event("recv", "in", self.received, room, &buffer);
        event.error = result.as_ref().err().map(io::Error::to_string);
        self.record(event);
        self.received += buffer.len() as u64;
        result.map(|_| buffer)
    }

    fn record(&mut self, event: Event) {
        let now = clock_gettime(ClockId::Monotonic);
        self.events.push(Event {
            t_us: now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000,
            pid: std::process::id(),
            conn: self.number,
            ..event
        });
    }
}

impl<S> Deref for Recorded<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.stream
    }
}

fn event(call: &str, dir: &str, offset: u64, asked: usize, data: &[u8]) -> Event {
    Event {
        call: call.to_owned(),
        dir: Some(dir.to_owned()),
        asked: Some(asked as u64),
        got: Some(data.len() as u64),
        offset: Some(offset),
        data: Some(data.to_vec()),
        ..Event::default()
    }
}
