//! Which socket a call is about. strace's name for a socket changes as it is used: first a number, then its own address,
//! then both addresses. Here all of these names lead to one socket.

use super::socket::{Descriptor, Ends, Family, Is};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

/// A socket, and how far each direction of it has come.
pub struct Socket {
    pub family: Family,
    /// Whether its connect or its accept was seen. If not, we can't know how far its stream had got when strace started.
    pub begun: bool,
    pub local: Option<String>,
    pub peer: Option<String>,
    /// The connect among the events.
    pub connect: Option<usize>,
    pub sent: u64,
    pub received: u64,
    closed: bool,
    /// Its connect was seen, but strace has not named both ends since then.
    connecting: bool,
    /// For each direction, the thread that moved bytes last, and when that call ended.
    last: [(u32, u64); 2],
}

impl Socket {
    /// Whether another thread was still moving bytes this way when this call began.
    pub fn is_shared(&mut self, dir: &str, thread: u32, [began, ended]: [u64; 2]) -> bool {
        let last = &mut self.last[usize::from(dir == "out")];
        let is_shared = last.0 != thread && began < last.1;
        *last = (thread, ended.max(last.1));
        is_shared
    }
}

/// All sockets of a program: each is a place in a list.
#[derive(Default)]
pub struct Sockets {
    pub all: Vec<Socket>,
    by_name: HashMap<String, usize>,
    /// The socket that each thread last used under each descriptor.
    by_number: HashMap<(u32, u32), usize>,
}

impl Sockets {
    /// A new socket, known from now on by the name in the descriptor.
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
            connecting: false,
            last: [(0, 0); 2],
        });
        self.by_number.insert((thread, descriptor.number), socket);
        if let Is::Socket { ends, .. } = descriptor.is {
            self.call_it(socket, ends);
        }
        socket
    }

    /// The socket of a descriptor; `None` if it isn't a socket, or strace couldn't say which.
    pub fn find(&mut self, thread: u32, descriptor: Descriptor<'_>) -> Option<usize> {
        let key = (thread, descriptor.number);
        let (family, ends) = match descriptor.is {
            Is::Other | Is::Undrawn => return None,
            Is::Unnamed => return self.by_number.get(&key).copied(),
            Is::Socket { family, ends } => (family, ends),
        };
        let own = self.by_number.get(&key).copied();
        let own = own.filter(|socket| self.can_become(*socket, family, ends));
        let named = self.by_name.get(&name(ends)).copied();
        let socket = match own.or(named).or_else(|| self.of_another_thread(key.1, family, ends)) {
            Some(socket) => socket,
            None => return Some(self.create(thread, descriptor, family)),
        };
        self.by_number.insert(key, socket);
        self.call_it(socket, ends);
        Some(socket)
    }

    /// Whether an open socket could have got this name since the last call on it, by being bound or connected. Datagram sockets
    /// may even share a name; then the descriptor decides.
    fn can_become(&self, socket: usize, family: Family, ends: Ends<'_>) -> bool {
        let it = &self.all[socket];
        let fits = match (family, ends) {
            (Family::Stream, Ends::Both { peer, .. }) => {
                it.connecting && it.peer == Some(canonical(peer))
            }
            (Family::Stream, _) => !it.connecting && it.peer.is_none(),
            (Family::Datagram, Ends::Number(_)) => it.local.is_none(),
            (Family::Datagram, Ends::Local(local) | Ends::Both { local, .. }) => {
                it.local.as_ref().is_none_or(|known| is_same_port(known, &canonical(local)))
            }
        };
        it.family == family && !it.closed && fits
    }

    /// The socket that another thread connected or bound: the one with the same descriptor, or else the only candidate.
    fn of_another_thread(&self, number: u32, family: Family, ends: Ends<'_>) -> Option<usize> {
        if matches!(ends, Ends::Number(_)) {
            return None;
        }
        let fit = |socket: &usize| self.can_become(*socket, family, ends);
        let known = self.by_number.iter().filter(|(key, _)| key.1 == number).map(|(_, at)| *at);
        let same_number: HashSet<usize> = known.filter(fit).collect();
        let all: HashSet<usize> = (0..self.all.len()).filter(fit).collect();
        let only = |set: HashSet<usize>| match set.len() {
            1 => set.into_iter().next(),
            _ => None,
        };
        only(same_number).or_else(|| only(all).filter(|_| family == Family::Stream))
    }

    fn call_it(&mut self, socket: usize, ends: Ends<'_>) {
        self.by_name.insert(name(ends), socket);
        let it = &mut self.all[socket];
        match ends {
            Ends::Number(_) => {}
            Ends::Local(local) => it.local = Some(canonical(local)),
            Ends::Both { local, peer } => {
                (it.local, it.peer) = (Some(canonical(local)), Some(canonical(peer)));
                it.connecting = false;
            }
        }
    }

    /// It connects to this address; the next call on it will show its new name.
    pub fn connecting(&mut self, socket: usize, peer: Option<String>) {
        let it = &mut self.all[socket];
        it.connecting = true;
        it.peer = peer.or(it.peer.take());
        it.begun = true;
    }

    /// One of its descriptors is closed. If another is still open, the next call finds the socket again.
    pub fn close(&mut self, thread: u32, descriptor: u32, socket: usize) {
        self.by_number.remove(&(thread, descriptor));
        self.all[socket].closed = true;
    }
}

/// strace's name for it. For a connected socket its own address isn't enough, because many connections share it.
fn name(ends: Ends<'_>) -> String {
    match ends {
        Ends::Number(number) => number.to_owned(),
        Ends::Local(local) => local.to_owned(),
        // A Unix socket's number stays its name.
        Ends::Both { local, .. } if is_number(local) => local.to_owned(),
        Ends::Both { local, peer } => format!("{local}->{peer}"),
    }
}

/// Compares ports only: a socket bound to 0.0.0.0 gets a more exact address when it connects.
fn is_same_port(one: &str, other: &str) -> bool {
    let port = |address: &str| address.parse::<SocketAddr>().map(|address| address.port());
    one == other || port(one).is_ok_and(|one| port(other) == Ok(one))
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address as both ends write it: to an IPv6 socket, an IPv4 peer is `[::ffff:127.0.0.1]:80`.
pub fn canonical(address: &str) -> String {
    match address.parse::<SocketAddr>() {
        Ok(address) => SocketAddr::new(address.ip().to_canonical(), address.port()).to_string(),
        Err(_) if is_number(address) => format!("socket {address}"),
        Err(_) => address.to_owned(),
    }
}
