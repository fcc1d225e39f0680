//! An end of a connection that the experiment holds itself. Its calls are recorded in the same way as those of the
//! course's programs, so that they can be drawn.

use observe::Event;
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;

/// A stream, and each `send` and `recv` on it; for a TCP connection its addresses, too.
pub struct Recorded<S> {
    stream: S,
    sent: u64,
    received: u64,
    pub events: Vec<Event>,
}

impl<S: Read + Write> Recorded<S> {
    pub fn new(stream: S) -> Recorded<S> {
        Recorded { stream, sent: 0, received: 0, events: Vec::new() }
    }

    /// One send of all of `bytes`: they are few, and the buffers are empty.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.events.push(event("send", "out", self.sent, bytes.len(), bytes));
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
        self.events.push(event);
        self.received += buffer.len() as u64;
        result.map(|_| buffer)
    }
}

impl Recorded<TcpStream> {
    /// The end that connected.
    pub fn connected(stream: TcpStream) -> io::Result<Recorded<TcpStream>> {
        Recorded::between("connect", stream)
    }

    /// The end that was accepted.
    pub fn accepted(stream: TcpStream) -> io::Result<Recorded<TcpStream>> {
        Recorded::between("accept", stream)
    }

    fn between(call: &str, stream: TcpStream) -> io::Result<Recorded<TcpStream>> {
        let (local, peer) = (stream.local_addr()?.to_string(), stream.peer_addr()?.to_string());
        let mut recorded = Recorded::new(stream);
        recorded.events.push(Event { local: Some(local), peer: Some(peer), ..now(call) });
        Ok(recorded)
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
        dir: Some(dir.to_owned()),
        asked: Some(asked as u64),
        got: Some(data.len() as u64),
        offset: Some(offset),
        data: Some(data.to_vec()),
        ..now(call)
    }
}

fn now(call: &str) -> Event {
    let now = clock_gettime(ClockId::Monotonic);
    Event {
        t_us: now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000,
        pid: std::process::id(),
        call: call.to_owned(),
        ..Event::default()
    }
}
