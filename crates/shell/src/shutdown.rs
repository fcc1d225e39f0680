//! The end of a server that is [told to end](ending::told).
//!
//! A blocking server waits in `accept` or in `recv`, and can't notice anything there. So the end comes from outside. A
//! thread waits for the signal, and shuts down our sending side of each open connection. The peer reads what was still on
//! its way, then the end of the stream, and closes its own side. So `recv` returns 0, and the connection ends like any
//! other. If a peer doesn't close its side, the thread shuts down our receiving side after a second, and `recv` returns 0
//! too.
//!
//! It doesn't do that at once, because Linux then answers whatever the peer still sends with a reset, and that would
//! destroy the part of the last answer that the peer hasn't received yet.
//!
//! If a request is being answered, the connection ends after the answer. When the last connection has ended, the process
//! exits, even if a thread still waits in `accept`.

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

/// How long running commands may take to finish when a server is told to stop.
pub const GRACE: Duration = Duration::from_secs(3);

/// Knows what is open in a server, and ends it when the server is told to.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    told: AtomicBool,
    /// Its other end closes, and so this is readable, once the server has been told.
    told_pipe: PipeReader,
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Debug)]
struct Open {
    /// Connections, and whatever else is to end before the process does.
    all: HashMap<u64, Option<Watched>>,
    next: u64,
    /// Closed when the server has been told and nothing is open.
    last: Option<PipeWriter>,
}

#[derive(Clone, Debug)]
struct Watched {
    conn: Arc<Socket>,
    /// A request is being answered: the connection isn't shut down now.
    answering: Arc<AtomicBool>,
}

impl Shutdown {
    /// Takes over SIGINT, SIGTERM, SIGHUP and SIGQUIT. Call it once, before the first connection.
    ///
    /// After the first signal no new connection is [watched](Self::watch), and the watched ones end. The process exits with
    /// 0 when they have ended, or after [`GRACE`]: then every command that is still running is killed with its group. A
    /// second signal does the same at once, with 130.
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

    /// Ends this process at once, and with it every command that it runs: for a process that works for another one, when
    /// that one has ended.
    pub fn now() -> ! {
        permit::close();
        process::exit(0);
    }

    /// A connection that ends when the server is told to end: `recv` then returns 0. `None` if the server has already
    /// been told: it serves nobody new.
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

    /// Waits until everything is closed, lingering connections too: for a process that serves one connection.
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

/// For your own poll: readable (it reaches its end) once the server has been told to end.
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
    /// Store true when a request has arrived, and false when its answer has been sent: in between, the connection is not
    /// shut down. After each store look at [`told`](Shutdown::told): either the thread that ends the server sees the store,
    /// or you see that the server has been told.
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
    // One byte for each signal, read one by one, since the second may be there already. The pipe never
    // ends, because we hold it open ourselves.
    if let Err(error) = signals.read_exact(&mut [0]) {
        tracing::warn!(%error, "no longer listening for signals");
        // Dropping it would look like an order to end.
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
    // Logged only now: for tests, this line means that our side has ended.
    tracing::info!(grace = ?GRACE, "stopping; a second signal ends what runs at once");
    observe::say_what_was_dropped();
    let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(emptied, PollFlags::IN)];
    let mut ended = poll(&mut fds, Deadline::after(LINGER));
    if let Ok(false) = ended {
        // The other connections have just ended, or are still being answered.
        shut_down(&idle, net::Shutdown::Read);
        ended = poll(&mut fds, grace);
    }
    let again = ended.is_err() || !fds[0].revents().is_empty();
    permit::close();
    process::exit(if again { 130 } else { 0 });
}

impl Open {
    /// The connections on which no request is being answered. Remembering a connection must not keep it open.
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
