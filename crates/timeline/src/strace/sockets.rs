//! Which socket a call is about. strace names a socket by what it is at that moment: a number, then its own address, then
//! both. All of these names are one socket here.

use super::socket::{Descriptor, Ends, Family, Is};
use std::collections::HashMap;

/// A socket, and how far each direction of it has come.
pub struct Socket {
    pub family: Family,
    /// Whether its connect or its accept was seen. Otherwise nobody knows where its stream stood when strace began.
    pub begun: bool,
    pub local: Option<String>,
    pub peer: Option<String>,
    /// The connect among the events.
    pub connect: Option<usize>,
    pub sent: u64,
    pub received: u64,
    closed: bool,
    /// The descriptor, while its connect waits for a name.
    connecting: Option<u32>,
}

/// All sockets of a program: each is a place in a list.
#[derive(Default)]
pub struct Sockets {
    pub all: Vec<Socket>,
    by_name: HashMap<String, usize>,
    /// What a thread knew last by a descriptor.
    by_number: HashMap<(u32, u32), usize>,
}

impl Sockets {
    /// A new socket, known from now on by what the descriptor says.
    pub fn create(&mut self, thread: u32, descriptor: Descriptor<'_>, family: Family) -> usize {
        let socket = self.all.len();
        self.all.push(Socket {
            family,
            begun: family == Family::Datagram,
            local: None,
            peer: None,
            connect: None,
            sent: 0,
            received: 0,
            closed: false,
            connecting: None,
        });
        self.by_number.insert((thread, descriptor.number), socket);
        if let Is::Socket { ends, .. } = descriptor.is {
            self.call_it(socket, ends);
        }
        socket
    }

    /// The socket of a descriptor; `None` if it is none, or strace couldn't say which.
    pub fn find(&mut self, thread: u32, descriptor: Descriptor<'_>) -> Option<usize> {
        let key = (thread, descriptor.number);
        let (family, ends) = match descriptor.is {
            Is::Other => return None,
            Is::Unnamed => return self.by_number.get(&key).copied(),
            Is::Socket { family, ends } => (family, ends),
        };
        let named = self.by_name.get(&name(ends)).copied();
        let open = named.filter(|socket| !self.all[*socket].closed);
        let socket = match open.or_else(|| self.renamed(key, family, ends)).or(named) {
            Some(socket) => socket,
            None => return Some(self.create(thread, descriptor, family)),
        };
        self.by_number.insert(key, socket);
        self.call_it(socket, ends);
        Some(socket)
    }

    /// The socket that has got another name since the last call on it: it was bound, or connected.
    fn renamed(&self, key: (u32, u32), family: Family, ends: Ends<'_>) -> Option<usize> {
        let could_be = |socket: &Socket| {
            let right_peer = match ends {
                Ends::Both { peer, .. } if family == Family::Stream => {
                    socket.connecting.is_some() && socket.peer == Some(canonical(peer))
                }
                _ => true,
            };
            socket.family == family && !socket.closed && right_peer
        };
        let own = self.by_number.get(&key).copied();
        own.filter(|socket| could_be(&self.all[*socket])).or_else(|| {
            // Another thread of the program connected it.
            let others = self.all.iter().enumerate().rev();
            let mut others = others.filter(|(_, socket)| socket.connecting == Some(key.1));
            others.find(|(_, socket)| could_be(socket)).map(|(at, _)| at)
        })
    }

    fn call_it(&mut self, socket: usize, ends: Ends<'_>) {
        self.by_name.insert(name(ends), socket);
        let it = &mut self.all[socket];
        match ends {
            Ends::Number(_) => {}
            Ends::Local(local) => it.local = Some(canonical(local)),
            Ends::Both { local, peer } => {
                (it.local, it.peer) = (Some(canonical(local)), Some(canonical(peer)));
                it.connecting = None;
            }
        }
    }

    /// It connects, to this address; what strace calls it then, the next call on it shows.
    pub fn connecting(&mut self, socket: usize, descriptor: u32, peer: Option<String>) {
        let it = &mut self.all[socket];
        it.connecting = Some(descriptor);
        it.peer = peer.or(it.peer.take());
        it.begun = true;
    }

    /// A descriptor of it is closed. Another one may still be open: then the next call finds it again.
    pub fn close(&mut self, thread: u32, descriptor: u32, socket: usize) {
        self.by_number.remove(&(thread, descriptor));
        self.all[socket].closed = true;
    }
}

/// What strace calls it: of two connected ends the own one is not enough, since many connections share it.
fn name(ends: Ends<'_>) -> String {
    match ends {
        Ends::Number(number) => number.to_owned(),
        Ends::Local(local) => local.to_owned(),
        // A Unix socket's number stays its name.
        Ends::Both { local, .. } if is_number(local) => local.to_owned(),
        Ends::Both { local, peer } => format!("{local}->{peer}"),
    }
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address as both ends write it: an IPv4 peer of an IPv6 socket is `[::ffff:127.0.0.1]:80` there.
pub fn canonical(address: &str) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(address) => {
            std::net::SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
        }
        Err(_) if is_number(address) => format!("socket {address}"),
        Err(_) => address.to_owned(),
    }
}
