//! A socket that leaves a record of each call.

use std::fmt::Display;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::io::{ioctl_fionread, retry_on_intr};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, recvmsg};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::Event;
use crate::address::{show, sock_addr};
use crate::log::record;

/// A [`socket2::Socket`] whose calls, those that the lesson is about, each leave one [`Event`].
///
/// The options (`set_reuse_address`, `set_recv_buffer_size`, …) are the inner socket's own, reached
/// through [`Deref`]. Closing is dropping, as everywhere in Rust. A call that a signal interrupted
/// (`EINTR`; with a timeout set, a Ctrl-Z and `fg` are enough: signal(7)) is repeated, as in Python.
#[derive(Debug)]
pub struct Socket {
    inner: socket2::Socket,
    conn: u64,
    /// How many bytes of the stream were sent, and received: the offset of the next one.
    sent: AtomicU64,
    received: AtomicU64,
    masked: AtomicBool,
}

static NEXT_CONN: AtomicU64 = AtomicU64::new(1);

impl Socket {
    /// socket(2): a new endpoint, not yet bound or connected.
    ///
    /// # Errors
    /// When the system has no such kind of socket, or no descriptor left.
    pub fn new(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Self> {
        Ok(Self::wrap(socket2::Socket::new(domain, kind, protocol)?))
    }

    /// A socket that came from somewhere else.
    pub fn inherited(fd: OwnedFd) -> Self {
        Self::wrap(fd.into())
    }

    /// The only socket of a process that inherited it. It keeps the number that it had in the process that accepted it, so
    /// that a record of both shows one connection.
    pub fn inherited_as(fd: OwnedFd, number: u64) -> Self {
        NEXT_CONN.fetch_max(number, Ordering::Relaxed);
        Self::wrap(fd.into())
    }

    /// Its number in the record.
    pub fn number(&self) -> u64 {
        self.conn
    }

    fn wrap(inner: socket2::Socket) -> Self {
        let conn = NEXT_CONN.fetch_add(1, Ordering::Relaxed);
        Socket {
            inner,
            conn,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            masked: AtomicBool::new(false),
        }
    }

    /// Whether the record of the following calls shows `*` for each byte, for example while a token is sent
    /// or waited for. It still shows how many bytes there were.
    pub fn mask(&self, masked: bool) {
        self.masked.store(masked, Ordering::Relaxed);
    }

    /// Whether the record hides its bytes because a token may be among them.
    pub fn is_masked(&self) -> bool {
        self.masked.load(Ordering::Relaxed)
    }

    /// bind(2): gives the socket its address.
    ///
    /// # Errors
    /// `AddrInUse` when the address is taken, `AddrNotAvailable` when it is not this machine's.
    pub fn bind(&self, address: &SockAddr) -> io::Result<()> {
        let result = self.inner.bind(address);
        self.call("bind", result.as_ref().err(), |event| event.local = Some(show(address)));
        result
    }

    /// listen(2): from now on the kernel completes connections, and queues them for `accept`.
    ///
    /// # Errors
    /// When the socket cannot listen.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        let result = self.inner.listen(backlog);
        self.call("listen", result.as_ref().err(), |_| {});
        result
    }

    /// accept(2): takes the next connection from the queue, and waits while there is none.
    ///
    /// # Errors
    /// See [`Backoff`](crate::Backoff): most of them are temporary, and a server goes on.
    pub fn accept(&self) -> io::Result<(Socket, SockAddr)> {
        match uninterrupted(|| self.inner.accept()) {
            Ok((inner, peer)) => {
                let socket = Self::wrap(inner);
                socket.call("accept", None, |event| {
                    event.local = socket.local_addr().ok().as_ref().map(show);
                    event.peer = Some(show(&peer));
                });
                Ok((socket, peer))
            }
            Err(error) => {
                self.call("accept", Some(&error), |_| {});
                Err(error)
            }
        }
    }

    /// connect(2): for a stream the handshake, for a datagram socket just a default peer.
    ///
    /// # Errors
    /// `ConnectionRefused` when nobody listens there.
    pub fn connect(&self, peer: &SockAddr) -> io::Result<()> {
        let result = self.inner.connect(peer);
        self.call("connect", result.as_ref().err(), |event| {
            event.local = self.local_addr().ok().as_ref().map(show);
            event.peer = Some(show(peer));
        });
        result
    }

    /// send(2): gives the kernel bytes. It may take only some of them: then send the rest again.
    ///
    /// # Errors
    /// `BrokenPipe` or `ConnectionReset` when the peer is gone.
    pub fn send(&self, data: &[u8]) -> io::Result<usize> {
        let result = uninterrupted(|| self.inner.send(data));
        self.moved(Call::Send, data.len(), &result, None, || vec![data]);
        result
    }

    /// sendmsg(2) with MSG_DONTWAIT: gives the kernel as much of these pieces as it has room for, and never waits for more
    /// room.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room at all; and the errors of [`send`](Self::send).
    pub fn send_immediately(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT.bits().cast_signed();
        let result = uninterrupted(|| self.inner.send_vectored_with_flags(pieces, flags));
        self.moved_pieces(pieces, &result);
        result
    }

    /// recv(2): takes what has arrived, at most `buffer.len()` bytes, and waits while nothing has.
    /// 0 bytes mean the end of the stream.
    ///
    /// # Errors
    /// `ConnectionReset` when the peer reset the connection; `WouldBlock` when a read timeout
    /// is set and has passed.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = uninterrupted(|| (&self.inner).read(buffer));
        self.moved(Call::Recv, buffer.len(), &result, None, || vec![buffer]);
        result
    }

    /// ioctl(2) with FIONREAD: how many bytes have arrived and can be read without waiting. It's 0 for a socket that can't
    /// say.
    pub fn unread(&self) -> usize {
        ioctl_fionread(&self.inner).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// sendto(2): one datagram to `peer`, whole or not at all.
    ///
    /// # Errors
    /// `EMSGSIZE` ("message too long") when it doesn't fit into a datagram.
    pub fn send_to(&self, data: &[u8], peer: &SockAddr) -> io::Result<usize> {
        let result = uninterrupted(|| self.inner.send_to(data, peer));
        self.moved(Call::SendTo, data.len(), &result, Some(peer), || vec![data]);
        result
    }

    /// recvfrom(2): one datagram. What doesn't fit into the buffer is lost, and only
    /// [`Datagram::truncated`] tells you.
    ///
    /// # Errors
    /// `WouldBlock` when a read timeout is set and has passed.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        let asked = buffer.len();
        // recvmsg rather than recvfrom: only recvmsg says that a datagram was cut.
        let result = retry_on_intr(|| {
            let control = &mut RecvAncillaryBuffer::default();
            recvmsg(&self.inner, &mut [IoSliceMut::new(buffer)], control, RecvFlags::empty())
        });
        let result = result.map_err(io::Error::from).and_then(|message| {
            let from = sock_addr(message.address)?;
            let truncated = message.flags.contains(ReturnFlags::TRUNC);
            Ok(Datagram { len: message.bytes, from, truncated })
        });
        let (got, peer) = match &result {
            Ok(datagram) => (Ok(datagram.len), Some(&datagram.from)),
            Err(error) => (Err(io::Error::new(error.kind(), error.to_string())), None),
        };
        self.moved(Call::RecvFrom, asked, &got, peer, || vec![buffer]);
        result
    }

    /// shutdown(2): ends one direction, or both. After [`Shutdown::Write`] the peer reads our last
    /// bytes and then the end of the stream, and we can still read its answer.
    ///
    /// # Errors
    /// `NotConnected` when the peer is gone already.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let result = self.inner.shutdown(how);
        let dir = match how {
            Shutdown::Read => Some("in".into()),
            Shutdown::Write => Some("out".into()),
            Shutdown::Both => None,
        };
        self.call("shutdown", result.as_ref().err(), |event| event.dir = dir);
        result
    }

    /// Not a call: records what the program did with the bytes that the last `recv` returned. Nothing is recorded while
    /// the bytes are [masked](Self::mask).
    pub fn note(&self, text: impl Display) {
        if !self.is_masked() {
            self.call("note", None, |event| event.text = Some(text.to_string()));
        }
    }

    fn call(&self, call: &str, error: Option<&io::Error>, fill: impl FnOnce(&mut Event)) {
        record(|_| {
            let error = error.map(io::Error::to_string);
            let mut event = Event { call: call.into(), conn: self.conn, error, ..Event::default() };
            fill(&mut event);
            event
        });
    }

    fn moved_pieces(&self, pieces: &[IoSlice<'_>], result: &io::Result<usize>) {
        let asked = pieces.iter().map(|piece| piece.len()).sum();
        self.moved(Call::Send, asked, result, None, || pieces.iter().map(|p| &p[..]).collect());
    }

    fn moved<'a>(
        &self,
        call: Call,
        asked: usize,
        result: &io::Result<usize>,
        peer: Option<&SockAddr>,
        pieces: impl FnOnce() -> Vec<&'a [u8]>,
    ) {
        let got = result.as_ref().copied().unwrap_or(0);
        let (name, dir, so_far) = match call {
            Call::Send => ("send", "out", &self.sent),
            Call::SendTo => ("sendto", "out", &self.sent),
            Call::Recv => ("recv", "in", &self.received),
            Call::RecvFrom => ("recvfrom", "in", &self.received),
        };
        let offset = so_far.fetch_add(got as u64, Ordering::Relaxed);
        record(|whole| {
            // The log shows a preview only: copying megabytes for it would slow what it watches.
            let shown = if whole { got } else { got.min(64) };
            let masked = self.masked.load(Ordering::Relaxed);
            let byte_shown = |byte: &u8| if masked { b'*' } else { *byte };
            Event {
                call: name.into(),
                conn: self.conn,
                dir: Some(dir.into()),
                asked: Some(asked as u64),
                got: result.as_ref().ok().map(|&n| n as u64),
                offset: Some(offset),
                data: result
                    .is_ok()
                    .then(|| pieces().into_iter().flatten().map(byte_shown).take(shown).collect()),
                peer: peer.map(show),
                error: result.as_ref().err().map(io::Error::to_string),
                ..Event::default()
            }
        });
    }
}

/// Repeats a call that a signal interrupted. With a timeout set, any signal interrupts a `recv`, whatever its
/// handler asks for (signal(7)); `read_exact` and `read_to_end` go on by themselves, a single `read` or `peek` doesn't.
///
/// # Errors
/// Those of the call, except `Interrupted`.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// What [`Socket::recv_from`] took.
#[derive(Debug)]
pub struct Datagram {
    /// How many bytes of it are in the buffer. 0 is an empty datagram, not an end.
    pub len: usize,
    /// Who sent it.
    pub from: SockAddr,
    /// It was longer than the buffer, and its end is lost.
    pub truncated: bool,
}

#[derive(Clone, Copy)]
enum Call {
    Send,
    SendTo,
    Recv,
    RecvFrom,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.call("close", None, |_| {});
    }
}

impl Deref for Socket {
    type Target = socket2::Socket;

    fn deref(&self) -> &socket2::Socket {
        &self.inner
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv(buffer)
    }
}

impl Write for &Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.send(data)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let result = uninterrupted(|| (&self.inner).write_vectored(pieces));
        self.moved_pieces(pieces, &result);
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn a_call_is_made_again_only_if_it_was_interrupted() {
        let mut results = [Ok(1), Err(ErrorKind::WouldBlock), Err(ErrorKind::Interrupted)].to_vec();
        let mut call = || results.pop().unwrap().map_err(io::Error::from);
        let first = uninterrupted(&mut call);
        assert_eq!(first.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        assert_eq!(uninterrupted(&mut call).unwrap(), 1);
    }
}
