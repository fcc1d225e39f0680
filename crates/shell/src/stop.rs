//! The orderly end of a server that is [told to end](ending::told): a thread reads that, and what
//! waits in `poll(2)` anyway has one more descriptor to wait for.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::poll::poll;
use crate::slots;

/// What runs when a server is told to stop has this long to finish.
pub const GRACE: Duration = Duration::from_secs(3);

/// Tells every part of a server that it has been asked to stop.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Its writing end closes when a stop is asked for: readable from then on, for everyone who
    /// waits.
    asked: Arc<PipeReader>,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// There is something to read, or the end of the stream.
    Ready,
    /// The server has been asked to stop.
    Stopping,
}

impl Stop {
    /// Takes over SIGINT, SIGTERM, SIGHUP and SIGQUIT. Call it once, before the first connection.
    ///
    /// The first signal wakes everyone who waits on this `Stop`. A `main` that then returns ends
    /// the server as it likes. If it has not after [`GRACE`], every running command is killed with
    /// its group and the process exits with 0, whatever its handlers are doing: that is what bounds
    /// the end. A second signal does the same at once, with 130.
    ///
    /// # Errors
    /// No descriptor or thread left.
    pub fn on_signals() -> io::Result<Stop> {
        let signals = ending::told()?;
        let (asked, running) = io::pipe()?;
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || end_in_order(signals, running))?;
        Ok(Stop { asked: Arc::new(asked) })
    }

    /// Ends the process at once, and with it every command that it runs: for one that only serves another, when that
    /// one has ended.
    pub fn now() -> ! {
        slots::close();
        process::exit(0);
    }

    /// Waits until `fd` can be read without blocking, for at most `timeout` (`None`: for ever).
    /// Stopping comes first: what is ready as well is left unread.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) when nothing came in time; and what poll(2) says, except
    /// EINTR: the wait goes on.
    pub fn wait_readable(&self, fd: impl AsFd, timeout: Option<Duration>) -> io::Result<Wake> {
        let mut fds = [PollFd::new(&*self.asked, PollFlags::IN), PollFd::new(&fd, PollFlags::IN)];
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if !poll(&mut fds, deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(if fds[0].revents().is_empty() { Wake::Ready } else { Wake::Stopping })
    }

    /// Waits for `time`, or until a stop is asked for: what a server does between two tries.
    ///
    /// # Errors
    /// What poll(2) says, except EINTR.
    pub fn pause(&self, time: Duration) -> io::Result<()> {
        let deadline = Instant::now().checked_add(time);
        poll(&mut [PollFd::new(&*self.asked, PollFlags::IN)], deadline).map(drop)
    }

    /// For a poll set of your own: readable (hung up) for ever once a stop has been asked for.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.asked.as_fd()
    }

    /// Has a stop been asked for?
    pub fn requested(&self) -> bool {
        poll(&mut [PollFd::new(&*self.asked, PollFlags::IN)], Some(Instant::now())).unwrap_or(false)
    }
}

fn end_in_order(mut signals: PipeReader, running: PipeWriter) {
    // One byte a signal, read one by one: the second may be there already. A pipe that we hold open
    // has no other end.
    if let Err(error) = signals.read_exact(&mut [0]) {
        tracing::warn!(%error, "no longer listening for signals");
        return;
    }
    tracing::info!(grace = ?GRACE, "stopping; a second signal ends what runs at once");
    observe::say_what_was_dropped();
    drop(running);
    let again = poll(&mut [PollFd::new(&signals, PollFlags::IN)], Some(Instant::now() + GRACE))
        .unwrap_or(true);
    slots::close();
    process::exit(if again { 130 } else { 0 });
}
