//! Datagrams: lost, duplicated and late, as the seed says.
//!
//! | claim | test |
//! |---|---|
//! | what arrives, and in which order, is what a replay of the fates says, both directions | `what_arrives_is_what_the_seed_says` |
//! | each client keeps its own flow | `each_client_gets_its_own_answers` |
//! | boundaries stay, an empty datagram too | `boundaries_stay` |
//! | a late one arrives even if nothing follows | `a_late_one_with_nothing_behind_it` |
//! | nobody listens at the server | `a_server_that_is_not_there_is_loss` |
//! | stream faults, Unix sockets | `what_does_not_fit` |

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use relay::{DatagramFate, DatagramFates, Destination, Endpoint, Relay, RelayError, Schedule};

const LONG: Duration = Duration::from_secs(60);

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket
}

fn relay(server: &UdpSocket, schedule: &str) -> (Relay, SocketAddr) {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let relay = Relay::start_udp(anywhere, server.local_addr().unwrap(), schedule.parse().unwrap())
        .unwrap();
    let address = relay.address().to_string().parse().unwrap();
    (relay, address)
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2000];
    let (n, from) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..n].to_vec(), from)
}

/// What arrives of the datagrams 0, 1, 2, …: the rule of the relay, told a second time.
fn replay(fates: impl Iterator<Item = DatagramFate>) -> Vec<u8> {
    let mut arrived = Vec::new();
    let mut late: Vec<u8> = Vec::new();
    for (number, fate) in fates.enumerate() {
        let copies = vec![number as u8; fate.copies.into()];
        if fate.late && late.is_empty() {
            late = copies;
        } else if !copies.is_empty() {
            arrived.extend(copies);
            arrived.append(&mut late);
        }
    }
    arrived.extend(late);
    arrived
}

#[test]
fn what_arrives_is_what_the_seed_says() {
    for schedule in [
        "idle",
        "drop=0.3 seed=1",
        "duplicate=0.4 seed=2",
        "reorder=0.3 seed=3",
        "drop=0.2 duplicate=0.2 reorder=0.3 seed=4",
        "drop=0.5 direction=to-client seed=5",
    ] {
        let value: Schedule = schedule.parse().unwrap();
        let server = socket();
        let (_relay, address) = relay(&server, schedule);
        let client = socket();
        let expected = |toward| replay(DatagramFates::new(&value, toward, 0).take(100));

        let to_server = expected(Destination::Server);
        for number in 0..100 {
            client.send_to(&[number], address).unwrap();
        }
        let mut stand_in = None;
        let arrived: Vec<u8> = to_server
            .iter()
            .map(|_| {
                let (datagram, from) = receive(&server);
                stand_in = Some(from);
                datagram[0]
            })
            .collect();
        assert_eq!(arrived, to_server, "{schedule}");

        let to_client = expected(Destination::Client);
        for number in 0..100 {
            server.send_to(&[number], stand_in.unwrap()).unwrap();
        }
        let arrived: Vec<u8> = to_client.iter().map(|_| receive(&client).0[0]).collect();
        assert_eq!(arrived, to_client, "{schedule}");
    }
}

#[test]
fn each_client_gets_its_own_answers() {
    let server = socket();
    let (_relay, address) = relay(&server, "idle");
    let clients: Vec<UdpSocket> = (0..10).map(|_| socket()).collect();
    for (number, client) in clients.iter().enumerate() {
        client.send_to(&[number as u8], address).unwrap();
    }
    for _ in &clients {
        let (datagram, from) = receive(&server);
        server.send_to(&[datagram[0] + 100], from).unwrap();
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client), (vec![number as u8 + 100], address));
    }
}

#[test]
fn boundaries_stay() {
    let server = socket();
    let (_relay, address) = relay(&server, "idle");
    let client = socket();
    for datagram in [&b"hello"[..], b"", b"hi", &[b'x'; 1500]] {
        client.send_to(datagram, address).unwrap();
        assert_eq!(receive(&server).0, datagram);
    }
}

#[test]
fn a_late_one_with_nothing_behind_it() {
    let server = socket();
    let (_relay, address) = relay(&server, "reorder=1");
    socket().send_to(b"hello", address).unwrap();
    assert_eq!(receive(&server).0, b"hello");
}

#[test]
fn a_server_that_is_not_there_is_loss() {
    let server = socket();
    let at = server.local_addr().unwrap();
    let (_relay, address) = relay(&server, "idle");
    drop(server);
    let client = socket();
    client.send_to(b"lost", address).unwrap();
    // And then the server is there. Over UDP you send again until there is an answer.
    let server = UdpSocket::bind(at).unwrap();
    server.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let heard = (0..3000).any(|_| {
        client.send_to(b"found", address).unwrap();
        server.recv(&mut [0; 10]).is_ok()
    });
    assert!(heard);
}

#[test]
fn what_does_not_fit() {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let error = Relay::start_udp(anywhere, anywhere, "cut=1 delay=2".parse().unwrap()).unwrap_err();
    let said = "--cut, --delay are not for --udp: try --drop, --duplicate or --reorder";
    assert_eq!(error.to_string(), said);
    let error = Relay::start(anywhere, anywhere, "drop=0.5".parse().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--drop needs --udp: a stream loses, doubles and reorders nothing"
    );
    let path: Endpoint = "/tmp/x".parse().unwrap();
    let error = Relay::start_udp(anywhere, path, Schedule::default()).unwrap_err();
    assert!(matches!(error, RelayError::NoPath(_)), "{error}");
}
