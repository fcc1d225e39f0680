//! Which of several connections is drawn.

use observe::Failure;
use timeline::{Connection, Direction};

/// More connections would fill the screen.
const LISTED: usize = 20;

/// Those that carried something, if any did: the pairs of sockets by which some languages wake their own threads carry
/// nothing.
pub fn that_carried(mut all: Vec<Connection>) -> Vec<Connection> {
    if all.iter().any(|connection| carried(connection) != [0, 0]) {
        all.retain(|connection| carried(connection) != [0, 0]);
    }
    all
}

/// The connection that was asked for, or the only one.
pub fn one(all: &[Connection], wanted: Option<usize>) -> Result<&Connection, Failure> {
    match (all, wanted) {
        ([], _) => Err(Failure::Usage(
            "found no connection in these traces: expected a successful connect or accept, or datagrams; try the \
             traces (--trace or strace) of a client and a server that talked to each other"
                .into(),
        )),
        ([only], None) => Ok(only),
        (_, None) => Err(Failure::Usage(format!(
            "{} connections in these traces; pick one with --conn N: {}",
            all.len(),
            list(all)
        ))),
        (_, Some(number)) => number.checked_sub(1).and_then(|index| all.get(index)).ok_or_else(|| {
            let listed = list(all);
            Failure::Usage(format!("there is no connection {number} in these traces; pick one of these: {listed}"))
        }),
    }
}

/// The connections by number, with how much each carried.
fn list(all: &[Connection]) -> String {
    let about = |(connection, number): (&Connection, usize)| {
        let [there, back] = carried(connection).map(|bytes| match bytes {
            usize::MAX => "?".to_owned(),
            bytes => bytes.to_string(),
        });
        format!(
            "{number}: {} ({there} bytes to the server, {back} to the client)",
            connection.ends()
        )
    };
    let mut listed: Vec<String> = all.iter().zip(1..).take(LISTED).map(about).collect();
    if all.len() > LISTED {
        listed.push(format!("and {} more", all.len() - LISTED));
    }
    listed.join("; ")
}

/// How many bytes each of its streams has; of one whose recordings contradict each other, nobody knows.
fn carried(connection: &Connection) -> [usize; 2] {
    let bytes = |direction| connection.stream(direction).map_or(usize::MAX, |stream| stream.len());
    [Direction::ToServer, Direction::ToClient].map(bytes)
}
