//! Which sockets belong together.

mod runs;

use observe::Event;
use runs::{begin, event, run};
use timeline::{Connection, Direction, StreamError, connections};

fn kinds(connections: &[Connection]) -> Vec<(bool, bool, bool)> {
    let ends = |each: &Connection| {
        (!each.client.is_empty(), each.relay.is_some(), !each.server.is_empty())
    };
    connections.iter().map(ends).collect()
}

/// Each socket is looked up once. Looking it up again for every event of the others would take most of a minute.
#[test]
fn a_trace_of_many_connections_is_read_at_once() {
    let many: Vec<Event> = (0..1000)
        .flat_map(|number| {
            let client = format!("127.0.0.1:{}", 5000 + number);
            [
                begin("connect", 1, number, &client, "127.0.0.1:8888"),
                event("send", "out", 1, number, 0, b"hi"),
                event("send", "out", 1, number, 2, b"hi"),
                begin("accept", 2, number, "127.0.0.1:8888", &client),
            ]
        })
        .collect();
    assert_eq!(kinds(&connections(&many, &[])), [(true, false, true); 1000]);
}

#[test]
fn the_two_ends_know_each_other_by_their_addresses() {
    let run = run(&[b"hello"], None, &[2]);
    let mut others = run.client.clone();
    for event in &mut others {
        event.conn = 7;
        event.local = event.local.as_deref().map(|local| local.replace("5000", "5001"));
    }
    let all = connections(&[others, run.server, run.client].concat(), &[]);
    assert_eq!(kinds(&all), [(true, false, false), (true, false, true)]);
    assert_eq!(all[1].ends(), "127.0.0.1:5000 to 127.0.0.1:8888");
    assert!(!all[1].stream(Direction::ToServer).unwrap().is_empty());
    assert!(all[1].stream(Direction::ToClient).unwrap().is_empty());
}

#[test]
fn a_relay_joins_two_connections() {
    let run = run(&[b"hello"], Some(&[2]), &[3]);
    let ends = [run.client, run.server].concat();
    let all = connections(&ends, &run.relay);
    assert_eq!(kinds(&all), [(true, true, true)]);
    assert_eq!(all[0].ends(), "127.0.0.1:5000 to 127.0.0.1:8888, relayed");
    let text = all[0].stream(Direction::ToServer).unwrap().text(80);
    assert!(text.contains("relay send"), "{text}");
    // Without the relay's trace, nothing shows that the two belong together.
    assert_eq!(kinds(&connections(&ends, &[])), [(true, false, false), (false, false, true)]);
}

#[test]
fn a_relay_that_accepts_twice_before_it_connects_leaves_it_open() {
    let relay = [
        Event { t_us: 1, ..begin("accept", 2, 2, "127.0.0.1:9000", "127.0.0.1:5000") },
        Event { t_us: 2, ..begin("accept", 2, 3, "127.0.0.1:9000", "127.0.0.1:5001") },
        Event { t_us: 3, ..begin("connect", 2, 4, "127.0.0.1:6000", "127.0.0.1:8888") },
    ];
    let all = connections(&[], &relay);
    let connected = |each: &Connection| !each.relay.as_ref().unwrap().to_server.is_empty();
    assert_eq!(all.iter().map(connected).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn unix_sockets_without_a_name_are_matched_only_when_there_is_one_of_each() {
    let client = begin("connect", 1, 1, "unnamed", "/tmp/socket");
    let server = begin("accept", 2, 2, "/tmp/socket", "unnamed");
    assert_eq!(kinds(&connections(&[client.clone(), server.clone()], &[])), [(true, false, true)]);
    let second = Event { pid: 9, ..client.clone() };
    let three = connections(&[client, second, server], &[]);
    assert_eq!(three.len(), 3);
}

#[test]
fn a_server_whose_calls_another_process_made_was_not_recorded() {
    let client = begin("connect", 1, 1, "127.0.0.1:5000", "127.0.0.1:8888");
    let server = begin("accept", 2, 2, "127.0.0.1:8888", "127.0.0.1:5000");
    let worker = event("recv", "in", 3, 1, 0, b"hello");
    assert_eq!(kinds(&connections(&[client, server, worker], &[])), [(true, false, false)]);
}

#[test]
fn segments_belong_to_the_connection_with_their_addresses() {
    let run = run(&[b"hello"], None, &[2]);
    let segment = |dir, from: &str, to: &str, bytes: &[u8]| Event {
        local: Some(from.into()),
        peer: Some(to.into()),
        ..event("segment", dir, 0, 1, 0, bytes)
    };
    let segments = [
        segment("out", "127.0.0.1:5000", "127.0.0.1:8888", b"hello"),
        segment("in", "127.0.0.1:8888", "127.0.0.1:5000", b"answer"),
        segment("out", "127.0.0.1:5001", "127.0.0.1:8888", b"another"),
    ];
    let ends = [run.client, run.server].concat();
    let all = connections(&ends, &segments);
    assert_eq!(all[0].segments, segments[..2]);
    let text = all[0].stream(Direction::ToServer).unwrap().text(80);
    assert!(text.contains("wire segment"), "{text}");

    let wrong = [segment("out", "127.0.0.1:5000", "127.0.0.1:8888", b"hexlo")];
    let error = connections(&ends, &wrong)[0].stream(Direction::ToServer).unwrap_err();
    assert_eq!(error, StreamError::Differs { offset: 2 });
}
