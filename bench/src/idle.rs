//! Idle connections: what it costs to set one up, and what one takes while it waits.

use std::io;

use crate::load::{Exchange, Load, Then};
use crate::options::Effort;
use crate::peers::Peer;
use crate::progress;
use crate::rounds::{Better, Contender, Row, play};
use crate::server::{Cores, Server};

/// How many connect at a time: fewer than the kernel queues.
const BATCH: usize = 100;

/// What one connection takes: µs of the server's processor time, KiB resident, KiB of page tables.
struct Cost {
    cpu: f64,
    resident: f64,
    tables: f64,
}

pub fn idle(effort: Effort) -> io::Result<Vec<Row>> {
    let count = effort.idle;
    progress(&format!("{count} idle connections"));
    let peers = [
        ("events", Peer::Events),
        ("threads", Peer::Threads),
        ("mio", Peer::PlainMio),
        ("tokio", Peer::PlainTokio),
        ("plain threads", Peer::PlainThreads),
    ];
    let contenders =
        peers.map(|(name, peer)| Contender::new(name, move || cost(peer, count))).into();
    // Memory hardly varies.
    let rounds = play(0, effort.rounds.min(3), contenders)?;
    let row = |what: &str, unit, value: fn(&Cost) -> f64| {
        let what = format!("{count} idle connections, one's {what}");
        Row::new(what, unit, Better::Less, &rounds, value)
    };
    Ok(vec![
        row("set-up and first answer", "µs of CPU", |cost| cost.cpu)
            .compare("events", "mio", None)
            .compare("threads", "plain threads", None)
            .at_most("events", 30.0),
        row("resident memory", "KiB", |cost| cost.resident)
            .at_most("events", 0.5)
            .at_most("threads", 10.5),
        row("page tables", "KiB", |cost| cost.tables).at_most("threads", 0.3),
    ])
}

/// Each client asks once, so that the server has allocated whatever a request needs, and then stays connected.
fn cost(peer: Peer, count: usize) -> io::Result<Cost> {
    let server = Server::peer(peer, Cores::Apart)?;
    let mut load = Load::new(server.address, Exchange::echo(), Then::Stay)?;
    load.connect(1)?;
    load.answers(1)?;
    let (cpu, [resident, tables]) = (server.cpu()?, server.memory()?);
    for _ in 0..count / BATCH {
        load.connect(BATCH)?;
        load.answers(BATCH)?;
    }
    let one = |now: f64, before: f64| (now - before) / count as f64;
    let [resident_now, tables_now] = server.memory()?;
    Ok(Cost {
        cpu: one(server.cpu()?.as_secs_f64() * 1e6, cpu.as_secs_f64() * 1e6),
        resident: one(resident_now, resident),
        tables: one(tables_now, tables),
    })
}
