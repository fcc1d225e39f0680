//! System calls on the connection for each request, counted by strace(1).

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::load::{Exchange, Load, Then};
use crate::peers::{self, Peer};
use crate::progress;
use crate::rounds::{Better, Contender, Row, play};
use crate::server::{Cores, Server};

const REQUESTS: usize = 200;

pub fn calls(programs: &Path) -> io::Result<Vec<Row>> {
    let has_strace = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
    if !has_strace.is_ok_and(|status| status.success()) {
        progress("no strace here: system calls are not counted");
        return Ok(Vec::new());
    }
    progress("system calls");
    let echo = |peer| move || count(&Server::peer(peer, Cores::Apart)?, Exchange::echo());
    let contenders = vec![
        Contender::new("threads, echo", echo(Peer::Threads)),
        Contender::new("events, echo", echo(Peer::Events)),
        Contender::new("plain threads, echo", echo(Peer::PlainThreads)),
        Contender::new("struct prefix, command", || {
            let server =
                Server::program(programs, "fix-struct-prefix-server", &["--requests", "raw"])?;
            count(&server, Exchange { request: b"true".to_vec(), answer: vec![0; 4] })
        }),
        Contender::new("threaded-server, command", || {
            let server = Server::program(programs, "threaded-server", &["--requests", "raw"])?;
            count(&server, Exchange { request: b"true".to_vec(), answer: peers::answer(b"") })
        }),
    ];
    // Nothing varies but the moment at which strace begins to look.
    let rounds = play(0, 1, contenders)?;
    let row =
        Row::new("system calls on the connection", "a request", Better::Less, &rounds, |n| *n);
    Ok(vec![row.at_most("threads, echo", 2.0).at_most("struct prefix, command", 3.0)])
}

/// How many lines of strace name a connection while one client sends its requests.
fn count(server: &Server, exchange: Exchange) -> io::Result<f64> {
    let file = std::env::temp_dir().join(format!("bench-{}.strace", std::process::id()));
    let mut load = Load::new(server.address, exchange, Then::GoOn)?;
    load.connect(1)?;
    load.answers(1)?;
    let mut strace = Command::new("strace");
    strace.args(["-yy", "-o"]).arg(&file);
    // The server's own threads, not those of the commands.
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", server.pid()))? {
        strace.arg("-p").arg(thread?.file_name());
        threads += 1;
    }
    let mut strace = strace.stderr(Stdio::piped()).spawn()?;
    // strace says `Process N attached` for each.
    let mut said = BufReader::new(strace.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?);
    for _ in 0..threads {
        said.read_line(&mut String::new())?;
    }
    load.answers(REQUESTS)?;
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&strace),
        rustix::process::Signal::INT,
    )?;
    strace.wait()?;
    let trace = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    // A connection is `<TCP:[ours->theirs]>`. A call that is resumed counts once.
    let calls = trace.lines().filter(|line| line.contains("<TCP:[") && line.contains("->"));
    Ok(calls.count() as f64 / REQUESTS as f64)
}
