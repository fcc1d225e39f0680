//! Is a cut a cut? A plain reader, which knows nothing about the relay, counts what each `read` returns.
//! Only on Linux can the relay know what the reader has taken; elsewhere a cut is likely, not certain.
//!
//! | claim | test |
//! |---|---|
//! | every read is exactly one piece: 1 byte, a pattern, random, over IPv4, IPv6, Unix | `every_read_is_a_piece` |
//! | even while the machine is busy, both directions at once | `every_read_is_a_piece_on_a_busy_machine` |
//! | the same seed, the same reads; another seed, others | `a_seed_repeats_its_cuts` |
//! | a piece that arrives in parts doesn't start again | `cuts_lie_in_the_stream_not_in_the_arrivals` |
//! | a reader that doesn't read holds nothing up forever | `a_reader_that_sleeps` |
//! | one byte at a time, 20,000 times: every read one byte, and soon | `twenty_thousand_pieces` |

#![cfg(target_os = "linux")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of a test may fail it, and name the case"
)]

mod peers;

use std::hint;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use peers::{connect, listen, relay, sizes};
use relay::{Decision, Destination, Endpoint, Plan, Schedule};

/// What the reads must be when all bytes are there at once, from the plan alone.
fn expected(schedule: &str, toward: Destination, connection: u64, mut bytes: usize) -> Vec<usize> {
    let schedule: Schedule = schedule.parse().unwrap();
    let mut plan = Plan::new(&schedule, toward, connection);
    let mut pieces = Vec::new();
    while let Decision::Send(n) = plan.next(bytes) {
        plan.passed(n);
        pieces.push(n);
        bytes -= n;
    }
    pieces
}

#[test]
fn every_read_is_a_piece() {
    let scratch = stage::Scratch::new().unwrap();
    let path = |name: &str| Endpoint::Path(scratch.path().join(name));
    let v4: Endpoint = "127.0.0.1:0".parse().unwrap();
    let v6: Endpoint = "[::1]:0".parse().unwrap();
    let mut kinds = vec![
        (v4.clone(), v4.clone()),
        (path("a"), path("b")),
        (v4.clone(), path("c")),
        (path("d"), v4),
    ];
    match std::net::TcpListener::bind("[::1]:0") {
        Ok(_) => kinds.push((v6.clone(), v6)),
        Err(_) => eprintln!("no IPv6 here"),
    }
    for (listen_on, at) in kinds {
        let server = listen(&at);
        for schedule in [
            "cut=1",
            "cut=3,1",
            "cut=3,1,*",
            "cut=random:1..7 seed=11",
            "cut=5,* direction=to-client",
        ] {
            let relay = relay::Relay::start(
                listen_on.clone(),
                server.endpoint(),
                schedule.parse().unwrap(),
            )
            .unwrap();
            let client = connect(relay.address());
            let conn = server.accept();
            for (from, to, toward) in
                [(&client, &conn, Destination::Server), (&conn, &client, Destination::Client)]
            {
                from.say(&[b'x'; 60]);
                assert_eq!(
                    sizes(to, 60),
                    expected(schedule, toward, 0, 60),
                    "{schedule} {toward:?}, {listen_on} to {at}"
                );
            }
        }
    }
}

#[test]
fn every_read_is_a_piece_on_a_busy_machine() {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    hint::spin_loop()
                }
            });
        }
        // Ends the busy threads even if an assertion fails.
        let _guard = Guard(&stop);
        for schedule in ["cut=1", "cut=random:1..7 seed=3", "cut=1,2,3"] {
            let server = listen(&"127.0.0.1:0".parse().unwrap());
            let relay = relay(&server, schedule);
            let client = connect(relay.address());
            let conn = server.accept();
            thread::scope(|scope| {
                for (from, to, toward) in
                    [(&client, &conn, Destination::Server), (&conn, &client, Destination::Client)]
                {
                    scope.spawn(move || {
                        from.say(&[b'x'; 500]);
                        assert_eq!(
                            sizes(to, 500),
                            expected(schedule, toward, 0, 500),
                            "{schedule} {toward:?}"
                        );
                    });
                }
            });
        }
    });
}

struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_seed_repeats_its_cuts() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let mut reads = [4, 4, 5].map(|seed| {
        let relay = relay(&server, &format!("cut=random:1..9 seed={seed}"));
        // The second connection has cuts of its own, and repeats them too.
        [0, 1].map(|_| {
            let client = connect(relay.address());
            let conn = server.accept();
            client.say(&[b'x'; 100]);
            sizes(&conn, 100)
        })
    });
    assert_eq!(reads[0], reads[1]);
    assert_ne!(reads[1], reads[2]);
    assert_ne!(reads[0][0], reads[0][1]);
    reads[0][0].sort();
    assert!(reads[0][0].first() < reads[0][0].last(), "all alike is no chance");
}

#[test]
fn cuts_lie_in_the_stream_not_in_the_arrivals() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, "cut=5");
    let client = connect(relay.address());
    let conn = server.accept();
    client.say(b"abc");
    assert_eq!(sizes(&conn, 3), [3]);
    client.say(b"defgh");
    assert_eq!(sizes(&conn, 5), [2, 3]);
}

#[test]
fn a_reader_that_sleeps() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, "cut=1,*");
    let client = connect(relay.address());
    client.say(b"hello");
    let conn = server.accept();
    // It does not read, and the rest comes anyway: both pieces wait, and one read takes them.
    conn.wait_for_bytes(5);
    assert_eq!(sizes(&conn, 5), [5]);
}

#[test]
fn twenty_thousand_pieces() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, "cut=1");
    let mut client = connect(relay.address());
    let conn = server.accept();
    let sent: Vec<u8> = (0..20_000u32).map(|n| (n % 251) as u8).collect();
    let mut came = Vec::new();
    let before = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            client.write_all(&sent).unwrap();
            client.end();
        });
        let mut buffer = [0; 4096];
        loop {
            let n = conn.receive(&mut buffer).unwrap();
            came.extend_from_slice(&buffer[..n]);
            match n {
                0 => break,
                1 => {}
                n => panic!("{n} bytes in one read, near {}", came.len()),
            }
        }
    });
    assert!(came == sent);
    let took = before.elapsed();
    println!("{:.0} pieces a second", sent.len() as f64 / took.as_secs_f64());
    assert!(took < Duration::from_secs(60), "{took:?}");
}
