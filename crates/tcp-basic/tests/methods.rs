//! The tour of the socket methods, and send beside sendall.
//!
//! Each program is checked twice: what it prints, and the calls that it recorded.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use stage::{Program, Scratch};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const TOUR: &str = env!("CARGO_BIN_EXE_tcp-basic-tour");
const SENDALL: &str = env!("CARGO_BIN_EXE_tcp-basic-sendall");

#[test]
fn a_row_for_each_method() {
    let (table, _) = run(TOUR, &[]);
    // The first row of each method: its call in Rust, and what it returned if that is always the same.
    for (python, rust, returned) in [
        ("bind(", "listener.bind(", "()"),
        ("listen(", "listener.listen(10)?", "()"),
        ("accept(", "listener.accept()?", "Some(127.0.0.1:"),
        ("connect(", "client.connect(&open)?", "()"),
        ("connect_ex(", "client.connect(&closed)", "ConnectionRefused))"),
        ("recv(", "conn.recv(&mut buffer)?", "5"),
        ("send(", "client.send(b\"hello\")?", "5"),
        ("sendall(", "conn.write_all(b\"hi\")?", "()"),
        ("recvfrom(", "udp.recv_from(", "(3, Some(127.0.0.1:"),
        ("sendto(", "udp.send_to(", "3"),
        ("getpeername(", "client.peer_addr()?", "Some(127.0.0.1:"),
        ("getsockname(", "client.local_addr()?", "Some(127.0.0.1:"),
        ("getsockopt(", "listener.reuse_address()?", "true"),
        ("setsockopt(", "listener.set_reuse_address(true)?", "()"),
        ("close(", "drop(client)", "()"),
        ("setblocking(", "client.set_nonblocking(true)?", "()"),
        ("settimeout(", "client.set_read_timeout(", "()"),
        ("gettimeout(", "client.read_timeout()?", "Some(100ms)"),
        ("fileno(", "client.as_raw_fd()", ""),
        ("makefile(", "BufReader::new(conn)", "[]"),
    ] {
        let row = table.lines().find(|row| row.starts_with(python)).unwrap_or_default();
        // Three columns; two spaces at least between them.
        let columns: Vec<_> =
            row.split("  ").map(str::trim).filter(|text| !text.is_empty()).collect();
        let [_, call, result] = columns[..] else { unreachable!("{python}: {row:?} in\n{table}") };
        assert!(call.starts_with(rust) && result.contains(returned), "{python}: {row}");
    }
}

#[test]
fn what_the_tour_shows_it_has_done() {
    let (table, events) = run(TOUR, &[]);
    let count = |call: &str, failed: bool| {
        events.iter().filter(|event| event.call == call && event.error.is_some() == failed).count()
    };
    for call in ["bind", "listen", "accept", "send", "recv", "sendto", "recvfrom", "close"] {
        assert!(count(call, false) > 0, "{call}");
    }
    assert_eq!((count("connect", false), count("connect", true)), (1, 1));

    // Two recvs found nothing: the first did not wait, the second 0.1 s. An event is stamped when its
    // call returns.
    let nothing = |event: &&Event| event.call == "recv" && event.error.is_some();
    let stamps: Vec<u64> = events.iter().filter(nothing).map(|event| event.t_us).collect();
    assert_eq!(stamps.len(), 2);
    assert!(stamps[1] - stamps[0] >= 90_000, "{stamps:?}");

    // The two addresses of the connection, both in the rows and in the recorded calls.
    let accept = events.iter().find(|event| event.call == "accept").unwrap();
    let row = |python: &str| table.lines().find(|row| row.starts_with(python)).unwrap();
    assert!(row("getsockname(").contains(accept.peer.as_deref().unwrap()));
    assert!(row("getpeername(").contains(accept.local.as_deref().unwrap()));
}

#[test]
fn one_send_takes_a_part_and_a_loop_all() {
    let (said, events) = run(SENDALL, &[]);
    let all = 8 << 20;
    let sends: Vec<u64> =
        events.iter().filter(|e| e.call == "send").filter_map(|e| e.got).collect();
    let first = events.iter().find(|event| event.call == "send").unwrap();
    assert_eq!(first.asked, Some(all));
    assert!(sends[0] < all && sends.len() > 1, "{sends:?}");
    assert_eq!(sends.iter().sum::<u64>(), all);

    let moved = |call: &str| -> Vec<u8> {
        let data = events.iter().filter(|event| event.call == call).filter_map(|e| e.data.clone());
        data.flatten().collect()
    };
    assert!(moved("send") == moved("recv"), "what arrived is not what was sent");
    let (one, more) = (sends[0], sends.len() - 1);
    assert!(
        said.contains(&format!("one send took {one} of {all} bytes; {more} more took the rest\n")),
        "{said}"
    );
    assert!(
        said.ends_with(&format!("the reader got {all} bytes, exactly as they were sent\n")),
        "{said}"
    );
    assert!(said.lines().count() < 12, "{said}");
}

#[test]
fn what_fits_goes_at_once() {
    let (said, events) = run(SENDALL, &["--bytes", "1"]);
    assert_eq!(events.iter().filter(|event| event.call == "send").count(), 1);
    assert!(said.contains("one send took 1 of 1 bytes; 0 more took the rest\n"), "{said}");
}

/// Runs a program, which must succeed: returns its output, and its calls.
fn run(program: &str, args: &[&str]) -> (String, Vec<Event>) {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("trace");
    let mut command = Command::new(program);
    command.args(args).arg("--trace").arg(&trace).env_remove("COLUMNS");
    let done = Program::start(program, &mut command).unwrap().wait(LONG).unwrap();
    assert_eq!((done.code, done.stderr), (Some(0), Vec::new()));
    let trace = fs::read_to_string(&trace).unwrap();
    let events = trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (String::from_utf8(done.stdout).unwrap(), events)
}
