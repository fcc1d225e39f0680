//! An event loop on mio, as short as possible while still handling every cut of the stream.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::answer;

const NEWCOMER: Token = Token(usize::MAX);

pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, NEWCOMER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let (mut clients, mut free) = (Vec::new(), Vec::new());
    let mut buffer = [0; 16 * 1024];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() != NEWCOMER {
                let Token(place) = event.token();
                let Some(client): &mut Option<Client> = &mut clients[place] else { continue };
                if client.ready(&mut buffer).is_err() {
                    clients[place] = None; // closed, it leaves the kernel's list by itself
                    free.push(place);
                }
                continue;
            }
            while let Ok((mut conn, _)) = listener.accept() {
                let place = free.pop().unwrap_or_else(|| {
                    clients.push(None);
                    clients.len() - 1
                });
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut conn, Token(place), interest)?;
                clients[place] = Some(Client { conn, unread: Vec::new(), unsent: Vec::new() });
            }
        }
    }
}

struct Client {
    conn: TcpStream,
    /// The beginning of a request that isn't whole yet.
    unread: Vec<u8>,
    /// The rest of an answer for which the kernel had no room.
    unsent: Vec<u8>,
}

impl Client {
    /// Does what can be done without blocking. The end of the stream is like any other error.
    fn ready(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.flush()?;
        loop {
            let n = match self.conn.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                read => read?,
            };
            let requests = std::mem::take(&mut self.unread);
            match requests.is_empty() {
                true => self.answer(&buffer[..n]),
                false => self.answer(&[&requests, &buffer[..n]].concat()),
            }
            self.flush()?;
            if n < buffer.len() {
                return Ok(()); // that was everything: the kernel reports what comes next
            }
        }
    }

    fn answer(&mut self, mut requests: &[u8]) {
        while let Some((prefix, rest)) = requests.split_first_chunk() {
            let Some(body) = rest.get(..u32::from_le_bytes(*prefix) as usize) else { break };
            self.unsent.extend(answer(body));
            requests = &rest[body.len()..];
        }
        self.unread = requests.to_vec();
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.conn.write(&self.unsent) {
                Ok(n) if n == self.unsent.len() => self.unsent = Vec::new(),
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
