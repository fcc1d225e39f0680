//! Our models of a server, and other servers, under the same load: requests, connections, many clients at once.

use std::io;
use std::time::{Duration, Instant};

use crate::load::{Exchange, Load, Then};
use crate::options::Effort;
use crate::peers::Peer;
use crate::progress;
use crate::rounds::{Better, Contender, Rounds, Row, play};
use crate::server::{Cores, Server, has_python};

/// What one run measures.
struct Served {
    per_second: f64,
    /// Processor time of the server for one answer, in µs.
    cpu: f64,
    /// How much of the time the server was on its core. Below 1, something else limited the run.
    busy: f64,
}

pub fn servers(effort: Effort) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for clients in [64, 256] {
        rows.extend(requests(clients, effort)?);
    }
    rows.extend(connects(effort)?);
    rows.push(crowd(effort)?);
    Ok(rows)
}

/// The peers of a row by name, each with the function that starts it.
type Start = Box<dyn Fn() -> io::Result<Server>>;

fn starts(names: &[&'static str]) -> Vec<(&'static str, Start)> {
    let peer = |peer| Box::new(move || Server::peer(peer, Cores::Apart)) as Start;
    let python = |script| Box::new(move || Server::python(script, &[], Cores::Apart)) as Start;
    let all = vec![
        ("threads", peer(Peer::Threads)),
        ("pool", peer(Peer::Pool)),
        ("events", peer(Peer::Events)),
        ("workers", peer(Peer::Workers)),
        ("plain threads", peer(Peer::PlainThreads)),
        ("mio", peer(Peer::PlainMio)),
        ("tokio", peer(Peer::PlainTokio)),
        ("bare epoll", peer(Peer::BareEpoll)),
        ("Python", python("socketserver_one_send.py")),
        ("tutorial", python("tutorial.py")),
    ];
    let has_python = has_python();
    let wanted = |name: &str| {
        names.contains(&name) && (has_python || !matches!(name, "Python" | "tutorial"))
    };
    all.into_iter().filter(|(name, _)| wanted(name)).collect()
}

/// Requests on connections that stay open.
fn requests(clients: usize, effort: Effort) -> io::Result<Vec<Row>> {
    progress(&format!("requests, {clients} connections"));
    let names = [
        "threads",
        "events",
        "workers",
        "plain threads",
        "mio",
        "tokio",
        "bare epoll",
        "Python",
        "tutorial",
    ];
    let contender = |(name, start): (_, Start)| {
        Contender::new(name, move || serve(&start()?, clients, Then::GoOn, effort.window))
    };
    let rounds = play(0, effort.rounds, starts(&names).into_iter().map(contender).collect())?;
    let pairs = [
        ("threads", "plain threads", Some(0.97)),
        ("threads", "Python", None),
        ("threads", "tutorial", None),
        ("events", "mio", Some(0.97)),
        ("events", "bare epoll", Some(0.95)),
        ("events", "tokio", None),
        ("workers", "mio", Some(0.7)),
    ];
    let what = format!("requests, {clients} connections");
    Ok(rows(&what, "requests/s", &rounds, &pairs))
}

/// Connect, one request, close.
fn connects(effort: Effort) -> io::Result<Vec<Row>> {
    progress("connect, one request, close");
    let names = ["threads", "pool", "events", "plain threads", "mio", "tokio", "Python"];
    let contender = |(name, start): (_, Start)| {
        Contender::new(name, move || serve(&start()?, 8, Then::Reconnect, effort.window))
    };
    let rounds = play(0, effort.rounds, starts(&names).into_iter().map(contender).collect())?;
    let pairs = [
        ("threads", "plain threads", Some(0.97)),
        ("threads", "Python", None),
        ("pool", "mio", Some(1.0)),
        ("events", "mio", Some(0.97)),
        ("events", "tokio", None),
    ];
    let what = "connect, one request, close, 8 clients";
    Ok(rows(what, "connections/s", &rounds, &pairs))
}

/// The speed, and what it cost. Goals are for the speed.
fn rows(
    what: &str,
    unit: &'static str,
    rounds: &Rounds<Served>,
    pairs: &[(&str, &str, Option<f64>)],
) -> Vec<Row> {
    let speed = Row::new(what, unit, Better::More, rounds, |it| it.per_second);
    let cost = Row::new(format!("{what}: cost"), "µs of CPU", Better::Less, rounds, |it| it.cpu);
    let busy = Row::new(format!("{what}: server busy"), "of 1", Better::Less, rounds, |it| it.busy);
    vec![
        pairs.iter().fold(speed, |row, (ours, other, goal)| row.compare(ours, other, *goal)),
        pairs.iter().fold(cost, |row, (ours, other, _)| row.compare(ours, other, None)),
        busy,
    ]
}

fn serve(server: &Server, clients: usize, then: Then, window: Duration) -> io::Result<Served> {
    let mut load = Load::new(server.address, Exchange::echo(), then)?;
    load.connect(clients)?;
    // Until the server has started and has its threads and its memory, and all clients are under way.
    load.answers(clients)?;
    load.run_for(window / 4)?;
    let cpu = server.cpu()?;
    let (answers, elapsed) = load.run_for(window)?;
    let cpu = (server.cpu()? - cpu).as_secs_f64();
    Ok(Served {
        per_second: answers as f64 / elapsed.as_secs_f64(),
        cpu: cpu * 1e6 / answers as f64,
        busy: cpu / elapsed.as_secs_f64(),
    })
}

/// 256 clients connect at once, each with one request: when does the last one have its answer?
fn crowd(effort: Effort) -> io::Result<Row> {
    progress("256 clients at once");
    const CROWD: usize = 256;
    let names = ["threads", "pool", "events", "plain threads", "mio", "tokio", "Python"];
    let contender = |(name, start): (_, Start)| {
        Contender::new(name, move || {
            let server = start()?;
            // One before the others: otherwise we'd measure a server that is still starting.
            let mut first = Load::new(server.address, Exchange::echo(), Then::Leave)?;
            first.connect(1)?;
            first.answers(1)?;
            let mut load = Load::new(server.address, Exchange::echo(), Then::Leave)?;
            let start = Instant::now();
            load.connect(CROWD)?;
            load.answers(CROWD)?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        })
    };
    let rounds = play(0, effort.rounds, starts(&names).into_iter().map(contender).collect())?;
    let row =
        Row::new("256 clients at once, the last one served", "ms", Better::Less, &rounds, |ms| *ms);
    Ok(row
        .compare("threads", "plain threads", None)
        .compare("events", "mio", None)
        .at_most("threads", 20.0)
        .at_most("pool", 20.0)
        .at_most("events", 20.0))
}
