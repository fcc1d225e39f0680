//! Each fault, in each direction, as a plain peer sees it.
//!
//! | fault | test |
//! |---|---|
//! | latency | `a_delay_is_not_shorter_than_said`, `a_delay_is_no_queue` |
//! | bandwidth | `a_rate_is_not_exceeded` |
//! | merge | `two_sends_are_one_read` |
//! | slow close | `the_end_comes_late` |
//! | silence | `silence_after_so_many_bytes` |
//! | reset | `a_reset_after_so_many_bytes` |
//! | limit data | `an_orderly_end_after_so_many_bytes` |
//! | a peer that resets, idle or while it is sent to | `a_peer_s_reset_passes_on` |
//! | a peer that answers and resets | `what_was_said_before_a_reset_arrives` |
//! | half-close | `a_half_close_passes_and_the_other_way_lives_on` |
//! | nobody listens at the server | `a_refusal_is_a_reset_and_the_relay_lives_on` |
//! | the relay is dropped | `dropping_it_ends_everything` |

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of a test may fail it, and name the case"
)]

mod peers;

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use peers::{Conn, connect, listen, pair, relay, sizes};

/// Runs a check in both directions: from the client to the server, and back. The schedule applies only to
/// the direction that is checked.
fn both_ways(schedule: &str, check: impl Fn(Conn, Conn)) {
    for direction in ["to-server", "to-client"] {
        let (_relay, client, server) = pair(&format!("{schedule} direction={direction}"));
        println!("{schedule} {direction}");
        match direction {
            "to-server" => check(client, server),
            _ => check(server, client),
        }
    }
}

#[test]
fn a_delay_is_not_shorter_than_said() {
    for (schedule, least) in [("delay=60", 60), ("delay=40..50 seed=1", 40)] {
        both_ways(schedule, |mut from, mut to| {
            let before = Instant::now();
            from.say(b"hello");
            to.read_exact(&mut [0; 5]).unwrap();
            assert!(before.elapsed() >= Duration::from_millis(least));
            // The other direction isn't delayed, but on a busy machine there is no bound to check.
            to.say(b"hi");
            from.read_exact(&mut [0; 2]).unwrap();
            // The end is delayed as long as the bytes.
            let before = Instant::now();
            from.end();
            assert_eq!(to.read(&mut [0; 5]).unwrap(), 0);
            assert!(before.elapsed() >= Duration::from_millis(least));
        });
    }
}

/// Ten messages 10 ms apart take 300 ms together, not 300 ms each.
#[test]
fn a_delay_is_no_queue() {
    both_ways("delay=300", |from, mut to| {
        let before = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..10 {
                    from.say(b"x");
                    thread::sleep(Duration::from_millis(10));
                }
            });
            to.read_exact(&mut [0; 10]).unwrap();
        });
        assert!(before.elapsed() >= Duration::from_millis(390));
        assert!(before.elapsed() < Duration::from_millis(2000), "{:?}", before.elapsed());
    });
}

#[test]
fn a_rate_is_not_exceeded() {
    both_ways("rate=100000", |from, mut to| {
        let before = Instant::now();
        from.say(&[b'x'; 30_000]);
        to.read_exact(&mut [0; 1000]).unwrap();
        assert!(before.elapsed() >= Duration::from_millis(10));
        to.read_exact(&mut [0; 29_000]).unwrap();
        assert!(before.elapsed() >= Duration::from_millis(300), "{:?}", before.elapsed());
        assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
    });
}

#[test]
fn two_sends_are_one_read() {
    both_ways("merge=1000", |from, to| {
        let before = Instant::now();
        from.say(b"hello");
        // This isn't a wait for anything: it's the pause that the merge has to bridge.
        thread::sleep(Duration::from_millis(10));
        from.say(b"hi");
        assert_eq!(sizes(&to, 7), [7]);
        assert!(before.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn the_end_comes_late() {
    both_ways("slow-close=150", |from, mut to| {
        from.say(b"hello");
        to.read_exact(&mut [0; 5]).unwrap();
        let before = Instant::now();
        from.end();
        assert_eq!(to.read(&mut [0; 5]).unwrap(), 0);
        assert!(before.elapsed() >= Duration::from_millis(150));
    });
}

#[test]
fn silence_after_so_many_bytes() {
    both_ways("stall-after=7", |mut from, mut to| {
        from.say(b"hello");
        from.say(b"hello");
        to.read_exact(&mut [0; 7]).unwrap();
        from.end();
        // We can't wait for silence. But the other direction still works, its bytes arrive in order, and a
        // program would see a timeout.
        to.say(b"still here");
        from.read_exact(&mut [0; 10]).unwrap();
        to.tcp().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert_eq!(to.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
        // If one side gives up, the other notices.
        to.reset();
        assert_eq!(from.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_after_so_many_bytes() {
    for many in [0, 1, 7, 5000] {
        both_ways(&format!("reset-after={many}"), |mut from, mut to| {
            // If 0 bytes pass, the reset may come first.
            let wrote = Write::write_all(&mut from, &[b'x'; 10_000]);
            let mut came = Vec::new();
            let error = to.read_to_end(&mut came).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert_eq!(came.len(), many);
            // A socket reports its reset only once.
            let told = wrote.and_then(|()| from.read_exact(&mut [0; 1])).unwrap_err();
            assert_eq!(told.kind(), ErrorKind::ConnectionReset);
        });
    }
}

#[test]
fn an_orderly_end_after_so_many_bytes() {
    for many in [0, 1, 7, 5000] {
        both_ways(&format!("close-after={many}"), |mut from, mut to| {
            from.say(&[b'x'; 10_000]);
            let mut came = Vec::new();
            to.read_to_end(&mut came).unwrap();
            assert_eq!(came.len(), many);
            assert_eq!(from.read(&mut [0; 1]).unwrap(), 0);
        });
    }
}

#[test]
fn a_peer_s_reset_passes_on() {
    both_ways("", |from, mut to| {
        from.reset();
        assert_eq!(to.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
    // After its half-close nobody waits to read from it.
    both_ways("", |from, mut to| {
        from.end();
        assert_eq!(to.read(&mut [0; 1]).unwrap(), 0);
        from.reset();
        while Write::write_all(&mut to, &[b'x'; 1000]).is_ok() {}
    });
    // While we send to it, and its buffers are full.
    both_ways("", |mut from, to| {
        thread::scope(|scope| {
            let sender =
                scope.spawn(|| while Write::write_all(&mut from, &[b'x'; 65536]).is_ok() {});
            to.wait_for_bytes(1);
            to.reset();
            sender.join().unwrap();
        });
    });
}

#[test]
fn what_was_said_before_a_reset_arrives() {
    both_ways("delay=50", |from, mut to| {
        from.say(b"goodbye");
        from.reset();
        let mut came = Vec::new();
        assert_eq!(to.read_to_end(&mut came).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(came, b"goodbye");
    });
}

#[test]
fn a_half_close_passes_and_the_other_way_lives_on() {
    for schedule in ["idle", "cut=1", "cut=random:1..3 delay=1..5 seed=2", "merge=20", "rate=1000"]
    {
        let (_relay, mut client, mut server) = pair(schedule);
        client.say(b"question");
        client.end();
        let mut came = Vec::new();
        server.read_to_end(&mut came).unwrap();
        assert_eq!(came, b"question", "{schedule}");
        server.say(b"answer");
        drop(server);
        came.clear();
        client.read_to_end(&mut came).unwrap();
        assert_eq!(came, b"answer", "{schedule}");
    }
}

#[test]
fn a_refusal_is_a_reset_and_the_relay_lives_on() {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let endpoint = server.endpoint();
    let relay = relay(&server, "idle");
    drop(server);
    let mut client = connect(relay.address());
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);

    let server = listen(&endpoint);
    let client = connect(relay.address());
    client.say(b"hello");
    server.accept().read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn dropping_it_ends_everything() {
    for schedule in
        ["idle", "stall-after=0", "delay=4000000", "rate=1", "cut=1", "slow-close=4000000"]
    {
        let (relay, mut client, mut server) = pair(schedule);
        let address = relay.address().to_string();
        client.say(&[b'x'; 1000]);
        if schedule.starts_with("slow") {
            server.read_exact(&mut [0; 1000]).unwrap();
            client.end();
        }
        let before = Instant::now();
        drop(relay);
        assert!(before.elapsed() < Duration::from_secs(10), "{schedule}: {:?}", before.elapsed());
        let broken = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        broken(client.read_to_end(&mut Vec::new()).unwrap_err());
        broken(server.read_to_end(&mut Vec::new()).unwrap_err());
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
