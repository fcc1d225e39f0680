//! A server without a descriptor for the next client: it waits, says so once a second, and goes on when it has one.
//!
//! | fault | test |
//! |---|---|
//! | descriptors exhausted: at most 5 % CPU, one log line a second, serving again within 1.5 s | `out_of_descriptors_and_back` |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use stage::{Line, Program};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn out_of_descriptors_and_back() {
    thread::scope(|scope| {
        for (server, arguments, request) in [
            ("sticky-packet-repro-server", &["shell"][..], &b"echo hi"[..]),
            ("fix-ack-handshake-server", &[], b"echo hi"),
            ("fix-struct-prefix-server", &[], b"\x07\0\0\0echo hi"),
            ("fix-json-header-server", &[], b"\x07\0\0\0echo hi"),
            ("threaded-server", &[], b"\x07\0\0\0echo hi"),
        ] {
            scope.spawn(move || check(server, arguments, request));
        }
    });
}

fn check(name: &str, arguments: &[&str], request: &[u8]) {
    let mut command = Command::new(stage::binary(name).unwrap());
    command.args(arguments).args(["--listen", "127.0.0.1:0"]);
    let server = Program::start(name, &mut command).unwrap();
    let address = server.address().unwrap();
    // What it opens once is open after the first request.
    let mut conn = ask(&address, request);
    let mut answer = [0; 8];
    let n = conn.read(&mut answer).unwrap();
    // The ack handshake waits for one.
    let _ = conn.write_all(if name.starts_with("fix-ack") { b"OK" } else { b"" });
    conn.shutdown(Shutdown::Write).unwrap();
    assert!(n + conn.read_to_end(&mut Vec::new()).unwrap() >= 3, "{name}");
    // The limit is one on numbers: below the first free one, no descriptor is left.
    let free = (0..).find(|n| !fs::exists(format!("/proc/{}/fd/{n}", server.pid())).unwrap());
    limit(&server, free);

    // An accept that waits already has its descriptor (accept4(2) takes it first). This one uses it up.
    drop(TcpStream::connect(&address).unwrap());
    // The kernel completes the connection and takes the request: only accept fails.
    let mut conn = ask(&address, request);
    let first = nth_complaint(&server, 0);
    let cpu = cpu_time(&server);
    let third = nth_complaint(&server, 2);
    let spent = cpu_time(&server) - cpu;
    let took = third - first;
    assert!(took >= Duration::from_millis(1900), "{name}: three lines within {took:?}");
    assert!(spent <= took / 20, "{name}: {spent:?} of CPU within {took:?}");

    limit(&server, None);
    let lifted = Instant::now();
    conn.read_exact(&mut [0; 1]).unwrap();
    assert!(lifted.elapsed() < Duration::from_millis(1500), "{name}: {:?}", lifted.elapsed());
}

fn ask(address: &str, request: &[u8]) -> TcpStream {
    let mut conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn.write_all(request).unwrap();
    conn
}

/// When the server said for the n-th time, from 0, that it cannot accept.
fn nth_complaint(server: &Program, n: usize) -> Instant {
    let complaint =
        |line: &&Line| String::from_utf8_lossy(&line.text).contains("accept failed: nobody new");
    let when = |lines: &[Line]| lines.iter().filter(complaint).nth(n).map(|line| line.when);
    server.wait_until("accept failed", LONG, when).unwrap()
}

/// At most so many descriptors; `None`: as many as this test may have.
fn limit(server: &Program, most: Option<u64>) {
    let ours = getrlimit(Resource::Nofile);
    let current = most.or(ours.current);
    let pid = Pid::from_raw(server.pid().cast_signed());
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum: ours.maximum }).unwrap();
}

/// What the process has used of a processor: user and system time, in ticks of 10 ms (proc_pid_stat(5)).
fn cpu_time(server: &Program) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    // The second field, the program's name in parentheses, may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = [fields[11], fields[12]].map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.iter().sum::<u64>())
}
