//! Which of several connections is drawn, and which of its streams.

use clap::ValueEnum;
use observe::{Event, Failure};
use timeline::{Connection, Direction, Stream};

/// At most this many connections are listed: more would fill the screen.
const LISTED: usize = 20;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Directions {
    ToServer,
    ToClient,
    Both,
}

/// The connections that carried something, if any did. Others are of no interest, such as the socket pairs with which some
/// languages wake their own threads.
pub fn that_carried(all: Vec<Connection>) -> Vec<Connection> {
    let (carrying, quiet): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|connection| carried(connection) != [0, 0]);
    if carrying.is_empty() { quiet } else { carrying }
}

/// The connection that was asked for, or the only one, or the only one with recordings of both ends: often there is one
/// recording of a server with many clients, and one of the last client.
pub fn one(all: &[Connection], wanted: Option<usize>) -> Result<&Connection, Failure> {
    let listed = |what: String| Failure::Usage(format!("{what}: {}", list(all)));
    match wanted {
        Some(number) => number.checked_sub(1).and_then(|index| all.get(index)).ok_or_else(|| {
            listed(format!("there is no connection {number} in these traces; pick one of these"))
        }),
        None => {
            let whole = |one: &&Connection| !one.client.is_empty() && !one.server.is_empty();
            let whole: Vec<&Connection> = all.iter().filter(whole).collect();
            match (all, &whole[..]) {
                ([only], _) | (_, &[only]) => Ok(only),
                _ => Err(listed(format!("{} connections in these traces; pick one", all.len()))),
            }
        }
    }
}

/// Why no connection was found: which call failed, if one did. The last one counts: before it, the program may have asked
/// for a name, and tried other addresses.
pub fn none(events: &[Event]) -> Failure {
    let tried = events.iter().rev().find_map(|event| {
        let address = event.peer.as_ref().or(event.local.as_ref())?;
        Some(format!("{} {address} failed: {}", event.call, event.error.as_ref()?))
    });
    let what = match tried {
        Some(tried) => tried,
        None if events.is_empty() => "no socket calls were recorded".to_owned(),
        None => "nobody connected".to_owned(),
    };
    Failure::Usage(format!(
        "found no connection in these traces: {what}; try the traces (--trace or strace) of a client and a server that \
         talked to each other"
    ))
}

/// The numbered list of connections, with how much each carried.
fn list(all: &[Connection]) -> String {
    let about = |(connection, number): (&Connection, usize)| {
        let [there, back] = carried(connection).map(|bytes| match bytes {
            usize::MAX => "?".to_owned(),
            bytes => bytes.to_string(),
        });
        format!(
            "--conn {number}: {} ({there} bytes to the server, {back} to the client)",
            connection.ends()
        )
    };
    let mut listed: Vec<String> = all.iter().zip(1..).take(LISTED).map(about).collect();
    if all.len() > LISTED {
        listed.push(format!("and {} more", all.len() - LISTED));
    }
    listed.join("; ")
}

/// How many bytes each of its streams has; unknown if its recordings contradict each other.
fn carried(connection: &Connection) -> [usize; 2] {
    let bytes = |direction| connection.stream(direction).map_or(usize::MAX, |stream| stream.len());
    [Direction::ToServer, Direction::ToClient].map(bytes)
}

/// The streams that carried bytes.
pub fn streams(connection: &Connection, directions: Directions) -> Result<Vec<Stream>, Failure> {
    let mut streams = Vec::new();
    for (this, direction) in
        [(Directions::ToServer, Direction::ToServer), (Directions::ToClient, Direction::ToClient)]
    {
        if directions == this || directions == Directions::Both {
            let stream = connection.stream(direction);
            streams.push(stream.map_err(|error| Failure::Usage(error.to_string()))?);
        }
    }
    streams.retain(|stream| !stream.is_empty() || stream.has_failures());
    match streams.is_empty() {
        true => Err(Failure::Usage(
            "this connection carried no bytes in that direction, so there is nothing to draw"
                .into(),
        )),
        false => Ok(streams),
    }
}
