//! Remote commands: how fast they are compared with the same shell started without a server.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::load::{Exchange, Load, Then};
use crate::options::Effort;
use crate::peers::{self, Peer, plain_commands};
use crate::progress;
use crate::rounds::{Better, Contender, Row, play};
use crate::server::{Cores, Server, has_python};

/// The command: it does nothing, so what's left is what starting it takes.
const COMMAND: &[u8] = b"true";

pub fn commands(programs: &Path, effort: Effort) -> io::Result<Vec<Row>> {
    [(1, 0.95), (2, 0.85)]
        .map(|(clients, goal)| row(programs, clients, goal, effort))
        .into_iter()
        .collect()
}

fn row(programs: &Path, clients: usize, goal: f64, effort: Effort) -> io::Result<Row> {
    progress(&format!("remote commands, {clients} connections"));
    let json = Exchange { request: COMMAND.to_vec(), answer: peers::answer(b"") };
    let prefix = Exchange { request: COMMAND.to_vec(), answer: vec![0; 4] };
    let window = effort.window;
    let program = |name: &'static str, exchange: Exchange| {
        move || {
            let server = Server::program(programs, name, &["--requests", "raw"])?;
            rate(&server, clients, exchange.clone(), window)
        }
    };
    let mut contenders =
        vec![Contender::new("threaded-server", program("threaded-server", json.clone()))];
    // It serves one client after another.
    if clients == 1 {
        let run = program("fix-struct-prefix-server", prefix);
        contenders.push(Contender::new("struct prefix", run));
    }
    let plain = json.clone();
    contenders.push(Contender::new("plain threads", move || {
        rate(&Server::peer(Peer::PlainCommands, Cores::Any)?, clients, plain.clone(), window)
    }));
    if has_python() {
        contenders.push(Contender::new("Python", move || {
            let server = Server::python("socketserver_one_send.py", &["commands"], Cores::Any)?;
            rate(&server, clients, json.clone(), window)
        }));
    }
    contenders.push(Contender::new("bare spawn", move || bare(clients, window)));
    let rounds = play(0, effort.rounds, contenders)?;
    let what = format!("remote command `true`, {clients} at once");
    Ok(Row::new(what, "commands/s", Better::More, &rounds, |rate| *rate)
        .compare("threaded-server", "bare spawn", goal)
        .compare("struct prefix", "bare spawn", goal)
        .compare("plain threads", "bare spawn", None)
        .compare("Python", "bare spawn", None)
        .compare("threaded-server", "plain threads", None))
}

fn rate(server: &Server, clients: usize, exchange: Exchange, time: Duration) -> io::Result<f64> {
    let mut load = Load::new(server.address, exchange, Then::GoOn)?;
    load.connect(clients)?;
    load.answers(clients)?;
    let (answers, elapsed) = load.run_for(time)?;
    Ok(answers as f64 / elapsed.as_secs_f64())
}

/// The same commands without a server, in as many threads.
fn bare(threads: usize, time: Duration) -> io::Result<f64> {
    let start = Instant::now();
    let run = || -> io::Result<usize> {
        let mut count = 0;
        while start.elapsed() < time {
            plain_commands::run(COMMAND)?;
            count += 1;
        }
        Ok(count)
    };
    let counts: io::Result<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, io::Result<usize>>| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        };
        threads.into_iter().map(join).sum()
    });
    Ok(counts? as f64 / start.elapsed().as_secs_f64())
}
