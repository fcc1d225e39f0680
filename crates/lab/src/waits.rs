//! How long a program is prepared to wait, as the kernel shows it; and so how long a peer has to be silent to find out.
//!
//! A program that takes a silence for an end waits with a time limit: a socket timeout, a `poll` or `select` with a number.
//! To be silent for longer than any such limit would take every check half a minute. So the peer looks: of a program that
//! waits without a limit a short silence proves as much as a long one, and only one that has a limit is kept waiting for
//! longer than that. The verdict comes from the silence alone: a limit that means no end is right.
//!
//! Linux only. Elsewhere, and where the kernel does not tell, the silence is the long one.

use std::time::Duration;

/// How long the peer is silent if no limit was seen.
pub(crate) const SHORT: Duration = Duration::from_secs(2);
/// If a thread waits for something else with a limit, which may be a timer.
#[cfg(target_os = "linux")]
const TIMER: Duration = Duration::from_secs(6);
/// If a thread waits for bytes or for a connection with a limit. No limit up to 30 s is missed.
const LONG: Duration = Duration::from_secs(32);

/// For how long to be silent, as this program waits now.
#[cfg(target_os = "linux")]
pub(crate) fn silence_for(pid: Option<u32>) -> Duration {
    let Some(pid) = pid.and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed())) else {
        return LONG;
    };
    let family = crate::processes::descendants(pid, &[]);
    let pids = family.iter().map(|process| process.pid).chain([pid]);
    pids.map(|pid| linux::longest(pid).map_or(LONG, silence)).max().unwrap_or(LONG)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn silence_for(_: Option<u32>) -> Duration {
    LONG
}

#[cfg(target_os = "linux")]
fn silence(wait: linux::Wait) -> Duration {
    match wait {
        linux::Wait::WithoutLimit => SHORT,
        linux::Wait::Timer => TIMER,
        linux::Wait::Limit => LONG,
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::RawFd;
    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    use socket2::Socket;

    /// Shorter limits are those of loops that look again and again; nobody takes so short a silence for an end.
    const LEAST: Duration = Duration::from_secs(1);
    /// Longer ones are longer than the page asks a program to be patient.
    const MOST: Duration = Duration::from_secs(30);

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Wait {
        WithoutLimit,
        Timer,
        Limit,
    }

    /// The wait of a process that counts most, of all its threads. `None`: the kernel does not tell.
    pub fn longest(pid: Pid) -> Option<Wait> {
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        let mut longest = Wait::WithoutLimit;
        for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            // proc(5), /proc/PID/syscall: the number of the call, its six arguments, and two registers; or "running".
            let call = fs::read_to_string(thread.path().join("syscall")).ok()?;
            let words: Vec<u64> = call.split_whitespace().map_while(number).collect();
            if let [number, arguments @ ..] = words.as_slice()
                && arguments.len() >= 6
            {
                longest = longest.max(wait(pid, &memory, number.cast_signed(), arguments));
            }
        }
        if longest == Wait::WithoutLimit && handles_alarm(pid) {
            longest = Wait::Timer;
        }
        Some(longest)
    }

    fn number(word: &str) -> Option<u64> {
        match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => word.parse::<i64>().ok().map(i64::cast_unsigned),
        }
    }

    /// One thread in one system call.
    fn wait(pid: Pid, memory: &File, call: i64, arguments: &[u64]) -> Wait {
        let milliseconds = |at: usize| {
            let limit = u64::from((arguments[at] as u32).cast_signed().max(0).cast_unsigned());
            Some(Duration::from_millis(limit))
        };
        let (limit, counts) = match call {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => (milliseconds(2), Wait::Limit),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => (milliseconds(3), Wait::Limit),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => (time_at(memory, arguments[4], 1_000), Wait::Limit),
            libc::SYS_epoll_pwait => (milliseconds(3), Wait::Limit),
            libc::SYS_epoll_pwait2 => (time_at(memory, arguments[3], 1), Wait::Limit),
            libc::SYS_ppoll => (time_at(memory, arguments[2], 1), Wait::Limit),
            libc::SYS_pselect6 => (time_at(memory, arguments[4], 1), Wait::Limit),
            libc::SYS_read
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_accept
            | libc::SYS_accept4 => {
                (socket_limit(pid, arguments[0], Socket::read_timeout), Wait::Limit)
            }
            libc::SYS_write | libc::SYS_writev | libc::SYS_sendto | libc::SYS_sendmsg => {
                (socket_limit(pid, arguments[0], Socket::write_timeout), Wait::Limit)
            }
            libc::SYS_nanosleep => (time_at(memory, arguments[0], 1), Wait::Timer),
            // Often an absolute time: that there is one has to be enough.
            libc::SYS_clock_nanosleep => (Some(LEAST), Wait::Timer),
            libc::SYS_futex if arguments[3] != 0 => (Some(LEAST), Wait::Timer),
            _ => (None, Wait::WithoutLimit),
        };
        match limit {
            Some(limit) if (LEAST..=MOST).contains(&limit) => counts,
            _ => Wait::WithoutLimit,
        }
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

    /// Whether it has a handler for SIGALRM: what `alarm` counts down nobody else can see.
    fn handles_alarm(pid: Pid) -> bool {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        caught & (1 << (libc::SIGALRM - 1)) != 0
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
        check("time.sleep(20)", TIMER);
        check("threading.Timer(20, one.close).start(); one.recv(1)", TIMER);
        check("signal.signal(signal.SIGALRM, print); one.recv(1)", TIMER);
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
