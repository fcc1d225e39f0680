//! What the models promise beyond what every remote-command server promises (`crates/shell/tests/servers`): several clients
//! at once.
//!
//! | fault | test |
//! |---|---|
//! | a client that is slow does not delay another | `nobody_waits_for_another` |
//! | one connection above the cap | `one_too_many_is_told_so` |
//! | more commands at once than may run | `eight_commands_at_once` |
//! | more commands than may run, and the end | `no_command_starts_once_the_server_has_been_told_to_end` |
//! | a client that breaks the protocol | `a_framing_error_ends_one_connection` |
//! | a handler that panics; a client that never reads, or never finishes its frame | `handler.rs` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[path = "../../shell/tests/servers/held.rs"]
mod held;
#[path = "../../shell/tests/rows/mod.rs"]
#[expect(dead_code, reason = "the tests of the shell's promises need more of it")]
mod rows;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use held::Held;
use rows::{
    LONG, ROWS, Row, connect, for_each_row, rest_in_order, wait_until_read, wait_until_told,
};
use shell::{GRACE, MAX_RUNNING};
use stage::{Scratch, Signal, Stream};

/// The models that serve several at once.
fn concurrent() -> impl Iterator<Item = Row> {
    ROWS.into_iter().filter(Row::is_concurrent)
}

#[test]
fn nobody_waits_for_another() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let mut held = Held::new(scratch.path(), "held");
        let mut slow = connect(&address);
        slow.write_all(&row.request(&held.command())).unwrap();
        held.wait_until_begun();
        let request = row.request("echo hi");
        let (first, last) = request.split_at(7);
        let mut inside_a_frame = connect(&address);
        inside_a_frame.write_all(first).unwrap();
        let _silent = connect(&address);

        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
        inside_a_frame.write_all(last).unwrap();
        assert_eq!(row.hear(&mut inside_a_frame), "hi\n", "{}", row.name());
        held.release();
        assert_eq!(row.hear(&mut slow), "released\n", "{}", row.name());
    });
}

#[test]
fn one_too_many_is_told_so() {
    for_each_row(concurrent(), |row| {
        let server = row.start(&["--max-connections", "2"]);
        let address = server.address().unwrap();
        let mut inside = [connect(&address), connect(&address)];
        for conn in &mut inside {
            assert_eq!(row.ask(conn, "echo hi"), "hi\n", "{}", row.name());
        }
        let mut third = connect(&address);
        // Asked or not: the refusal can be read, and then the end.
        third.write_all(&row.request("echo never")).unwrap();
        let said = row.hear(&mut third);
        assert!(said.starts_with("refused: ") && said.contains(" 2 "), "{}: {said}", row.name());
        assert_eq!(rest_in_order(third), b"", "{}", row.name());

        let [one, mut other] = inside;
        drop(one);
        // The permit is free a moment after its client has left.
        let until = Instant::now() + LONG;
        while row.echo(&address).starts_with("refused: ") {
            assert!(Instant::now() < until, "{}: the permit is never free", row.name());
        }
        assert_eq!(row.ask(&mut other, "echo hi"), "hi\n", "{}", row.name());
    });
}

#[test]
fn eight_commands_at_once() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let start = |name: usize| {
            let held = Held::new(scratch.path(), &name.to_string());
            let mut conn = connect(&address);
            conn.write_all(&row.request(&held.command())).unwrap();
            (held, conn)
        };
        let mut running: Vec<(Held, TcpStream)> = (0..MAX_RUNNING).map(start).collect();
        for (held, _) in &mut running {
            held.wait_until_begun();
        }
        let (mut ninth, mut conn) = start(MAX_RUNNING);
        // Nothing can show that it never begins; that it has not begun when another is served could.
        assert!(!ninth.begins_within(Duration::from_millis(300)), "{}: nine at once", row.name());
        running[0].0.release();
        ninth.wait_until_begun();
        ninth.release();
        assert_eq!(row.hear(&mut conn), "released\n", "{}", row.name());
        ninth.wait_until_gone();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn no_command_starts_once_the_server_has_been_told_to_end() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&["-v"]);
        let address = server.address().unwrap();
        let start = |name: usize| {
            let held = Held::new(scratch.path(), &name.to_string());
            let mut conn = connect(&address);
            conn.write_all(&row.request(&held.command())).unwrap();
            (held, conn)
        };
        let mut running: Vec<(Held, TcpStream)> = (0..MAX_RUNNING).map(start).collect();
        for (held, _) in &mut running {
            held.wait_until_begun();
        }
        let (ninth, conn) = start(MAX_RUNNING);
        wait_until_read(&conn, row.request(&ninth.command()).len() as u64);
        let signalled = Instant::now();
        server.signal(Signal::TERM);
        wait_until_told(&server);
        for (held, conn) in &mut running {
            held.release();
            assert_eq!(row.hear(conn), "released\n", "{}", row.name());
        }
        assert_eq!(rest_in_order(conn), b"", "{}", row.name());
        drop(running);
        let ended = server.wait(LONG).unwrap();
        let took = signalled.elapsed();
        let log = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.code, Some(0), "{}: {log}", row.name());
        assert!(took < GRACE, "{}: {took:?}: {log}", row.name());
        assert!(!ninth.begins_within(Duration::ZERO), "{}: it ran", row.name());
    });
}

#[test]
fn a_framing_error_ends_one_connection() {
    for_each_row(ROWS.into_iter().filter(Row::is_model), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (sent, says) in [
            (&b"\xff\xff\xff\xff"[..], "-1"),
            (b"\xff\xff\xff\x7f", "2147483647"),
            (b"\x07\0", "2 of 4"),
            (b"\x07\0\0\0ech", "3 of 7"),
        ] {
            let mut conn = connect(&address);
            let us = conn.local_addr().unwrap();
            conn.write_all(sent).unwrap();
            assert_eq!(rest_in_order(conn), b"", "{}", row.name());
            let line = format!("threaded-server: {us}: ");
            let said = server.wait_for_line(Stream::Stderr, &line, LONG).unwrap();
            assert!(said.contains(says), "{}: {said}", row.name());
        }
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
    });
}
