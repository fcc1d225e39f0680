//! A server without a descriptor for the next client: it waits, says so once a second, and continues when it has one.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use stage::{Line, Program};

use crate::process::{descriptors, processor_time, until};
use crate::rows::{LONG, ROWS, connect, for_each_row, rest};

#[test]
fn without_a_descriptor_it_waits() {
    for_each_row(ROWS, |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let mut served = connect(&address);
        assert_eq!(row.ask(&mut served, "echo hi"), "hi\n", "{}", row.name());
        if !row.is_concurrent() {
            // It would hold up all others. Its descriptor is to be free before the others are counted.
            let open = descriptors(server.pid());
            drop(served);
            until(|| descriptors(server.pid()).len() < open.len());
        }
        // The limit is on the numbers: below the first free number, no descriptor is left.
        let open = descriptors(server.pid());
        let free = (0..).find(|number| !open.contains(number));
        limit(&server, free);
        // A waiting accept has already taken its descriptor. This client gets it, and no other client gets one.
        drop(connect(&address));
        // The kernel completes the connection and takes the request: only accept fails.
        let mut conn = connect(&address);
        conn.write_all(&row.request("echo hi")).unwrap();
        let first = nth_complaint(&server, 0);
        let used = processor_time(server.pid());
        let third = nth_complaint(&server, 2);
        let used = processor_time(server.pid()) - used;
        let took = third - first;
        assert!(took >= Duration::from_millis(1900), "{}: three lines in {took:?}", row.name());
        assert!(used <= took / 20, "{}: {used:?} of a processor in {took:?}", row.name());

        limit(&server, None);
        let lifted = Instant::now();
        assert_eq!(row.hear(&mut conn), "hi\n", "{}", row.name());
        // The longest pause is 1 s.
        assert!(lifted.elapsed() < LONG / 4, "{}: {:?}", row.name(), lifted.elapsed());
    });
}

/// 40 clients where there are 32 descriptors: once they have left, the next one is served.
#[test]
fn a_crowd_gives_its_descriptors_back() {
    for_each_row(ROWS, |row| {
        let inside = row.command(&[]);
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -n 32; exec \"$@\"", "sh"]);
        limited.arg(inside.get_program()).args(inside.get_args());
        let server = row.start_as(&mut limited);
        let address = server.address().unwrap();
        let crowd: Vec<TcpStream> = (0..40).map(|_| connect(&address)).collect();
        // If connections are served in turn, or in processes of their own, nothing runs out.
        if row.is_concurrent() && !row.is_of_processes() {
            nth_complaint(&server, 0);
        }
        drop(crowd);
        // Until the last of them has left, the next one may be refused, or its command.
        until(|| {
            let mut conn = connect(&address);
            let _ = conn.write_all(&row.request("echo hi"));
            match row.is_concurrent() {
                true => rest(&mut conn).ends_with("}hi\n"),
                false => row.hear(&mut conn) == "hi\n",
            }
        });
    });
}

/// When the server said for the n-th time, from 0, that it cannot accept.
fn nth_complaint(server: &Program, n: usize) -> Instant {
    let complaint = |line: &&Line| String::from_utf8_lossy(&line.text).contains("accept failed");
    let when = |lines: &[Line]| lines.iter().filter(complaint).nth(n).map(|line| line.when);
    server.wait_until("log: accept failed", LONG, when).unwrap()
}

/// At most this many descriptors; `None`: as many as this test may have.
fn limit(server: &Program, most: Option<u64>) {
    let ours = getrlimit(Resource::Nofile);
    let current = most.or(ours.current);
    let pid = Pid::from_raw(server.pid().cast_signed());
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum: ours.maximum }).unwrap();
}
