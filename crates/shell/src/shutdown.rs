//! The end of a server that is [told to end](ending::told).
//!
//! A blocking server waits in `accept` or in `recv`, and can't be asked anything there. So the end comes from outside. A
//! thread waits for the signal, and ends our side of each open connection. The peer reads what was still on its way to it,
//! then the end of the stream, and ends its own side. So `recv` returns 0, and the connection ends like any other. For a
//! peer that doesn't end its side, the thread shuts down our reading side after a second, and `recv` returns 0, too.
//!
//! Not at once: Linux then answers whatever the peer still sends with a reset, and that would destroy what it hasn't got
//! yet of its last answer.
//!
//! Where a program is answering a request, the connection ends after the answer. When the last one has ended, the process
//! exits, whether somebody waits in `accept` or not.

use std::collections::HashMap;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::mem;
use std::net;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use observe::{Failure, Socket};
use rustix::event::{PollFd, PollFlags};

use crate::deadline::{Deadline, poll};
use crate::permit;

/// How long a peer may take to read the last bytes and to end its side.
pub const LINGER: Duration = Duration::from_secs(1);

/// What runs when a server is told to stop has this long to finish.
pub const GRACE: Duration = Duration::from_secs(3);

/// Knows what is open in a server, and ends it when the server is told to.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    told: AtomicBool,
    /// Ends, and so is readable, once the server has been told.
    told_pipe: PipeReader,
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Debug)]
struct Open {
    /// Connections, and whatever else is to end before the process does.
    all: HashMap<u64, Option<Watched>>,
    next: u64,
    /// Closed when the server has been told and nothing is open any more.
    last: Option<PipeWriter>,
}

#[derive(Clone, Debug)]
struct Watched {
    conn: Arc<Socket>,
    /// A request is being answered. It isn't shut down now.
    answering: Arc<AtomicBool>,
}

impl Shutdown {
    /// Takes over SIGINT, SIGTERM, SIGHUP and SIGQUIT. Call it once, before the first connection.
    ///
    /// After the first signal no other connection is [watched](Self::watch), and those that are end. The process exits with
    /// 0 when they have ended, or after [`GRACE`]: then every command that still runs is killed with its group. A second
    /// signal does the same at once, with 130.
    ///
    /// # Errors
    /// No descriptor or thread left.
    pub fn on_signals() -> Result<Shutdown, Failure> {
        let start = || {
            let signals = ending::told()?;
            let (told_pipe, running) = io::pipe()?;
            let (emptied, last) = io::pipe()?;
            let open = Open { all: HashMap::new(), next: 0, last: Some(last) };
            let told = AtomicBool::new(false);
            let inner =
                Arc::new(Inner { told, told_pipe, open: Mutex::new(open), closed: Condvar::new() });
            let shutdown = Shutdown(Arc::clone(&inner));
            let end = move || end_in_order(signals, running, &inner, &emptied);
            thread::Builder::new().name("signals".into()).spawn(end)?;
            Ok(shutdown)
        };
        start().map_err(Failure::system("waiting for signals"))
    }

    /// Ends the process at once, and with it every command that it runs: for one that only serves another, when that
    /// one has ended.
    pub fn now() -> ! {
        permit::close();
        process::exit(0);
    }

    /// A connection that ends when the server is told to end: `recv` then returns 0. `None` if the server has been told
    /// already: nobody new is served.
    pub fn watch(&self, conn: Socket) -> Option<Connection> {
        let watched = Watched { conn: Arc::new(conn), answering: Arc::default() };
        let open = self.enter(Some(watched.clone()))?;
        Some(Connection { watched, _open: open })
    }

    /// Keeps the process from ending, for [`GRACE`] at most, until it is dropped. `None` if the server has been told to
    /// end.
    pub fn hold(&self) -> Option<Hold> {
        self.enter(None)
    }

    fn enter(&self, conn: Option<Watched>) -> Option<Hold> {
        let mut open = self.0.open();
        if self.told() {
            return None;
        }
        let number = open.next;
        open.next += 1;
        open.all.insert(number, conn);
        Some(Hold { number, shutdown: self.clone() })
    }

    /// Waits until nothing is open any more, also not what is only being closed: for a process that serves one connection.
    pub fn wait_until_closed(&self) {
        let open = self.0.open();
        let closed = self.0.closed.wait_while(open, |open| !open.all.is_empty());
        drop(closed.unwrap_or_else(PoisonError::into_inner));
    }

    /// Has the server been told to end?
    pub fn told(&self) -> bool {
        self.0.told.load(Ordering::SeqCst)
    }
}

/// For a poll set of your own: readable, by its end, once the server has been told to end.
impl AsFd for Shutdown {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.told_pipe.as_fd()
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is open: the process doesn't end before it's dropped.
#[derive(Debug)]
pub struct Hold {
    number: u64,
    shutdown: Shutdown,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut open = self.shutdown.0.open();
        open.all.remove(&self.number);
        if open.all.is_empty() {
            self.shutdown.0.closed.notify_all();
            if self.shutdown.told() {
                open.last = None;
            }
        }
    }
}

/// A watched connection. Dropped, it's closed.
#[derive(Debug)]
pub struct Connection {
    watched: Watched,
    _open: Hold,
}

impl Connection {
    /// Store true when a request has come, and false when its answer has been sent: meanwhile the connection is not shut
    /// down. After each store look at [`told`](Shutdown::told): either the thread that ends the server sees the store, or
    /// you see that it has been told.
    pub fn answering(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.watched.answering)
    }
}

impl Deref for Connection {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.watched.conn
    }
}

fn end_in_order(mut signals: PipeReader, running: PipeWriter, inner: &Inner, emptied: &PipeReader) {
    // One byte a signal, read one by one: the second may be there already. A pipe that we hold open
    // has no other end.
    if let Err(error) = signals.read_exact(&mut [0]) {
        tracing::warn!(%error, "no longer listening for signals");
        // Dropped, it would tell those who poll for it that the server has been told to end.
        mem::forget(running);
        return;
    }
    let grace = Deadline::after(GRACE);
    let mut open = inner.open();
    inner.told.store(true, Ordering::SeqCst);
    permit::no_more();
    let idle = open.idle();
    shut_down(&idle, net::Shutdown::Write);
    if open.all.is_empty() {
        open.last = None;
    }
    drop(open);
    drop(running);
    // Said only now: tests take this line for the end of our side.
    tracing::info!(grace = ?GRACE, "stopping; a second signal ends what runs at once");
    observe::say_what_was_dropped();
    let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(emptied, PollFlags::IN)];
    let mut ended = poll(&mut fds, Deadline::after(LINGER));
    if let Ok(false) = ended {
        // The others have only just ended, or are still being answered.
        shut_down(&idle, net::Shutdown::Read);
        ended = poll(&mut fds, grace);
    }
    let again = ended.is_err() || !fds[0].revents().is_empty();
    permit::close();
    process::exit(if again { 130 } else { 0 });
}

impl Open {
    /// The connections on which no request is being answered. To remember one must not keep it open.
    fn idle(&self) -> Vec<Weak<Socket>> {
        let idle =
            self.all.values().flatten().filter(|conn| !conn.answering.load(Ordering::SeqCst));
        idle.map(|watched| Arc::downgrade(&watched.conn)).collect()
    }
}

fn shut_down(connections: &[Weak<Socket>], side: net::Shutdown) {
    for conn in connections.iter().filter_map(Weak::upgrade) {
        // It fails for a connection that has ended already.
        let _ = conn.shutdown(side);
    }
}
