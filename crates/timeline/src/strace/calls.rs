//! From system calls to the events of sockets.

use super::line::{Call, Outcome};
use super::moved::{Moved, moved};
use super::socket::{Family, Is, address, descriptor};
use super::sockets::{Sockets, canonical};
use super::value::Value;
use event::Event;
use std::collections::{BTreeMap, HashSet};

/// What is known from the calls so far.
#[derive(Default)]
pub struct Calls {
    events: Vec<Event>,
    sockets: Sockets,
    /// The first thread: it is the program, and all others are its threads or children.
    program: Option<u32>,
    /// When the current call began.
    began: u64,
    /// What can't be drawn, and how often it occurred.
    unseen: BTreeMap<String, usize>,
    /// The last line, if it has no end.
    pub cut_off: Option<usize>,
}

/// What strace saw.
pub struct Seen {
    /// The calls on sockets.
    pub events: Vec<Event>,
    /// What is missing from them, a sentence each.
    pub remarks: Vec<String>,
    /// The number of the last line, if it's cut off.
    pub cut_off: Option<usize>,
}

/// Which way a call moves bytes; `None` if it moves none.
pub fn direction(name: &str) -> Option<&'static str> {
    match name {
        "send" | "sendto" | "sendmsg" | "sendmmsg" | "write" | "writev" | "pwritev2" => Some("out"),
        "recv" | "recvfrom" | "recvmsg" | "recvmmsg" | "read" | "readv" | "preadv2" => Some("in"),
        _ => None,
    }
}

impl Calls {
    /// Takes the next call, which began and ended at these times.
    pub fn take(&mut self, thread: u32, [began, ended]: [u64; 2], call: &Call<'_>) {
        self.program.get_or_insert(thread);
        self.began = began;
        let t_us = ended;
        match call.name {
            "socket" => self.created(thread, t_us, call),
            "socketpair" => self.paired(thread, t_us, call),
            "bind" | "listen" => {
                let Some((socket, _)) = self.socket(thread, call, 0) else { return };
                self.note(t_us, call.name, socket, call.result);
            }
            "shutdown" => self.shutdown(thread, t_us, call),
            "close" => {
                let Some((socket, number)) = self.socket(thread, call, 0) else { return };
                self.sockets.close(thread, number, socket);
                self.note(t_us, call.name, socket, call.result);
            }
            "connect" => self.connect(thread, t_us, call),
            "accept" | "accept4" => self.accept(thread, t_us, call),
            "sendfile" => self.passed(thread, t_us, call, 0, "out"),
            "splice" => {
                self.passed(thread, t_us, call, 0, "in");
                self.passed(thread, t_us, call, 2, "out");
            }
            name => {
                let Some(dir) = direction(name) else { return };
                let Some((socket, _)) = self.socket(thread, call, 0) else { return };
                if self.sockets.all[socket].is_shared(dir, thread, [began, ended]) {
                    self.unsee(
                        "order unknown: two threads sent or received on one socket at the same time",
                    );
                }
                for moved in moved(call) {
                    if moved.connects && !self.sockets.all[socket].begun {
                        self.connected(t_us, socket, moved.peer.clone(), call.result);
                    }
                    self.move_bytes(t_us, dir, socket, moved, call.result);
                }
            }
        }
    }

    /// Notes something that is not drawn or not known: it is reported once, with how often it occurred.
    pub fn unsee(&mut self, what: &str) {
        *self.unseen.entry(what.to_owned()).or_default() += 1;
    }

    /// The events, and what is missing from them. If the recording names no process, its number is `without_pid`.
    pub fn into_seen(mut self, without_pid: u32) -> Seen {
        let pid = self.program.filter(|thread| *thread > 0).unwrap_or(without_pid);
        let known = |event: &Event| self.sockets.all[event.conn as usize].begun;
        let moves = |event: &&Event| event.got.is_some();
        let lost = self.events.iter().filter(moves).filter(|event| !known(event));
        let lost: HashSet<u64> = lost.map(|event| event.conn).collect();
        for _ in lost {
            self.unsee(
                "not drawn: a socket that was already open when strace started, so its position in the stream is unknown",
            );
        }
        // Several descriptors may be one socket: only the last close ends it.
        let mut later = HashSet::new();
        let mut events = self.events;
        // Calls from before the connection belong to a socket whose beginning was seen.
        let before = |event: &Event| matches!(event.call.as_str(), "socket" | "bind" | "listen");
        let tried = |event: &Event| event.call == "connect" && event.error.is_some();
        let known = |event: &Event| {
            before(event) || tried(event) || self.sockets.all[event.conn as usize].begun
        };
        let mut kept: Vec<bool> = Vec::new();
        for event in events.iter().rev() {
            kept.push((later.insert(event.conn) || event.call != "close") && known(event));
        }
        let mut kept = kept.into_iter().rev();
        events.retain(|_| kept.next() == Some(true));
        events.iter_mut().for_each(|event| event.pid = pid);
        let remark = |(what, times): (String, usize)| match times {
            1 => what,
            _ => format!("{what} ({times} times)"),
        };
        let remarks = self.unseen.into_iter().map(remark).collect();
        Seen { events, remarks, cut_off: self.cut_off }
    }

    /// The socket of an argument, and its descriptor.
    fn socket(&mut self, thread: u32, call: &Call<'_>, arg: usize) -> Option<(usize, u32)> {
        let word = call.args.get(arg)?.word()?;
        let Some(descriptor) = descriptor(word) else {
            // The descriptor of read, write or close may not be a socket at all; that of any other call is.
            if !matches!(
                call.name,
                "read" | "write" | "readv" | "writev" | "preadv2" | "pwritev2" | "close" | "splice"
            ) {
                self.unsee("not drawn: a call whose socket strace didn't name; record with -yy");
            }
            return None;
        };
        if descriptor.is == Is::Undrawn {
            self.unsee("not drawn: a call on a SOCK_SEQPACKET socket");
        }
        let found = self.sockets.find(thread, descriptor);
        if found.is_none() && descriptor.is == Is::Unnamed {
            self.unsee("not drawn: a call on a socket that strace could not name");
        }
        Some((found?, descriptor.number))
    }

    fn created(&mut self, thread: u32, t_us: u64, call: &Call<'_>) {
        let Outcome::Returned(result) = call.result else { return };
        let Some(descriptor) = descriptor(result) else { return };
        if call.args.get(1).is_some_and(|kind| kind.has_flag("SOCK_SEQPACKET")) {
            return;
        }
        let is_datagram = call.args.get(1).is_some_and(|kind| kind.has_flag("SOCK_DGRAM"));
        let family = if is_datagram { Family::Datagram } else { Family::Stream };
        if !matches!(descriptor.is, Is::Other | Is::Undrawn) {
            let socket = self.sockets.create(thread, descriptor, family);
            if family == Family::Stream {
                self.note(t_us, "socket", socket, call.result);
            }
        }
    }

    /// A socketpair: two ends that are connected from the beginning. The first is drawn as the client.
    fn paired(&mut self, thread: u32, t_us: u64, call: &Call<'_>) {
        let is_stream = call.args.get(1).is_some_and(|kind| kind.has_flag("SOCK_STREAM"));
        let ends = call.args.get(3).map_or(&[][..], Value::elements);
        let ends: Vec<_> = ends.iter().filter_map(|end| descriptor(end.word()?)).collect();
        let [one, other] = ends[..] else { return };
        if !is_stream {
            return self.unsee("not drawn: a socketpair that isn't a stream");
        }
        for (end, call_as) in [(one, "connect"), (other, "accept")] {
            let socket = self.sockets.create(thread, end, Family::Stream);
            self.sockets.all[socket].begun = true;
            self.note(t_us, call_as, socket, call.result);
        }
    }

    fn shutdown(&mut self, thread: u32, t_us: u64, call: &Call<'_>) {
        let Some((socket, _)) = self.socket(thread, call, 0) else { return };
        self.note(t_us, call.name, socket, call.result);
        let ends = |side| call.args.get(1).is_some_and(|how| how.has_flag(side));
        let dir = [("in", "SHUT_RD"), ("out", "SHUT_WR")].into_iter().find(|(_, side)| ends(side));
        if let Some(shutdown) = self.events.last_mut() {
            shutdown.dir = dir.map(|(dir, _)| dir.to_owned());
        }
    }

    fn connect(&mut self, thread: u32, t_us: u64, call: &Call<'_>) {
        let Some((socket, _)) = self.socket(thread, call, 0) else { return };
        let peer = call.args.get(1).and_then(address).map(|peer| canonical(&peer));
        if self.sockets.all[socket].family == Family::Datagram {
            // With no peer in it, connect undoes an earlier one: the socket receives from anybody again.
            self.sockets.all[socket].peer = peer;
            return;
        }
        self.connected(t_us, socket, peer, call.result);
    }

    fn connected(&mut self, t_us: u64, socket: usize, peer: Option<String>, result: Outcome<'_>) {
        let succeeded = result.number().is_some();
        if succeeded || result.is("EINPROGRESS") {
            self.sockets.connecting(socket, peer);
            // A program that waited in poll may call connect again to learn the result.
            if let Some(at) = self.sockets.all[socket].connect.filter(|_| succeeded) {
                self.events[at].error = None;
                return;
            }
            self.sockets.all[socket].connect = Some(self.events.len());
            return self.note(t_us, "connect", socket, result);
        }
        // It failed: the socket's next try may go to another address.
        self.note(t_us, "connect", socket, result);
        if let Some(tried) = self.events.last_mut() {
            tried.peer = peer;
        }
    }

    fn accept(&mut self, thread: u32, t_us: u64, call: &Call<'_>) {
        let Outcome::Returned(result) = call.result else {
            if let Some((listener, _)) = self.socket(thread, call, 0) {
                self.note(t_us, "accept", listener, call.result);
            }
            return;
        };
        let Some(descriptor) = descriptor(result) else { return };
        let socket = self.sockets.create(thread, descriptor, Family::Stream);
        let it = &mut self.sockets.all[socket];
        it.begun = true;
        it.peer = it
            .peer
            .take()
            .or_else(|| call.args.get(1).and_then(address).map(|peer| canonical(&peer)));
        self.note(t_us, "accept", socket, call.result);
    }

    /// sendfile and splice: their bytes never enter the program, so strace never sees them. The length they're given is only
    /// a limit, and 0 is the end of the file.
    fn passed(&mut self, thread: u32, t_us: u64, call: &Call<'_>, arg: usize, dir: &'static str) {
        let Some((socket, _)) = self.socket(thread, call, arg) else { return };
        let got = call.result.number();
        if got != Some(0) || dir == "in" {
            self.move_bytes(t_us, dir, socket, Moved { got, ..Moved::default() }, call.result);
        }
    }

    fn move_bytes(
        &mut self,
        t_us: u64,
        dir: &'static str,
        socket: usize,
        mut moved: Moved,
        result: Outcome<'_>,
    ) {
        if let Some(why) = moved.aside {
            return self.unsee(why);
        }
        if result == Outcome::Unknown {
            return; // interrupted, and made again
        }
        let got = moved.got.unwrap_or(0);
        if moved.discards && self.sockets.all[socket].family == Family::Stream {
            moved.bytes.clear();
        }
        if (moved.bytes.len() as u64) < got {
            self.unsee(match moved.asked {
                Some(_) => "not known: the last bytes of a call, which strace cut off (a larger -s shows more)",
                None => "not known: the bytes that sendfile or splice moved, which strace can't see",
            });
        }
        let is_datagram = self.sockets.all[socket].family == Family::Datagram;
        if is_datagram && moved.more {
            self.unsee(
                "drawn as several datagrams: one datagram that was put together by several calls (MSG_MORE)",
            );
        }
        let it = &mut self.sockets.all[socket];
        let call = match (is_datagram, dir) {
            (false, "out") => "send",
            (false, _) => "recv",
            (true, "out") => "sendto",
            (true, _) => "recvfrom",
        };
        let so_far = if dir == "out" { &mut it.sent } else { &mut it.received };
        let offset = *so_far;
        *so_far = so_far.saturating_add(got);
        let peer = moved.peer.map(|peer| canonical(&peer)).or(it.peer.clone());
        let (local, peer) = if is_datagram { (it.local.clone(), peer) } else { (None, None) };
        let event = Event {
            t_us,
            began_us: Some(self.began),
            call: call.to_owned(),
            conn: socket as u64,
            dir: Some(dir.to_owned()),
            asked: moved.asked,
            got: moved.got,
            offset: (!is_datagram).then_some(offset),
            data: moved.got.map(|_| moved.bytes),
            local,
            peer,
            error: result.error(),
            ..Event::default()
        };
        self.events.push(event);
        self.name_the_connect(socket);
    }

    /// A call that moves no bytes.
    fn note(&mut self, t_us: u64, call: &str, socket: usize, result: Outcome<'_>) {
        let it = &self.sockets.all[socket];
        let has_ends = matches!(call, "bind" | "listen" | "connect" | "accept");
        let (local, peer) = (it.local.clone(), it.peer.clone());
        let event = Event {
            t_us,
            began_us: Some(self.began),
            call: call.to_owned(),
            conn: socket as u64,
            local: local.filter(|_| has_ends),
            peer: peer.filter(|_| has_ends),
            error: result.error(),
            ..Event::default()
        };
        self.events.push(event);
        self.name_the_connect(socket);
    }

    /// A connect is noted before strace knows the socket's own address. The first call after it shows the address; it also
    /// shows that a connect that was still under way has succeeded.
    fn name_the_connect(&mut self, socket: usize) {
        let it = &self.sockets.all[socket];
        if let (Some(at), Some(local), Some(peer)) = (it.connect, &it.local, &it.peer) {
            let connect = &mut self.events[at];
            (connect.local, connect.peer) = (Some(local.clone()), Some(peer.clone()));
            connect.error = None;
        }
    }
}
