//! The commands that run now: at most [`MAX_RUNNING`] in the process, and all of them known, so
//! that a server that must end can kill them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::caller::{Caller, CallerGone, RECHECK};

/// How many commands run at once in one process; a further one waits.
pub const MAX_RUNNING: usize = 8;

/// How long [`close`] waits for commands that are just being started.
const START: Duration = Duration::from_secs(1);

static TABLE: Mutex<Table> = Mutex::new(Table { groups: Vec::new(), starting: 0, closed: false });
static CHANGED: Condvar = Condvar::new();

struct Table {
    /// The process groups that run. A group leaves before its shell is reaped: its number cannot
    /// belong to others yet.
    groups: Vec<Pid>,
    starting: usize,
    closed: bool,
}

/// The right to run one command; given back when dropped.
pub(crate) struct Slot {
    group: Option<Pid>,
}

impl Slot {
    /// Waits for a slot: `None` when none came free within `patience`.
    pub(crate) fn take(
        patience: Duration,
        caller: &Caller<'_>,
    ) -> Result<Option<Slot>, CallerGone> {
        let until = Instant::now().checked_add(patience);
        let mut watch = caller.watch();
        loop {
            // Looked at first: nothing starts for a peer that has left.
            if watch.look() {
                return Err(CallerGone);
            }
            let left = until
                .map_or(RECHECK, |at| at.saturating_duration_since(Instant::now()).min(RECHECK));
            let (mut table, _) = CHANGED
                .wait_timeout_while(lock(), left, |table| table.is_full())
                .unwrap_or_else(PoisonError::into_inner);
            if !table.is_full() {
                table.starting += 1;
                return Ok(Some(Slot { group: None }));
            }
            drop(table);
            if until.is_some_and(|at| at <= Instant::now()) {
                return Ok(None);
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

impl Drop for Slot {
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

/// Kills every command that runs, and lets no other start.
pub(crate) fn close() {
    let mut table = lock();
    table.closed = true;
    table.groups.iter().copied().for_each(kill);
    // One that is between its slot and its process kills itself in `started`: the program must not
    // end before that.
    drop(CHANGED.wait_timeout_while(table, START, |table| table.starting > 0));
}

/// Kills a whole process group, whose leader has not been reaped. Failure means that nothing of it
/// is left, or that it has become another user's.
pub(crate) fn kill(group: Pid) {
    if let Err(error) = kill_process_group(group, Signal::KILL) {
        tracing::debug!(group = group.as_raw_nonzero().get(), %error, "kill");
        // One that has only just been started may not lead its group yet.
        let _ = kill_process(group, Signal::KILL);
    }
}

fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}
