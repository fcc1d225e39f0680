//! How long a program is prepared to wait, as far as the kernel shows it, and so how long a peer has to be silent to
//! find out.
//!
//! A program that mistakes silence for the end waits with a time limit: a socket timeout, or a `poll` or `select` with
//! a number. If the peer were always silent for longer than any such limit, every check would take half a minute. So
//! the peer looks first. For a program that waits without a limit, a short silence proves nearly as much as a long one.
//! Only if there is a limit is the peer silent for longer than that. The verdict depends only on the silence: a limit
//! that doesn't lead to an end is fine.
//!
//! Linux only. On other systems, and if the kernel doesn't say, the silence is the long one.

use std::time::{Duration, Instant};

use super::patience::Patience;
use super::steps::Steps;
#[cfg(target_os = "linux")]
use crate::sandbox::{family, is_alive};
use crate::verdict::{CaseFailure, Fault};

/// How often a silent peer looks again at what the program does.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);
/// How long the peer is silent if it has seen no limit. Some limits can't be seen: a program may look at a clock when
/// bytes arrive, and find that they took too long.
const SHORT: Duration = Duration::from_secs(5);
/// How long it is silent if a thread waits with a limit, or a timer is running. Long enough for every limit up to 30 s.
const LONG: Duration = Duration::from_secs(32);

/// Does nothing for longer than the program seems ready to wait, or until it has ended, and adds to the last step how
/// long that was. `look` takes a moment each time and is told how long the silence has lasted so far. If it finds
/// something, the silence ends early.
///
/// # Errors
/// [`CaseFailure`] when the program keeps the processor busy meanwhile.
pub(crate) fn outwait<T>(
    patience: &Patience,
    steps: &Steps,
    mut look: impl FnMut(Duration) -> Option<T>,
) -> Result<Option<T>, CaseFailure> {
    let begun = Instant::now();
    let (mut longest, queued, busy) = (SHORT, patience.queued(), patience.busy());
    // A program may not have reached its wait yet because it got no processor. Then it shows no limit yet, either.
    while begun.elapsed() < longest + patience.queued().saturating_sub(queued) {
        let ended = patience.has_ended();
        if let Some(found) = look(begun.elapsed()) {
            return Ok(Some(found));
        }
        if ended {
            patience.extend();
            return Ok(None);
        }
        longest = longest.max(silence_for(patience.pid()));
    }
    if let Some(step) = steps.borrow_mut().last_mut() {
        *step = format!("{step} for {} s", longest.as_secs());
    }
    let (busy, silent) = (patience.busy().saturating_sub(busy), begun.elapsed());
    patience.extend();
    if busy < silent / 2 {
        return Ok(None);
    }
    let (busy, silent) = (busy.as_secs_f32(), silent.as_secs_f32());
    Err(CaseFailure::new(
        Fault::Spins,
        format!("in {silent:.1} s of silence, the program kept the processor busy for {busy:.1} s"),
    ))
}

/// How long to be silent, given how the program is waiting now.
#[cfg(target_os = "linux")]
fn silence_for(pid: Option<u32>) -> Duration {
    let Some(pid) = pid else { return LONG };
    // A program that has just ended has no answer either, but it isn't waiting for anything.
    let limited = |pid| linux::has_limit(pid).unwrap_or_else(|| is_alive(pid));
    if family(pid).into_iter().any(limited) { LONG } else { SHORT }
}

#[cfg(not(target_os = "linux"))]
fn silence_for(_: Option<u32>) -> Duration {
    LONG
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::RawFd;
    use std::os::unix::fs::FileExt;
    use std::path::Path;
    use std::time::Duration;

    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    use rustix::time::{ClockId, clock_gettime};
    use socket2::Socket;

    /// Shorter limits belong to loops that look again and again: no program mistakes so short a silence for the end.
    const LEAST: Duration = Duration::from_secs(1);
    /// Longer limits are more than the page asks for.
    const MOST: Duration = Duration::from_secs(30);

    /// Whether a thread of the process waits with a limit, or a timer of it is running. `None`: the kernel doesn't say.
    pub fn has_limit(pid: Pid) -> Option<bool> {
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            // proc(5), /proc/PID/syscall: the number of the call, its six arguments, and two registers; or "running".
            let call = fs::read_to_string(thread.path().join("syscall")).ok()?;
            let words: Vec<u64> = call.split_whitespace().map_while(number).collect();
            if let [number, arguments @ ..] = words.as_slice()
                && arguments.len() >= 6
                && limit(pid, &memory, number.cast_signed(), arguments).is_some_and(counts)
            {
                return Some(true);
            }
        }
        Some(has_timer(pid) || handles_alarm(pid))
    }

    fn counts(limit: Duration) -> bool {
        (LEAST..=MOST).contains(&limit)
    }

    /// Whether a timer is running that is a file (timerfd_create(2)), so that a program can wait for it together with
    /// its connections.
    fn has_timer(pid: Pid) -> bool {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let timers = files.filter(|file| {
            fs::read_link(file.path())
                .is_ok_and(|leads_to| leads_to.ends_with("anon_inode:[timerfd]"))
        });
        timers
            .filter_map(|timer| {
                // proc(5), /proc/PID/fdinfo: `it_value: (seconds, nanoseconds)` is the time that is left.
                let about =
                    Path::new("/proc").join(pid.to_string()).join("fdinfo").join(timer.file_name());
                let about = fs::read_to_string(about).ok()?;
                let left = about.lines().find_map(|line| line.strip_prefix("it_value: ("))?;
                left.split(',').next()?.parse().ok()
            })
            .any(|seconds| counts(Duration::from_secs(seconds)))
    }

    fn number(word: &str) -> Option<u64> {
        match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => word.parse::<i64>().ok().map(i64::cast_unsigned),
        }
    }

    /// How long a thread will stay in this system call if nothing happens.
    fn limit(pid: Pid, memory: &File, call: i64, arguments: &[u64]) -> Option<Duration> {
        let milliseconds = |at: usize| {
            let limit = u64::from((arguments[at] as u32).cast_signed().max(0).cast_unsigned());
            Some(Duration::from_millis(limit))
        };
        match call {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => milliseconds(2),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => milliseconds(3),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => time_at(memory, arguments[4], 1_000),
            libc::SYS_epoll_pwait => milliseconds(3),
            libc::SYS_epoll_pwait2 => time_at(memory, arguments[3], 1),
            libc::SYS_ppoll => time_at(memory, arguments[2], 1),
            libc::SYS_pselect6 => time_at(memory, arguments[4], 1),
            libc::SYS_read
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_accept
            | libc::SYS_accept4 => socket_limit(pid, arguments[0], Socket::read_timeout),
            libc::SYS_write | libc::SYS_writev | libc::SYS_sendto | libc::SYS_sendmsg => {
                socket_limit(pid, arguments[0], Socket::write_timeout)
            }
            libc::SYS_nanosleep => time_at(memory, arguments[0], 1),
            // clock_nanosleep(2): with a flag, the time is a moment on a clock.
            libc::SYS_clock_nanosleep if arguments[1] == 0 => time_at(memory, arguments[2], 1),
            libc::SYS_clock_nanosleep => {
                let clock = if arguments[0] == 0 { ClockId::Realtime } else { ClockId::Monotonic };
                left(clock, time_at(memory, arguments[2], 1)?)
            }
            // futex(2): FUTEX_WAIT counts from now; for all others the time is a moment on a clock that a flag selects.
            libc::SYS_futex if arguments[1] & 0x7f == 0 => time_at(memory, arguments[3], 1),
            libc::SYS_futex => {
                let realtime = arguments[1] & 0x100 != 0;
                let clock = if realtime { ClockId::Realtime } else { ClockId::Monotonic };
                left(clock, time_at(memory, arguments[3], 1)?)
            }
            _ => None,
        }
    }

    /// How long it is until this moment on a clock.
    fn left(clock: ClockId, until: Duration) -> Option<Duration> {
        let now = clock_gettime(clock);
        let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
        until.checked_sub(now)
    }

    /// A `timespec` or `timeval` in the process's memory, two numbers of eight bytes. A null pointer means no limit.
    fn time_at(memory: &File, address: u64, unit: u64) -> Option<Duration> {
        let mut bytes = [0; 16];
        memory.read_exact_at(&mut bytes, address).ok().filter(|()| address != 0)?;
        let (seconds, fraction) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
        Some(
            Duration::from_secs(number(seconds).min(1 << 32))
                + Duration::from_nanos(number(fraction).saturating_mul(unit).min(1 << 32)),
        )
    }

    /// SO_RCVTIMEO or SO_SNDTIMEO of a socket that the process reads or writes (socket(7)).
    fn socket_limit(
        pid: Pid,
        descriptor: u64,
        limit: fn(&Socket) -> io::Result<Option<Duration>>,
    ) -> Option<Duration> {
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let descriptor = RawFd::try_from(descriptor).ok()?;
        // pidfd_getfd(2): a descriptor of our own for the same socket.
        let socket = pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty()).ok()?;
        limit(&Socket::from(socket)).ok().flatten()
    }

    /// Whether it has a handler for SIGALRM: nobody else can see what `alarm` is counting down. A runtime that handles
    /// all signals, like Go's, doesn't count.
    fn handles_alarm(pid: Pid) -> bool {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        let handles = |signal: i32| caught & (1 << (signal - 1)) != 0;
        handles(libc::SIGALRM) && !handles(libc::SIGVTALRM)
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "the helper of a test may fail it")]
mod tests {
    use std::time::Instant;

    use stage::{Program, Stream};

    use super::*;

    /// How long to be silent with a Python program that prints "ready" and then does this.
    fn check(waits: &str, expected: Duration) {
        let Some(python) = stage::python() else { return };
        let setup = "import select, signal, socket, threading, time\n\
                     one, other = socket.socketpair()\nprint('ready', flush=True)\n";
        let mut command = std::process::Command::new(python);
        let program =
            Program::start("python", command.args(["-c", &format!("{setup}{waits}")])).unwrap();
        program.wait_for_line(Stream::Stdout, "ready", Duration::from_secs(10)).unwrap();
        // The program gets there in a moment.
        let until = Instant::now() + Duration::from_secs(5);
        while silence_for(Some(program.pid())) != expected {
            assert!(Instant::now() < until, "{waits}: {:?}", silence_for(Some(program.pid())));
            std::thread::sleep(Duration::from_millis(10));
        }
        // And it is still there.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(silence_for(Some(program.pid())), expected, "{waits}");
    }

    #[test]
    fn a_program_is_kept_waiting_for_longer_than_it_waits() {
        check("one.recv(1)", SHORT);
        check("select.select([one], [], [])", SHORT);
        check("one.settimeout(3); one.recv(1)", LONG);
        check("one.settimeout(30); one.recv(1)", LONG);
        check("select.select([one], [], [], 20)", LONG);
        check("e = select.epoll(); e.poll(15)", LONG);
        // SO_RCVTIMEO, as set by Rust's set_read_timeout.
        let timeout = "import struct; one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 4, 0))";
        check(&format!("{timeout}; one.recv(1)"), LONG);
        let timeout = timeout.replace("RCV", "SND");
        check(&format!("{timeout}; one.sendall(bytes(1 << 24))"), LONG);
        // A server that looks every half second whether it should stop has no limit in this sense, and a minute is
        // longer than the page asks for.
        check("while True: select.select([one], [], [], 0.5)", SHORT);
        check("one.settimeout(60); one.recv(1)", SHORT);
    }

    #[test]
    fn a_timer_is_waited_for_too() {
        check("time.sleep(20)", LONG);
        check("threading.Timer(20, one.close).start(); one.recv(1)", LONG);
        check("signal.signal(signal.SIGALRM, print); one.recv(1)", LONG);
        // The timers that a runtime needs for itself are shorter, or much longer.
        check("while True: time.sleep(0.5)", SHORT);
        check("threading.Timer(60, one.close).start(); one.recv(1)", SHORT);
    }

    #[test]
    fn nobody_waits_for_a_program_that_has_ended() {
        let mut program = std::process::Command::new("true").spawn().unwrap();
        let patience = Patience::new();
        patience.with(program.id());
        let begun = Instant::now();
        assert!(outwait(&patience, &Steps::default(), |_| None::<()>).is_ok());
        assert!(begun.elapsed() < SHORT);
        program.wait().unwrap();
        assert!(outwait(&patience, &Steps::default(), |_| None::<()>).is_ok());
        assert!(begun.elapsed() < SHORT);
    }

    /// A child that serves is part of the program.
    #[test]
    fn a_child_that_waits_counts() {
        check(
            "import os; os.fork() or (one.settimeout(3), one.recv(1)); one.settimeout(None); one.recv(1)",
            LONG,
        );
    }
}
