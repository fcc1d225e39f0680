//! One thread for all connections: Python's `selectors`, and what runs inside most large servers.
//!
//! No call of this thread waits for one client. It waits for all of them at once, in epoll(7) or kqueue(2) through the
//! crate mio, and then does for each ready client what can be done without blocking. So a connection's state can't live in
//! a loop or on a stack: what it is in the middle of is stored in a value (`events/client.rs`), and the decoder remembers
//! how much of its request has arrived. What takes time, a handler that blocks, runs on worker threads
//! (`events/workers.rs`).
//!
//! The kernel reports only what is new: that bytes have arrived, not that there still are some (edge-triggered). So its
//! list needs no upkeep, and 10,000 silent clients cost nothing; but you must read a client until nothing is left.

mod client;
mod clients;
mod workers;

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::thread;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use observe::{Backoff, Failure, Socket};
use shell::Deadline;

use self::clients::Clients;
use self::workers::{Jobs, Results, work};
use crate::connections::Connections;
use crate::pool::WORKERS;
use crate::{Handler, Service};

/// What can be ready besides a client: the clients' tokens count from 0.
const NEWCOMER: Token = Token(usize::MAX);
const SHUTDOWN: Token = Token(usize::MAX - 1);
const WORKER: Token = Token(usize::MAX - 2);

/// How many new clients are accepted before it's the others' turn.
const AT_ONCE: usize = 64;

/// Serves until the server is told to stop, and then until each request that is being handled has its answer.
///
/// # Errors
/// When no worker can be started, or the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> Result<(), Failure> {
    let Some(until_the_loop_ends) = service.shutdown.hold() else { return Ok(()) };
    let mut poll = Poll::new().map_err(Failure::system("epoll or kqueue"))?;
    let waker =
        set_up(poll.registry(), listener, service).map_err(Failure::system("the event loop"))?;
    let (jobs, results) = (&Jobs::default(), &Results::new(waker));
    thread::scope(|scope| {
        let _workers_end_with_it = jobs.close_when_dropped();
        let workers = if H::WAITS { WORKERS.min(service.max_connections) } else { 0 };
        for _ in 0..workers {
            thread::Builder::new()
                .spawn_scoped(scope, || work(jobs, results, service))
                .map_err(Failure::system("starting the workers"))?;
        }
        let connections = Connections::new(service);
        let mut clients =
            Clients::new(service, poll.registry().try_clone().map_err(Failure::system("epoll"))?);
        let mut events = Events::with_capacity(1024);
        let mut backoff = Backoff::default();
        let mut accept_at = None; // when to try again, if new clients wait
        while !(service.shutdown.told() && clients.is_empty()) {
            let deadline = clients.deadline().or(accept_at.unwrap_or(Deadline::NEVER));
            match poll.poll(&mut events, deadline.timeout()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled.map_err(Failure::system("waiting for events"))?,
            }
            for event in &events {
                match event.token() {
                    NEWCOMER => _ = accept_at.get_or_insert(Deadline::now()),
                    SHUTDOWN => clients.dismiss(),
                    WORKER => results.take().into_iter().for_each(|done| clients.finished(done)),
                    Token(client) => clients.ready(client, event),
                }
            }
            clients.go_on();
            clients.expire();
            jobs.add(clients.take_jobs());
            if accept_at.is_some_and(Deadline::has_passed) {
                accept_at = accept(listener, &connections, &mut clients, &mut backoff)?;
            }
        }
        Ok::<(), Failure>(())
    })?;
    drop(until_the_loop_ends);
    // A client that was refused may still be reading why.
    service.shutdown.wait_until_closed();
    Ok(())
}

/// Accepts new clients, but not for so long that the others wait. Returns when to continue; `None` once all are in.
fn accept<H: Handler>(
    listener: &Socket,
    connections: &Connections<'_, H>,
    clients: &mut Clients<'_, H>,
    backoff: &mut Backoff,
) -> Result<Option<Deadline>, Failure> {
    for _ in 0..AT_ONCE {
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                // The model: one more in the list.
                if let Some(accepted) = connections.admit(conn, &peer) {
                    clients.enter(accepted);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => match backoff.after(&error) {
                Some(pause) => return Ok(Some(Deadline::after(pause))),
                None => return Err(Failure::system("accepting connections")(error)),
            },
        }
    }
    Ok(Some(Deadline::now()))
}

/// Has the kernel tell of newcomers and of the end; and what workers wake the loop with.
fn set_up<H>(registry: &Registry, listener: &Socket, service: &Service<H>) -> io::Result<Waker> {
    listener.set_nonblocking(true)?;
    for (fd, token) in [(listener.as_fd(), NEWCOMER), (service.shutdown.as_fd(), SHUTDOWN)] {
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
    }
    Waker::new(registry, WORKER)
}
