//! Many bytes, many connections, arbitrary schedules: bytes in are bytes out through real sockets.
//!
//! | claim | test |
//! |---|---|
//! | any schedule that does not break the stream, both directions at once, half-close kept | `bytes_in_are_bytes_out` |
//! | 100 MB, through the plain way and past the relay's memory | `a_hundred_megabytes` |
//! | a slow reader slows the sender: the relay does not hoard | `a_slow_reader_slows_the_sender` |
//! | 200 connections at once | `two_hundred_connections` |
//! | connections that end leave nothing open | `a_thousand_connections_leave_nothing_behind` |

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod peers;

use std::io::{Read, Write};
use std::thread;

use peers::{Conn, connect, listen, pair, relay};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;

/// Sends a stream and ends it, while it reads the other side's to its end.
fn talk(conn: &mut Conn, stream: &[u8]) -> Vec<u8> {
    let Conn::Tcp(tcp) = conn else { return Vec::new() };
    let mut sender = tcp.try_clone().unwrap();
    let mut came = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            sender.write_all(stream).unwrap();
            sender.shutdown(std::net::Shutdown::Write).unwrap();
        });
        tcp.read_to_end(&mut came).unwrap();
    });
    came
}

proptest! {
    // A failing case is printed, and kept in streams.proptest-regressions beside this file.
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: Some(Box::new(WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn bytes_in_are_bytes_out(
        cut in prop::sample::select(vec!["*", "1", "3,1", "7,*", "random:1..5", "random:100..2000"]),
        merge in 0u32..5,
        delay in prop::sample::select(vec!["0", "2", "1..4"]),
        rate in prop::sample::select(vec!["", "rate=100000", "rate=10000000"]),
        slow_close in 0u32..5,
        direction in prop::sample::select(vec!["to-server", "to-client", "both"]),
        seed in any::<u64>(),
        question in prop::collection::vec(any::<u8>(), 0..3000),
        answer in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let schedule = format!("cut={cut} merge={merge} delay={delay} {rate} slow-close={slow_close} direction={direction} seed={seed}");
        let (_relay, mut client, mut server) = pair(&schedule);
        let (at_client, at_server) = thread::scope(|scope| {
            let server = scope.spawn(|| talk(&mut server, &answer));
            (talk(&mut client, &question), server.join().unwrap())
        });
        prop_assert!(at_server == question && at_client == answer, "{}", schedule);
    }
}

#[test]
fn a_hundred_megabytes() {
    let stream: Vec<u8> =
        (0..100_000_000u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    // `merge` keeps the bytes in the relay's own memory; idle moves them past it.
    for schedule in ["idle", "merge=1"] {
        let (_relay, mut client, mut server) = pair(schedule);
        let came = thread::scope(|scope| {
            let server = scope.spawn(|| talk(&mut server, b"enough"));
            assert_eq!(talk(&mut client, &stream), b"enough");
            server.join().unwrap()
        });
        assert!(came == stream, "{schedule}: {} bytes came", came.len());
    }
}

/// What a peer sends and nobody reads has to wait somewhere: in the buffers, which are limited.
#[test]
fn a_slow_reader_slows_the_sender() {
    for schedule in ["idle", "merge=1"] {
        let (_relay, client, mut server) = pair(schedule);
        let mut tcp = client.tcp();
        tcp.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
        let mut sent = 0;
        while let Ok(n) = tcp.write(&[b'x'; 65_536]) {
            sent += n;
            assert!(sent < 256 << 20, "{schedule}: it takes everything");
        }
        client.end();
        let mut came = Vec::new();
        server.read_to_end(&mut came).unwrap();
        assert_eq!(came.len(), sent, "{schedule}");
    }
}

#[test]
fn two_hundred_connections() {
    const MANY: usize = 200;
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, "cut=random:1..9 seed=1");
    let mut clients: Vec<Conn> = (0..MANY).map(|_| connect(relay.address())).collect();
    let mut conns: Vec<Conn> = (0..MANY).map(|_| server.accept()).collect();
    // All are open now. Each says who it is, in the opposite order of connecting.
    for (number, client) in clients.iter().enumerate().rev() {
        client.say(format!("client {number:3} says hello").as_bytes());
    }
    let mut said = Vec::new();
    for conn in &mut conns {
        let mut line = [0; 21];
        conn.read_exact(&mut line).unwrap();
        conn.say(&line);
        said.push(String::from_utf8(line.to_vec()).unwrap());
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut line = [0; 21];
        client.read_exact(&mut line).unwrap();
        assert_eq!(line, *format!("client {number:3} says hello").as_bytes());
    }
    said.sort();
    said.dedup();
    assert_eq!(said.len(), MANY);
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_connections_leave_nothing_behind() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, "cut=1");
    for round in 0..1000 {
        let mut client = connect(relay.address());
        let mut conn = server.accept();
        client.say(b"hi");
        if round % 2 == 0 {
            client.end();
            conn.read_to_end(&mut Vec::new()).unwrap();
            drop(conn);
            client.read_to_end(&mut Vec::new()).unwrap();
        } else {
            conn.read_exact(&mut [0; 2]).unwrap();
            client.reset();
            conn.read(&mut [0; 1]).unwrap_err();
        }
    }
    // Threads end a moment after the last bytes of their connection. They are named, so those of other
    // tests in this process don't count: only this test has such high numbers.
    let deadline = std::time::Instant::now() + peers::LONG;
    let left = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names
            .filter(|name| {
                name.trim().strip_prefix("relay ").is_some_and(|n| n.len() == 3 && n > "300")
            })
            .count()
    };
    while left() > 0 {
        assert!(std::time::Instant::now() < deadline, "{} threads are left", left());
        thread::yield_now();
    }
}
