//! Recorded runs, made by hand: what a client, a server and a relay between them would have written.

#![allow(dead_code, reason = "each test uses some of it")]

use observe::Event;

/// One connection, as each of the three recorded it.
pub struct Run {
    pub client: Vec<Event>,
    pub relay: Vec<Event>,
    pub server: Vec<Event>,
}

/// The client sends these pieces. The relay passes on pieces of the lengths in `relay`, and the server takes pieces of
/// those in `takes`; the last length is repeated. Without a relay, the client is connected to the server.
pub fn run(sends: &[&[u8]], relay: Option<&[usize]>, takes: &[usize]) -> Run {
    let stream = sends.concat();
    let lengths: Vec<usize> = sends.iter().map(|piece| piece.len()).collect();
    let (there, back) = ("127.0.0.1:8888", "127.0.0.1:5000");
    let (door, way) =
        if relay.is_some() { ("127.0.0.1:9000", "127.0.0.1:6000") } else { (there, back) };
    let mut client = vec![begin("connect", 1, 1, back, door)];
    client.extend(moved("send", 1, 1, &stream, &lengths, 100));
    let mut passed = Vec::new();
    if let Some(relay) = relay {
        passed.push(begin("accept", 2, 2, door, back));
        passed.push(begin("connect", 2, 3, way, there));
        passed.extend(moved("recv", 2, 2, &stream, &lengths, 110));
        passed.extend(moved("send", 2, 3, &stream, relay, 120));
    }
    let mut server = vec![begin("accept", 3, 2, there, way)];
    server.extend(moved("recv", 3, 2, &stream, takes, 130));
    Run { client, relay: passed, server }
}

/// The call with which a connection begins.
pub fn begin(call: &str, pid: u32, conn: u64, local: &str, peer: &str) -> Event {
    let (local, peer) = (Some(local.to_owned()), Some(peer.to_owned()));
    Event {
        t_us: 50 + u64::from(pid),
        pid,
        call: call.into(),
        conn,
        local,
        peer,
        ..Event::default()
    }
}

/// The calls that move all of `stream`, in pieces of these lengths.
pub fn moved(
    call: &str,
    pid: u32,
    conn: u64,
    stream: &[u8],
    lengths: &[usize],
    from: u64,
) -> Vec<Event> {
    let mut lengths = lengths.iter().copied();
    let mut last = 1;
    let mut events = Vec::new();
    let mut offset = 0;
    while offset < stream.len() {
        last = lengths.next().unwrap_or(last).max(1);
        let piece = &stream[offset..stream.len().min(offset + last)];
        let dir = if call == "recv" { "in" } else { "out" };
        events.push(Event {
            t_us: from + 50 * events.len() as u64,
            asked: Some(if call == "recv" { last as u64 } else { piece.len() as u64 }),
            ..event(call, dir, pid, conn, offset, piece)
        });
        offset += piece.len();
    }
    events
}

/// One call that moves these bytes.
pub fn event(call: &str, dir: &str, pid: u32, conn: u64, offset: usize, piece: &[u8]) -> Event {
    Event {
        pid,
        call: call.into(),
        conn,
        dir: Some(dir.into()),
        got: Some(piece.len() as u64),
        offset: Some(offset as u64),
        data: Some(piece.to_vec()),
        ..Event::default()
    }
}
