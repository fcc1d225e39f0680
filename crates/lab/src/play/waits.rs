//! How long a program is prepared to wait, as the kernel shows it; and so how long a peer has to be silent to find out.
//!
//! A program that takes a silence for an end waits with a time limit: a socket timeout, a `poll` or `select` with a number.
//! To be silent for longer than any such limit would take every check half a minute. So the peer looks: of a program that
//! waits without a limit a short silence proves nearly as much as a long one, and only one that has a limit is kept waiting
//! for longer than that. The verdict comes from the silence alone: a limit that means no end is right.
//!
//! Linux only. Elsewhere, and where the kernel does not tell, the silence is the long one.

use std::time::{Duration, Instant};

use super::patience::Patience;
use super::steps::Steps;
#[cfg(target_os = "linux")]
use crate::sandbox::{family, is_alive};
use crate::verdict::{CaseFailure, Fault};

/// How soon a silent peer looks again what the program does.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);
/// How long the peer is silent if no limit was seen. Some limits cannot be seen: a program may look at a clock when bytes
/// come, and find that it was too long.
const SHORT: Duration = Duration::from_secs(5);
/// If a thread waits with a limit, or a timer runs. No limit up to 30 s is missed.
const LONG: Duration = Duration::from_secs(32);

/// Does nothing for longer than the program is seen to wait, or until it has ended, and adds to the last step how long that
/// was. `look` takes a moment each time and is told how long the silence has lasted; what it finds ends the silence early.
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
    // A program that has not come to its wait yet, because it had no processor, shows no limit either.
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

/// For how long to be silent, as this program waits now.
#[cfg(target_os = "linux")]
fn silence_for(pid: Option<u32>) -> Duration {
    let Some(pid) = pid else { return LONG };
    // One that has ended in the meantime does not tell either, and waits for nothing.
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

    /// Shorter limits are those of loops that look again and again; nobody takes so short a silence for an end.
    const LEAST: Duration = Duration::from_secs(1);
    /// Longer ones are longer than the page asks a program to be patient.
    const MOST: Duration = Duration::from_secs(30);

    /// Whether a thread of the process waits with a limit, or a timer of it runs. `None`: the kernel does not tell.
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

    /// Whether a timer runs that is a file (timerfd_create(2)): a program can wait for it among its connections.
    fn has_timer(pid: Pid) -> bool {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let timers = files.filter(|file| {
            fs::read_link(file.path())
                .is_ok_and(|leads_to| leads_to.ends_with("anon_inode:[timerfd]"))
        });
        timers
            .filter_map(|timer| {
                // proc(5), /proc/PID/fdinfo: `it_value: (seconds, nanoseconds)`, what is left.
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
            // clock_nanosleep(2): with a flag, until a moment of a clock.
            libc::SYS_clock_nanosleep if arguments[1] == 0 => time_at(memory, arguments[2], 1),
            libc::SYS_clock_nanosleep => {
                let clock = if arguments[0] == 0 { ClockId::Realtime } else { ClockId::Monotonic };
                left(clock, time_at(memory, arguments[2], 1)?)
            }
            // futex(2): FUTEX_WAIT has a time from now, all others a moment of a clock, which a flag chooses.
            libc::SYS_futex if arguments[1] & 0x7f == 0 => time_at(memory, arguments[3], 1),
            libc::SYS_futex => {
                let realtime = arguments[1] & 0x100 != 0;
                let clock = if realtime { ClockId::Realtime } else { ClockId::Monotonic };
                left(clock, time_at(memory, arguments[3], 1)?)
            }
            _ => None,
        }
    }

    /// How long it is until this moment of a clock.
    fn left(clock: ClockId, until: Duration) -> Option<Duration> {
        let now = clock_gettime(clock);
        let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
        until.checked_sub(now)
    }

    /// A `timespec` or `timeval` of the process, two numbers of eight bytes. No pointer, no limit.
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

    /// Whether it has a handler for SIGALRM: what `alarm` counts down nobody else can see. A runtime that handles all signals,
    /// as Go's does, is not meant.
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

    /// For how long to be silent with a Python program that says "ready" and then does this.
    fn check(waits: &str, expected: Duration) {
        let Some(python) = stage::python() else { return };
        let setup = "import select, signal, socket, threading, time\n\
                     one, other = socket.socketpair()\nprint('ready', flush=True)\n";
        let mut command = std::process::Command::new(python);
        let program =
            Program::start("python", command.args(["-c", &format!("{setup}{waits}")])).unwrap();
        program.wait_for_line(Stream::Stdout, "ready", Duration::from_secs(10)).unwrap();
        // It gets there in a moment.
        let until = Instant::now() + Duration::from_secs(5);
        while silence_for(Some(program.pid())) != expected {
            assert!(Instant::now() < until, "{waits}: {:?}", silence_for(Some(program.pid())));
            std::thread::sleep(Duration::from_millis(10));
        }
        // And is still there.
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
        // SO_RCVTIMEO, as Rust's set_read_timeout sets it.
        let timeout = "import struct; one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 4, 0))";
        check(&format!("{timeout}; one.recv(1)"), LONG);
        let timeout = timeout.replace("RCV", "SND");
        check(&format!("{timeout}; one.sendall(bytes(1 << 24))"), LONG);
        // Half a second, again and again, is how servers look whether they are to stop. A minute is longer than the page asks.
        check("while True: select.select([one], [], [], 0.5)", SHORT);
        check("one.settimeout(60); one.recv(1)", SHORT);
    }

    #[test]
    fn a_timer_is_waited_for_too() {
        check("time.sleep(20)", LONG);
        check("threading.Timer(20, one.close).start(); one.recv(1)", LONG);
        check("signal.signal(signal.SIGALRM, print); one.recv(1)", LONG);
        // Those of a runtime that looks after itself are shorter, or much longer.
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

    /// A child that serves is a part of the program.
    #[test]
    fn a_child_that_waits_counts() {
        check(
            "import os; os.fork() or (one.settimeout(3), one.recv(1)); one.settimeout(None); one.recv(1)",
            LONG,
        );
    }
}
