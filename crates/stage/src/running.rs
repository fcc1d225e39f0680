//! The programs that run now: how they are signalled, and how they are ended, one or all.
//!
//! A process id is ours to signal until its process has been reaped; after that the system may give the number to
//! somebody else. So one thread for each program learns with `waitid(WNOWAIT)` that it has ended, which leaves the
//! process a zombie; reaping and signalling both need the lock, and nothing is signalled once `reaped` is set.

use crate::output::{Keep, Output, Stream};
use ending::Tied;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a program may take to end after it was told to, and again after it was told twice.
const GRACE: Duration = Duration::from_secs(1);

/// Ends every program that still runs and removes every [`Scratch`](crate::Scratch) directory; from then on nothing
/// starts.
///
/// For the thread that waits for a signal ([`end_all_on_signal`](crate::end_all_on_signal)), just before it exits the
/// process: destructors do not run then.
/// Returns after three seconds at most.
pub fn end_all() {
    let mut registry = registry();
    registry.ending = true;
    end(&registry.programs);
    for path in registry.scratch.drain(..) {
        let _ = std::fs::remove_dir_all(path);
    }
}

/// Ends programs: asks twice, then kills; and kills what is left of their process groups.
///
/// Asking first gives a server time to end the commands that it runs in process groups of their own, which our SIGKILL
/// would not reach. The second SIGTERM tells the course's servers to do so at once.
pub(crate) fn end(programs: &[Arc<Running>]) {
    for signal in [Signal::TERM, Signal::TERM, Signal::KILL] {
        for program in programs {
            program.lock().signal_group(signal);
        }
        let deadline = Instant::now() + GRACE;
        // Not `all`: that would stop at the first one that still runs.
        if programs.iter().filter(|program| !program.wait_for_end(deadline)).count() == 0 {
            break;
        }
    }
    for program in programs {
        program.lock().signal_group(Signal::KILL);
    }
}

/// One running program, as the threads that read, wait and signal share it.
pub(crate) struct Running {
    state: Mutex<State>,
    changed: Condvar,
}

pub(crate) struct State {
    pid: Pid,
    pub output: Output,
    pub ended: Option<Ended>,
    pub reaped: bool,
    pub too_much: bool,
    /// What ends the group when this process is killed. Dropped before the process is reaped: see [`Tied`].
    pub tied: Option<Tied>,
}

#[derive(Clone, Copy)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub when: Instant,
}

impl Running {
    pub fn new(pid: Pid, keep: Keep) -> Running {
        let output = Output::new(keep);
        let state = State { pid, output, ended: None, reaped: false, too_much: false, tied: None };
        Running { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has changed or the time is over.
    pub fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    fn wait_for_end(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while state.ended.is_none() && Instant::now() < deadline {
            state = self.wait(state, deadline);
        }
        state.ended.is_some()
    }

    /// Runs in a thread of its own: learns that the process has ended, and leaves it to be reaped.
    pub fn watch(&self) {
        let pid = self.lock().pid;
        let status = loop {
            match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                result => break result.ok().flatten(),
            }
        };
        let (code, signal) = status
            .map_or((None, None), |status| (status.exit_status(), status.terminating_signal()));
        self.lock().ended = Some(Ended { code, signal, when: Instant::now() });
        self.changed.notify_all();
    }

    /// Runs in a thread of its own: reads one stream to its end.
    pub fn listen(&self, stream: Stream, mut pipe: impl Read) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = pipe.read(&mut buffer);
            let mut state = self.lock();
            let more = match read {
                Ok(got @ 1..) => state.output.add(stream, &buffer[..got], Instant::now()),
                Err(error) if error.kind() == ErrorKind::Interrupted => true,
                Ok(0) | Err(_) => break state.output.close(stream),
            };
            state.too_much |= !more;
            if !more {
                break;
            }
            drop(state);
            self.changed.notify_all();
        }
        self.changed.notify_all();
    }
}

impl State {
    /// If the program has just ended, that's not an error: the signal came too late.
    pub fn signal(&self, signal: Signal) {
        if !self.reaped {
            let _ = kill_process(self.pid, signal);
        }
    }

    pub fn signal_group(&self, signal: Signal) {
        if !self.reaped {
            let _ = kill_process_group(self.pid, signal);
        }
    }
}

/// What must not outlive this process.
pub(crate) struct Registry {
    pub programs: Vec<Arc<Running>>,
    pub scratch: Vec<PathBuf>,
    pub ending: bool,
}

/// Locked while a program is started, so that [`end_all`] misses none.
pub(crate) fn registry() -> MutexGuard<'static, Registry> {
    static REGISTRY: Mutex<Registry> =
        Mutex::new(Registry { programs: Vec::new(), scratch: Vec::new(), ending: false });
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}
