//! The commands that run now: at most [`MAX_RUNNING`] in the process, and all of them known, so that a server that must
//! end can kill them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::deadline::Deadline;
use crate::peer::{Peer, PeerGone, RECHECK};

/// How many commands run at once in one process; any more have to wait.
pub const MAX_RUNNING: usize = 8;

/// How long [`close`] waits for commands that are just being started.
const START: Duration = Duration::from_secs(1);

static TABLE: Mutex<Table> =
    Mutex::new(Table { groups: Vec::new(), starting: 0, no_more: false, closed: false });
static CHANGED: Condvar = Condvar::new();

struct Table {
    /// The process groups that run. A group is removed before its shell is reaped: up to then its number can't
    /// belong to anybody else.
    groups: Vec<Pid>,
    starting: usize,
    /// The server has been told to end: what runs may finish, and nothing else starts.
    no_more: bool,
    /// Anything that starts anyway is killed.
    closed: bool,
}

/// The permission to run one command; given back when dropped.
pub(crate) struct Permit {
    group: Option<Pid>,
}

impl Permit {
    /// Waits for a permit: `None` if none became free before the deadline.
    ///
    /// # Errors
    /// The peer has left, or the server has been told to end: there is nobody to answer.
    pub(crate) fn take(deadline: Deadline, peer: &Peer<'_>) -> Result<Option<Permit>, PeerGone> {
        loop {
            let (mut table, _) = CHANGED
                .wait_timeout_while(lock(), deadline.left().min(RECHECK), |table| {
                    table.is_full() && !table.no_more
                })
                .unwrap_or_else(PoisonError::into_inner);
            if table.no_more {
                return Err(PeerGone);
            }
            let permit = (!table.is_full()).then(|| {
                table.starting += 1;
                Permit { group: None }
            });
            drop(table);
            // If the peer has left, even while it waited, nothing starts.
            peer.is_here()?;
            if permit.is_some() || deadline.has_passed() {
                return Ok(permit);
            }
        }
    }

    /// The command has been started as this process group.
    pub(crate) fn started(&mut self, group: Pid) {
        let mut table = lock();
        self.group = Some(group);
        table.starting -= 1;
        table.groups.push(group);
        if table.closed {
            kill(group);
        }
        CHANGED.notify_all();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut table = lock();
        match self.group {
            Some(group) => table.groups.retain(|other| *other != group),
            None => table.starting -= 1,
        }
        CHANGED.notify_all();
    }
}

impl Table {
    fn is_full(&self) -> bool {
        self.closed || self.groups.len() + self.starting >= MAX_RUNNING
    }
}

/// Lets no more commands start: for a server that has been told to end.
pub(crate) fn no_more() {
    lock().no_more = true;
    CHANGED.notify_all();
}

/// Kills every running command, and lets no more start.
pub(crate) fn close() {
    let mut table = lock();
    table.closed = true;
    table.groups.iter().copied().for_each(kill);
    // A command that has its permit but not yet its process is killed in `started`: the program must not
    // end before that.
    drop(CHANGED.wait_timeout_while(table, START, |table| table.starting > 0));
}

/// Kills a whole process group whose leader has not been reaped. Failure means that nothing of it
/// is left, or that it now belongs to another user.
pub(crate) fn kill(group: Pid) {
    if let Err(error) = kill_process_group(group, Signal::KILL) {
        tracing::debug!(group = group.as_raw_nonzero().get(), %error, "kill");
        // A process that has only just been started may not lead its group yet.
        let _ = kill_process(group, Signal::KILL);
    }
}

fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    use std::time::Instant;

    use observe::Socket;

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").process_group(0).spawn().unwrap()
    }

    #[test]
    fn running_and_starting_commands_count_alike() {
        let pid = rustix::process::getpid();
        let full = |running, starting, closed| {
            Table { groups: vec![pid; running], starting, no_more: false, closed }.is_full()
        };
        for running in 0..=MAX_RUNNING {
            assert!(full(running, MAX_RUNNING - running, false), "{running} running");
            if running < MAX_RUNNING {
                assert!(!full(running, MAX_RUNNING - running - 1, false), "{running} running");
            }
        }
        assert!(full(0, 0, true), "closed");
    }

    /// The only test of this program that runs commands, because the whole process has one table.
    #[test]
    fn what_runs_is_known_until_it_is_over_and_killed_when_the_table_closes() {
        let state = || {
            let table = lock();
            (table.groups.clone(), table.starting, table.closed)
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = Socket::inherited(listener.accept().unwrap().0.into());
        let peer = Peer::of(&server);
        let take = || Permit::take(Deadline::now(), &peer).unwrap();

        let mut children = [sleeper(), sleeper()];
        let [first, second] = children.each_ref().map(Pid::from_child);
        let never_started = take().unwrap();
        assert_eq!(state(), (vec![], 1, false));
        let mut one = take().unwrap();
        one.started(first);
        let mut two = take().unwrap();
        two.started(second);
        assert_eq!(state(), (vec![first, second], 1, false));
        drop(never_started);
        drop(one);
        assert_eq!(state(), (vec![second], 0, false), "only its own group leaves");

        let mut late = take().unwrap();
        let closed = Instant::now();
        close();
        assert!(closed.elapsed() >= START, "one is being started: it may still become a process");
        assert_eq!(children[1].wait().unwrap().signal(), Some(9));
        assert!(children[0].try_wait().unwrap().is_none(), "it was given back");
        // What starts now is killed at once, and nothing else gets a permit.
        late.started(first);
        assert_eq!(children[0].wait().unwrap().signal(), Some(9));
        assert!(take().is_none());
        drop((two, late));
        assert_eq!(state(), (vec![], 0, true));
    }
}
