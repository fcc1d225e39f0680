//! The load generator: one thread that plays many clients, each of which sends a request, reads the answer, and repeats.
//!
//! It must not be what limits the servers. So it does less for a request than any of them: one read and one write, both of
//! bytes that it knows in advance; and a part of one wait, since many clients are ready at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::peers;

/// What the clients send, and what comes back after the header.
pub const BODY: &[u8] = b"sixteen bytes...";

/// How long nothing may happen before a run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client does after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Sends the next request.
    GoOn,
    /// Closes the connection, and opens another one.
    Reconnect,
    /// Closes the connection.
    Leave,
    /// Nothing: it stays connected.
    Stay,
}

/// What is sent, and what must come back: byte for byte.
#[derive(Clone)]
pub struct Exchange {
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
}

impl Exchange {
    pub fn echo() -> Exchange {
        Exchange { request: peers::request(BODY), answer: peers::answer(BODY) }
    }
}

/// Many clients.
pub struct Load {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    exchange: Exchange,
    then: Then,
    clients: Vec<Client>,
}

struct Client {
    /// `None` once it has left.
    conn: Option<TcpStream>,
    is_connected: bool,
    /// How much of its answer has arrived.
    came: usize,
}

impl Load {
    pub fn new(address: SocketAddr, exchange: Exchange, then: Then) -> io::Result<Load> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(1024));
        Ok(Load { poll, events, address, exchange, then, clients: Vec::new() })
    }

    /// Adds clients, all at once.
    pub fn connect(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let client = self.begin(self.clients.len())?;
            self.clients.push(client);
        }
        Ok(())
    }

    /// Begins a connection. The kernel says when it's established, and then the request is sent.
    fn begin(&self, place: usize) -> io::Result<Client> {
        let mut conn = TcpStream::connect(self.address)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut conn, Token(place), interest)?;
        Ok(Client { conn: Some(conn), is_connected: false, came: 0 })
    }

    /// Waits until something happens, and continues with each client that is ready. Returns how many answers arrived.
    pub fn turn(&mut self) -> io::Result<usize> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        self.poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err(io::Error::new(ErrorKind::TimedOut, "the server has stopped answering"));
        }
        let mut answers = 0;
        for event in &events {
            let Token(place) = event.token();
            if self.ready(place, event.is_readable())? {
                answers += 1;
            }
        }
        self.events = events;
        Ok(answers)
    }

    /// Takes turns until this many answers have arrived.
    pub fn answers(&mut self, count: usize) -> io::Result<()> {
        let mut answers = 0;
        while answers < count {
            answers += self.turn()?;
        }
        Ok(())
    }

    /// Takes turns for a time; returns how many answers arrived, and how long it really took.
    pub fn run_for(&mut self, time: Duration) -> io::Result<(usize, Duration)> {
        let (start, mut answers) = (Instant::now(), 0);
        while start.elapsed() < time {
            answers += self.turn()?;
        }
        Ok((answers, start.elapsed()))
    }

    fn ready(&mut self, place: usize, is_readable: bool) -> io::Result<bool> {
        let (client, expected) = (&mut self.clients[place], &self.exchange.answer);
        let Some(conn) = &mut client.conn else { return Ok(false) };
        if !client.is_connected {
            client.is_connected = true;
            conn.write_all(&self.exchange.request)?;
        }
        if !is_readable {
            return Ok(false);
        }
        // The buffer is larger than an answer: after a read nothing is left for a second one.
        let mut buffer = [0; 1024];
        let n = match conn.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            read => read?,
        };
        if n == 0 || !expected[client.came..].starts_with(&buffer[..n]) {
            let came = String::from_utf8_lossy(&buffer[..n]).into_owned();
            return Err(io::Error::other(format!("not the answer that was expected: {came:?}")));
        }
        client.came += n;
        if client.came < expected.len() {
            return Ok(false);
        }
        client.came = 0;
        match self.then {
            Then::GoOn => conn.write_all(&self.exchange.request)?,
            Then::Reconnect => self.clients[place] = self.begin(place)?,
            Then::Leave => client.conn = None,
            Then::Stay => {}
        }
        Ok(true)
    }
}
