//! One client after another, or all at once: four clients of one second each, on each of the five models.
//!
//! The second is the work (`sleep 1`), and no close call decides anything: served in turn, four of them take at least four
//! seconds; served at once, less than three.
//!
//! Then what it costs: the memory of each model with 1, 100 and 1000 connections on which nobody says anything.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stage::Program;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

pub const EXPERIMENT: Experiment = Experiment {
    name: "models",
    claim: "four clients of 1 s each take 4 s in turn, about 1 s at once; a process each needs the most memory",
    prediction: Prediction {
        question: "four clients each ask for a command that takes 1 s, all at the same moment. The server \
                   finishes with one connection before it accepts the next, and a client closes once it has its \
                   answer. When do all four have their answers?",
        choices: &[
            wrong(
                "after 1 s",
                "For that, the server would have to look after all four at once, with a thread for each, for \
                 example. This one spends a whole second on one client, and the others wait in the kernel's \
                 queue.",
            ),
            wrong(
                "after 2 s",
                "For that, it would have to serve two at a time. This server has one connection at a time, and \
                 accepts the next one only when the last has ended: four times 1 s.",
            ),
            right(
                "after 4 s",
                "One after the other, 1 s each, although the machine has nothing to do: `sleep 1` needs no \
                 processor. With a thread for each, all four had their answers after 1.0 s in our run.",
            ),
        ],
    },
    run,
};

const CLIENTS: u32 = 4;
const MODELS: [[&str; 2]; 5] = [
    ["--model", "serial"],
    ["--model", "threads"],
    ["--model", "pool"],
    ["--model", "processes"],
    ["--model", "events"],
];
const CONNECTIONS: [usize; 3] = [1, 100, 1000];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let client = CommandLine::new("threaded-client", &["-c", "sleep 1"]);
    scene.terminals(&[&CommandLine::new("threaded-server", &MODELS[0]), &client])?;
    scene.then(
        "and at the same time in terminals 3, 4 and 5; then all again with the other models",
    )?;
    scene.blank()?;
    let mut findings = Findings::default();
    for (model, took) in serve_all(scene, &client)? {
        let seconds = took.as_secs_f64();
        scene.says(model, format!("{CLIENTS} clients of 1 s each took {seconds:.1} s"))?;
        let in_turn = Duration::from_secs(1) * CLIENTS;
        match model {
            "serial" => {
                findings.holds(took >= in_turn, "serial to take 4 s at least", took);
                scene.came(if took >= in_turn { "after 4 s" } else { "after 1 s" });
            }
            _ => findings.holds(
                took < in_turn - Duration::from_secs(1),
                &format!("{model} to take less than 3 s"),
                took,
            ),
        }
    }
    if cfg!(not(target_os = "linux")) {
        scene.text("Their memory was not measured: only Linux has /proc to ask.\n")?;
        return Ok(findings.verdict("in turn 4 s at least, at once less than 3"));
    }

    let memory = memory(scene)?;
    let at = |model: &str, count: usize| {
        let of = MODELS.iter().position(|[_, name]| *name == model)?;
        let of = memory[of][CONNECTIONS.iter().position(|connections| *connections == count)?];
        of.map(|memory| memory.shared)
    };
    // Counted, not timed: a busy machine changes none of it. A process has a heap and a stack of its own, a thread a
    // stack, a place in a list a few hundred bytes; the bounds leave room for what an allocator keeps.
    let (processes, threads) = (at("processes", 100), at("threads", 100));
    findings.holds(
        processes > threads,
        "100 processes to need more than 100 threads",
        (processes, threads),
    );
    let (threads, events) = (at("threads", 1000), at("events", 1000));
    findings.holds(threads >= events, "1000 threads to need more than one list", (threads, events));
    Ok(findings
        .verdict("in turn at least 4 s, at once less than 3; a process each needs the most memory"))
}

/// Starts a server of each model and all its clients; how long it took until the last client had its answer.
///
/// All at the same time: they only sleep, so they don't disturb each other.
fn serve_all(
    scene: &mut Scene,
    client: &CommandLine,
) -> Result<Vec<(&'static str, Duration)>, SetupError> {
    let mut all = Vec::new();
    for model in MODELS {
        let typed = CommandLine::new("threaded-server", &model);
        let server = scene.start(model[1], &typed, &["--listen", "127.0.0.1:0"])?;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let start = Instant::now();
            clients.push((start, scene.client("client", client, &server.address()?)?));
        }
        all.push((model[1], server, clients));
    }
    let mut took = Vec::new();
    for (model, server, clients) in all {
        let (mut first, mut last) = (None, None);
        for (start, client) in clients {
            first = first.or(Some(start));
            last = last.max(Some(start + client.end()?.took));
        }
        took.push((model, last.zip(first).map_or(Duration::ZERO, |(last, first)| last - first)));
        server.stop()?;
    }
    Ok(took)
}

const HOW_COUNTED: &str = "\
Resident memory in MiB, by the number of idle connections (VmRSS in /proc/PID/status; processes: the \
sum over all; shared: a page that n processes share counts as 1/n in each, Pss in smaps_rollup). What \
the kernel itself needs for a connection is not in it.
";
/// Above these a model is not tried, and why.
const CAPS: [(&str, usize, &str); 2] = [
    ("serial", 1, "it serves one, and the others wait in the kernel's queue"),
    ("processes", 256, "1000 are above the usual --max-connections, 256"),
];

/// The memory of each model with each number of connections; `None` where it was not tried.
fn memory(scene: &mut Scene) -> Result<Vec<[Option<Memory>; 3]>, SetupError> {
    // A descriptor for each end of each connection. Where only few are allowed, the last column stays empty.
    let limit = getrlimit(Resource::Nofile);
    let raised = limit.maximum.map_or(4096, |most| most.min(4096)).max(limit.current.unwrap_or(0));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum });
    let may_open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) as usize;
    let all = MODELS.iter().map(|model| {
        let cap = CAPS.iter().find(|(name, ..)| *name == model[1]).map_or(usize::MAX, |cap| cap.1);
        memory_of(model, cap.min(may_open.saturating_sub(64)))
    });
    let all: Result<Vec<_>, _> = all.collect();
    let _ = setrlimit(Resource::Nofile, limit);
    let all = all?;

    scene.text(HOW_COUNTED)?;
    let mut table = String::new();
    let [one, hundred, thousand] = CONNECTIONS;
    table += &format!("{:11}{one:>9}{hundred:>9}{thousand:>9}\n", "");
    for ([_, model], row) in MODELS.iter().zip(&all) {
        table += &line(model, row, |memory| memory.resident);
        if *model == "processes" {
            table += &line("  shared", row, |memory| memory.shared);
        }
    }
    scene.table(&table)?;
    let not_tried = CAPS.map(|(name, _, why)| format!("{name}: {why}")).join("; ");
    scene.text(&format!("Not tried: {not_tried}.\n"))?;
    if may_open < CONNECTIONS[2] + 64 {
        scene.text(&format!(
            "This process may open {may_open} files: 1000 connections were too many.\n"
        ))?;
    }
    Ok(all)
}

/// For one model, up to `cap` connections. This server records and logs nothing: that would need memory too.
fn memory_of(model: &[&str; 2], cap: usize) -> Result<[Option<Memory>; 3], SetupError> {
    let mut command = Command::new(stage::binary("threaded-server")?);
    command.args(model).args(["--listen", "127.0.0.1:0", "--max-connections", "1024"]);
    let server = Program::start(model[1], command.env("RUST_LOG", "off"))?;
    let address = server.address()?;
    let mut idle = Vec::new();
    let mut row = [None; 3];
    for (cell, count) in row.iter_mut().zip(CONNECTIONS).filter(|(_, count)| *count <= cap) {
        while idle.len() < count {
            let conn = TcpStream::connect(&address);
            idle.push(conn.map_err(SetupError::peer("connecting"))?);
            // It prints "from ..." for each one it has accepted. There are never more on their way than its queue holds.
            if idle.len() % 64 == 0 || idle.len() == count {
                server.wait_until("connections to be accepted", TIMEOUT, |lines| {
                    (lines.len() > idle.len()).then_some(())
                })?;
            }
        }
        *cell = Some(settled(server.pid()));
    }
    drop(idle);
    Ok(row)
}

/// A line of the table.
fn line(name: &str, row: &[Option<Memory>], which: fn(Memory) -> u64) -> String {
    let cell = |memory: &Option<Memory>| match memory {
        Some(memory) => format!("{:>9.1}", which(*memory) as f64 / 1024.0),
        None => format!("{:>9}", "—"),
    };
    let cells: String = row.iter().map(cell).collect();
    format!("{name:11}{cells}\n")
}

/// What a process and its children need, in KiB.
#[derive(Clone, Copy, Default)]
struct Memory {
    resident: u64,
    /// The same, but a page that several processes share is shared out among them.
    shared: u64,
}

/// Once it has stopped growing. What is shared changes whenever another program of the machine starts or ends.
fn settled(pid: u32) -> Memory {
    let mut before = Memory::default();
    for _ in 0..100 {
        let now = memory_now(pid);
        if now.resident == before.resident {
            return now;
        }
        before = now;
        thread::sleep(Duration::from_millis(20));
    }
    before
}

fn memory_now(pid: u32) -> Memory {
    let kib = |file: &str, field: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(field)).map(str::to_owned);
        value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    let own = Memory { resident: kib("status", "VmRSS:"), shared: kib("smaps_rollup", "Pss:") };
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.map(memory_now).fold(own, |sum, child| Memory {
        resident: sum.resident + child.resident,
        shared: sum.shared + child.shared,
    })
}
