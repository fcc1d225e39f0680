//! A server in a process of its own: started on its core, watched, and ended.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, thread};

use clap::ValueEnum;
use ending::Tied;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::peers::Peer;

/// How many connections the kernel keeps until they are accepted: the same for all.
const BACKLOG: i32 = 1024;

/// A running server. Dropping it kills it; it also ends with this process, however that ends.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    _tied: Tied,
}

/// Where a server runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// The server has a core to itself, and we have another.
    Apart,
    /// The scheduler decides: for a server that starts other programs.
    Any,
}

impl Server {
    /// One of the small servers: this program, started again.
    pub fn peer(peer: Peer, cores: Cores) -> io::Result<Server> {
        Server::with(own(peer)?, cores)
    }

    /// The small relay, which passes everything on to this address.
    pub fn relay(to: SocketAddr) -> io::Result<Server> {
        let mut command = own(Peer::PlainRelay)?;
        command.arg("--to").arg(to.to_string());
        Server::with(command, Cores::Any)
    }

    /// A server in Python.
    pub fn python(script: &str, arguments: &[&str], cores: Cores) -> io::Result<Server> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/peers").join(script);
        let mut command = Command::new("python3");
        command.arg(script).args(arguments);
        Server::with(command, cores)
    }

    /// A server that takes its listening socket from its standard input.
    fn with(mut command: Command, cores: Cores) -> io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        socket2::SockRef::from(&listener).listen(BACKLOG)?;
        let address = listener.local_addr()?;
        command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null());
        Server::spawn(command, cores, |_| Ok(address))
    }

    /// A program of the course, which says where it listens.
    pub fn program(programs: &Path, name: &str, arguments: &[&str]) -> io::Result<Server> {
        let mut command = Command::new(programs.join(name));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Server::spawn(command, Cores::Any, |process| {
            let mut said = BufReader::new(process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
            let mut line = String::new();
            said.read_line(&mut line)?;
            let address = line.trim().strip_prefix("listening on ").and_then(|it| it.parse().ok());
            // Keep reading its output, so that its pipe is never full.
            thread::spawn(move || io::copy(&mut said, &mut io::sink()));
            address.ok_or_else(|| io::Error::other(format!("no address: {line:?}")))
        })
        .map_err(|error| {
            io::Error::other(format!("{name}: {error}; did scripts/bench.sh build it?"))
        })
    }

    fn spawn(
        mut command: Command,
        cores: Cores,
        address: impl FnOnce(&mut Child) -> io::Result<SocketAddr>,
    ) -> io::Result<Server> {
        // A new process runs on the core where we are at that moment.
        run_on(cores, 0)?;
        let started = command.stderr(Stdio::null()).process_group(0).spawn();
        run_on(cores, 1)?;
        let mut process = started?;
        let tied = ending::tie_group(Pid::from_child(&process))?;
        let address = address(&mut process)?;
        Ok(Server { process, address, _tied: tied })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The processor time that it has used so far, with all its threads.
    ///
    /// For the process the kernel counts it in hundredths of a second, and for each thread that still exists exactly.
    pub fn cpu(&self) -> io::Result<Duration> {
        let process = format!("/proc/{}", self.pid());
        let stat = fs::read_to_string(format!("{process}/stat"))?;
        // proc(5): the name is in parentheses, and may have spaces; utime and stime are fields 14 and 15.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let hundredths =
            fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok());
        let whole = Duration::from_millis(10 * hundredths.sum::<u64>());
        let mut threads = Duration::ZERO;
        for thread in fs::read_dir(format!("{process}/task"))? {
            // It may just have ended.
            let times = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            let first = times.split_whitespace().next().and_then(|it| it.parse().ok());
            threads += Duration::from_nanos(first.unwrap_or_default());
        }
        Ok(whole.max(threads))
    }

    /// Its memory in KiB: what is resident, and the page tables.
    pub fn memory(&self) -> io::Result<[f64; 2]> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {name} in /proc/PID/status")))
        };
        Ok([field("VmRSS:")?, field("VmPTE:")?])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails only for one that has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether there is a Python to compare with.
pub fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.arg("-V").stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

fn own(peer: Peer) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    if let Some(name) = peer.to_possible_value() {
        command.arg("--serve").arg(name.get_name());
    }
    Ok(command)
}

/// The cores that this process may use, before it has chosen one.
static ALL_CORES: LazyLock<CpuSet> =
    LazyLock::new(|| sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new()));

/// How many cores there are.
pub fn cores() -> u32 {
    ALL_CORES.count()
}

/// Puts this thread, and what it starts, on the first or the second core, or on any.
fn run_on(cores: Cores, nth: usize) -> io::Result<()> {
    let all = *ALL_CORES;
    let one = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core)).nth(nth);
    let mut set = all;
    if let (Cores::Apart, Some(core), 2..) = (cores, one, all.count()) {
        set.clear();
        set.set(core);
    }
    Ok(sched_setaffinity(None, &set)?)
}
