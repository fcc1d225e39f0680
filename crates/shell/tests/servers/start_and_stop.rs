//! A server starts on its port and on no other server's, and ends when it is told to.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use stage::{Line, Program, Scratch, Signal};

use crate::held::Held;
use crate::rows::{LONG, ROWS, Row, connect, for_each_row, read, rest_in_order, wait_until_told};

/// An address of this machine where no other test listens: while a port is free for a moment, nobody takes it.
const OUR_OWN: &str = "127.77.0.1:0";

#[test]
fn restarted_at_once() {
    for_each_row(ROWS, |row| {
        let first = row.start_at(OUR_OWN, &mut row.command(&[]));
        let address = first.address().unwrap();
        let mut conn = connect(&address);
        assert_eq!(row.ask(&mut conn, "echo hi"), "hi\n", "{}", row.name());
        let signalled = Instant::now();
        first.signal(Signal::TERM);
        assert_eq!(read(&mut conn, &mut [0]), 0, "{}", row.name());
        drop(conn);
        assert_eq!(first.wait(LONG).unwrap().code, Some(0), "{}", row.name());
        // A client that thinks is not waited for.
        let took = signalled.elapsed();
        assert!(took < shell::GRACE, "{}: {took:?}", row.name());
        // The server closed first, so its port remembers the connection. SO_REUSEADDR ignores that.
        let second = row.start_at(&address, &mut row.command(&[]));
        assert_eq!(second.address().unwrap(), address, "{}", row.name());
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
    });
}

#[test]
fn one_port_one_server() {
    for_each_row(ROWS, |row| {
        let first = row.start(&[]);
        let address = first.address().unwrap();
        let second = row.start_at(&address, &mut row.command(&[])).wait(LONG).unwrap();
        let stderr = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.code, Some(3), "{}: {stderr}", row.name());
        assert!(stderr.contains(&address), "{}: {stderr}", row.name());
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
    });
}

#[test]
fn told_to_stop_while_nobody_is_there() {
    for_each_row(ROWS, |row| {
        let server = row.start(&[]);
        server.address().unwrap();
        let signalled = Instant::now();
        server.signal(Signal::TERM);
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
        let took = signalled.elapsed();
        assert!(took < shell::GRACE, "{}: {took:?}", row.name());
    });
}

#[test]
fn told_to_stop_it_finishes_what_runs() {
    for_each_row(ROWS, |row| {
        let scratch = Scratch::new().unwrap();
        let (server, mut held, mut conn) = busy(&row, &scratch);
        server.signal(Signal::TERM);
        wait_until_told(&server);
        held.release();
        assert_eq!(row.hear(&mut conn), "released\n", "{}", row.name());
        assert_eq!(rest_in_order(conn), b"", "{}", row.name());
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
    });
}

/// Once both our sides have ended, Linux answers anything more with a reset, and that destroys what is still on its way.
#[test]
fn told_to_stop_its_last_answer_arrives_though_the_client_asks_on() {
    // When the signal comes, the short one is with the kernel, and the long one is still being written.
    for length in [300_000, 12_000_000] {
        for_each_row(ROWS, |row| {
            let server = row.start(&["-v"]);
            let mut conn = connect(&server.address().unwrap());
            conn.write_all(&row.request(&format!("head -c {length} /dev/zero"))).unwrap();
            row.say_ok(&mut conn);
            let begun = observe::uninterrupted(|| conn.peek(&mut [0])).unwrap();
            assert_eq!(begun, 1, "{}: it has begun", row.name());
            server.signal(Signal::TERM);
            wait_until_told(&server);
            for _ in 0..5 {
                let _ = conn.write_all(&row.request("echo more"));
                thread::sleep(Duration::from_millis(20));
            }
            let came = rest_in_order(conn);
            let zeros = came.iter().filter(|byte| **byte == 0).count();
            // The four bytes of a length hold zeros, too.
            assert!((length..length + 10).contains(&zeros), "{}: {zeros}", row.name());
            assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
        });
    }
}

/// A client that then stays connected doesn't keep it.
#[test]
fn told_to_stop_it_ends_once_all_have_their_answers() {
    for_each_row(ROWS, |row| {
        let scratch = Scratch::new().unwrap();
        let (server, mut held, mut conn) = busy(&row, &scratch);
        let signalled = Instant::now();
        server.signal(Signal::TERM);
        wait_until_told(&server);
        held.release();
        assert_eq!(row.hear(&mut conn), "released\n", "{}", row.name());
        assert_eq!(read(&mut conn, &mut [0]), 0, "{}", row.name());
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
        let took = signalled.elapsed();
        assert!(took < shell::GRACE, "{}: {took:?}", row.name());
    });
}

/// An answer that is ready just before the idle ones are cut off has its own second to arrive.
#[test]
fn told_to_stop_the_answer_to_what_ran_arrives_too() {
    for_each_row(ROWS, |row| {
        let server = row.start(&["-v"]);
        let mut conn = connect(&server.address().unwrap());
        conn.write_all(&row.request("sleep 0.8; head -c 300000 /dev/zero")).unwrap();
        // It is running, or about to: no request has been read only in part.
        server
            .wait_until("log: a request", LONG, |lines| {
                let reads = |line: &Line| String::from_utf8_lossy(&line.text).contains("sleep 0.8");
                lines.iter().any(reads).then_some(())
            })
            .unwrap();
        thread::sleep(Duration::from_millis(50));
        server.signal(Signal::TERM);
        let signalled = Instant::now();
        row.say_ok(&mut conn);
        let begun = observe::uninterrupted(|| conn.peek(&mut [0])).unwrap();
        assert_eq!(begun, 1, "{}: the answer has begun", row.name());
        // This tests the time itself: more than a second after the signal, but not more than a second after the answer.
        thread::sleep(Duration::from_millis(1150).saturating_sub(signalled.elapsed()));
        let _ = conn.write_all(&row.request("echo more"));
        thread::sleep(Duration::from_millis(50));
        let came = rest_in_order(conn);
        let zeros = came.iter().filter(|byte| **byte == 0).count();
        assert!((300_000..300_010).contains(&zeros), "{}: {zeros}", row.name());
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
    });
}

#[test]
fn what_does_not_finish_is_killed() {
    for_each_row(ROWS, |row| {
        let scratch = Scratch::new().unwrap();
        let (server, held, _conn) = busy(&row, &scratch);
        let signalled = Instant::now();
        server.signal(Signal::TERM);
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{}", row.name());
        let took = signalled.elapsed();
        assert!(took >= shell::GRACE && took < LONG / 2, "{}: {took:?}", row.name());
        held.wait_until_gone();
    });
}

#[test]
fn told_twice_it_ends_at_once() {
    for_each_row(ROWS, |row| {
        let scratch = Scratch::new().unwrap();
        let (server, held, _conn) = busy(&row, &scratch);
        server.signal(Signal::TERM);
        wait_until_told(&server);
        server.signal(Signal::TERM);
        // After the grace period it would be 0.
        assert_eq!(server.wait(LONG).unwrap().code, Some(130), "{}", row.name());
        held.wait_until_gone();
    });
}

/// A server that runs a command until it is released.
fn busy(row: &Row, scratch: &Scratch) -> (Program, Held, TcpStream) {
    let server = row.start(&["-v"]);
    let mut held = Held::new(scratch.path(), "held");
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(&row.request(&held.command())).unwrap();
    held.wait_until_begun();
    (server, held, conn)
}
