//! The relay of streams: two connections, and the bytes between them.
//!
//! One thread waits for connections; each connection has a thread of its own, which waits in one
//! `poll(2)` for everything that can happen: bytes from either side, room at either side, the moment
//! when something is due, and the end of the relay. It blocks nowhere else, so it is always on time and
//! notices a reset at once.
//!
//! In a trace, the accepted socket talks to the client, and the connected one to the server.

use std::io::{self, PipeReader};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use observe::{Backoff, Socket, show};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use socket2::Type;
use tracing::{info, warn};

use crate::close::{lingering_close, reset};
use crate::flow::{Action, Flow, State};
use crate::poll::wait;
use crate::queue::Ending;
use crate::{Destination, Endpoint, PeerCheck, Schedule};

/// How many connections may be open at once; any more are reset.
const CONNECTIONS: usize = 1024;
/// The kernel's buffers of each socket. What waits in them stays in the processor's cache: with the
/// megabytes that the kernel would choose an idle relay had 0.4 of the speed of a direct connection.
const BUFFER: usize = 256 << 10;
/// How long a server may take to complete the handshake.
const CONNECT: Duration = Duration::from_secs(5);

/// Relays one connection after the other until the other end of `stop` is dropped.
pub(crate) fn relay_all(
    listener: &Socket,
    to: &Endpoint,
    schedule: &Schedule,
    check: PeerCheck,
    stop: &PipeReader,
) {
    check.warn();
    let open = AtomicUsize::new(0);
    let mut backoff = Backoff::default();
    let mut pause = None;
    let mut number = 0;
    thread::scope(|scope| {
        loop {
            // After accept ran out of descriptors, wait only for the end of the relay.
            let listening = if pause.is_none() { PollFlags::IN } else { PollFlags::empty() };
            let mut fds = [PollFd::new(stop, PollFlags::IN), PollFd::new(listener, listening)];
            if let Err(error) = wait(&mut fds, pause.take().map(|pause| Instant::now() + pause)) {
                return warn!(%error, "poll failed: nobody new is relayed");
            }
            if !fds[0].revents().is_empty() {
                return;
            }
            if fds[1].revents().is_empty() {
                continue;
            }
            // The socket for the server first: without one, the client waits in the queue and isn't reset.
            let server = to.socket(Type::STREAM);
            if let Err(error) = &server
                && let Some(time) = backoff.after(error).filter(|time| !time.is_zero())
            {
                pause = Some(time);
                continue;
            }
            let (client, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match backoff.after(&error) {
                    Some(time) => {
                        pause = Some(time);
                        continue;
                    }
                    None => return warn!(%error, "accept failed: nobody new is relayed"),
                },
            };
            backoff.reset();
            let peer = show(&peer);
            if let Some(why) = check.refuses(&client) {
                warn!(peer, "refused: {why}");
                reset([&client]);
                continue;
            }
            if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                warn!(peer, limit = CONNECTIONS, "too many connections: this one is reset");
                open.fetch_sub(1, Ordering::Relaxed);
                reset([&client]);
                continue;
            }
            let open = &open;
            let connection = move || {
                if let Err(error) = relay_one(&client, server, to, schedule, number, stop) {
                    warn!(peer, %to, %error, "no connection to the server: the client is reset");
                    reset([&client]);
                }
                open.fetch_sub(1, Ordering::Relaxed);
            };
            let named = thread::Builder::new().name(format!("relay {number}"));
            if let Err(error) = named.spawn_scoped(scope, connection) {
                warn!(%error, "no thread for a connection: it is closed");
                open.fetch_sub(1, Ordering::Relaxed);
            }
            number += 1;
        }
    });
}

/// One connection: connects to the server, and carries the bytes until the end.
fn relay_one(
    client: &Socket,
    server: io::Result<Socket>,
    to: &Endpoint,
    schedule: &Schedule,
    number: u64,
    stop: &PipeReader,
) -> io::Result<()> {
    let server = server?;
    // The write timeout bounds connect as well (socket(7)).
    server.set_write_timeout(Some(CONNECT))?;
    server.connect(&to.sock_addr()?).map_err(|error| match Errno::from_io_error(&error) {
        // This is how the system says that the time is up.
        Some(Errno::INPROGRESS) => io::Error::other(format!("no handshake within {CONNECT:?}")),
        _ => error,
    })?;
    for socket in [client, &server] {
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(BUFFER)?;
        socket.set_send_buffer_size(BUFFER)?;
        if socket.local_addr()?.is_ipv4() || socket.local_addr()?.is_ipv6() {
            // Nagle's algorithm would join the pieces again.
            socket.set_tcp_nodelay(true)?;
        }
    }
    let flows = [
        Flow::new(schedule, Destination::Server, number, &server),
        Flow::new(schedule, Destination::Client, number, client),
    ];
    match carry([client, &server], flows, stop) {
        Outcome::Ended => {}
        Outcome::Closed => lingering_close([client, &server], stop),
        Outcome::Reset => {
            info!(number, "reset");
            reset([client, &server]);
        }
    }
    Ok(())
}

/// How a connection ended.
enum Outcome {
    /// Both sides ended their streams.
    Ended,
    /// The schedule closed it.
    Closed,
    /// One side, or the schedule, or the end of the relay broke it.
    Reset,
}

/// Carries bytes until there are no more. Side 0 is the client, side 1 the server; flow 0 goes from
/// side 0 to side 1, flow 1 goes back.
fn carry(sides: [&Socket; 2], mut flows: [Flow; 2], stop: &PipeReader) -> Outcome {
    // A side that broke while we sent to it. What it sent before can still be read.
    let mut broken = [false; 2];
    // A side that hung up and that we no longer read from: poll would report it again and again.
    let mut ignored = [false; 2];
    loop {
        let now = Instant::now();
        let mut events = [PollFlags::empty(); 2];
        let mut sends = [None; 2];
        let mut next: Option<Instant> = None;
        for from in [0, 1] {
            let to = 1 - from;
            match flows[from].action(now) {
                Action::Wait(None) => {}
                Action::Wait(Some(due)) => next = Some(next.map_or(due, |next| next.min(due))),
                Action::Send(n) => {
                    sends[from] = Some(n);
                    events[to] |= PollFlags::OUT;
                }
                Action::End => {
                    // Half-close: the other direction goes on. If the peer is gone, an error here doesn't matter.
                    let _ = sides[to].shutdown(Shutdown::Write);
                    flows[from].state = State::Over;
                }
                Action::Reset => return Outcome::Reset,
                Action::Close => return Outcome::Closed,
            }
            if flows[from].wants_more() {
                events[from] |= PollFlags::IN;
            }
        }
        if flows.iter().all(|flow| flow.state == State::Over) {
            return Outcome::Ended;
        }

        let mut fds = vec![PollFd::new(stop, PollFlags::IN)];
        let watched: Vec<usize> =
            (0..2).filter(|&side| !events[side].is_empty() || !ignored[side]).collect();
        fds.extend(watched.iter().map(|&side| PollFd::new(sides[side], events[side])));
        if wait(&mut fds, next).is_err() || !fds[0].revents().is_empty() {
            return Outcome::Reset;
        }
        let mut happened = [PollFlags::empty(); 2];
        for (fd, &side) in fds[1..].iter().zip(&watched) {
            happened[side] = fd.revents();
        }

        for from in [0, 1] {
            let to = 1 - from;
            let gone = PollFlags::ERR | PollFlags::HUP;
            let (flow, other) = match &mut flows {
                [flow, other] if from == 0 => (flow, other),
                [other, flow] => (flow, other),
            };
            if flow.wants_more() && happened[from].intersects(PollFlags::IN | gone) {
                match receive(sides[from], flow) {
                    Ok(0) if broken[from] => flow.ended(Ending::Reset, Instant::now()),
                    Ok(0) => flow.ended(Ending::Orderly, Instant::now()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => flow.ended(Ending::Reset, Instant::now()),
                }
            } else if happened[from].contains(PollFlags::ERR) && flow.state != State::Flowing {
                // We no longer read from this side, so nothing else would notice.
                return Outcome::Reset;
            } else if happened[from].intersects(gone) && events[from].is_empty() {
                ignored[from] = true;
            }
            if let Some(n) = sends[from].filter(|_| happened[to].intersects(PollFlags::OUT | gone))
            {
                match transmit(sides[to], flow, n) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) if other.state == State::Flowing => {
                        // First what that side sent before it broke, and then its reset.
                        flow.state = State::Over;
                        broken[to] = true;
                    }
                    Err(_) => return Outcome::Reset,
                }
            }
        }
    }
}

/// Receives what one side sent. 0 is the end of the stream.
fn receive(from: &Socket, flow: &mut Flow) -> io::Result<usize> {
    if flow.splice.is_open() {
        return flow.splice.take(from);
    }
    let room = flow.queue.room();
    let asked = room.len();
    let n = from.recv(room)?;
    if n > 0 {
        // The time now, not the time of poll: what arrived in between would leave too early.
        flow.arrived(n, asked, Instant::now());
    }
    Ok(n)
}

/// One send of up to `n` bytes: one piece.
fn transmit(to: &Socket, flow: &mut Flow, n: usize) -> io::Result<()> {
    if flow.splice.held() > 0 {
        return flow.splice.give(to);
    }
    let n = to.send(flow.queue.front(n))?;
    flow.sent(n, Instant::now());
    Ok(())
}
