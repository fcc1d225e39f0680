//! What clients can do to the server, in each model: it goes on, and nothing is left behind.
//!
//! | fault | test |
//! |---|---|
//! | a client that is slow does not delay another | `nobody_waits_for_another` |
//! | one connection above the cap | `one_too_many_is_told_so` |
//! | descriptors run out | `without_descriptors_it_waits_and_then_goes_on` |
//! | a client that resets mid-command; one that breaks the protocol | `a_client_that_is_gone_takes_its_command_along`, `a_framing_error_ends_one_connection` |
//! | a web page, TLS, line breaks, NUL, too long a request | `what_is_no_command_never_runs` |
//! | closing while input is unread | `the_answer_arrives_though_input_is_unread` |
//! | SIGTERM while busy; twice | `told_to_stop_it_finishes_what_runs`, `what_does_not_finish_is_killed`, `told_twice_it_ends_at_once` |
//! | restart on the same port at once; two servers on one port | `restarted_at_once_and_one_server_a_port` |
//! | many connect-and-close, many commands | `nothing_is_left_behind` |
//! | more commands at once than may run | `eight_commands_at_once` |
//! | a handler that panics; a client that never reads, or never finishes its frame | `handler.rs` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use proto::Decoder;
use proto::json::JsonFraming;
use socket2::SockRef;
use stage::{Program, Scratch, Signal, Stream};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_threaded-server");
const MODELS: [&str; 5] = ["serial", "threads", "pool", "processes", "events"];
/// Those that serve several at once.
const CONCURRENT: [&str; 4] = ["threads", "pool", "processes", "events"];

#[test]
fn nobody_waits_for_another() {
    for model in CONCURRENT {
        let server = server(model, &[]);
        let address = server.address().unwrap();
        let held = Held::new();
        let mut slow = connect(&address);
        slow.write_all(&framed(&held.command)).unwrap();
        held.wait_until("begun");
        let mut inside_a_frame = connect(&address);
        inside_a_frame.write_all(b"\x07\0\0\0ech").unwrap();
        let _silent = connect(&address);

        assert_eq!(echo(&address), "hi\n", "{model}");
        inside_a_frame.write_all(b"o hi").unwrap();
        assert_eq!(answer(&mut inside_a_frame), "hi\n", "{model}");
        held.release();
        assert_eq!(answer(&mut slow), "released\n", "{model}");
    }
}

#[test]
fn one_too_many_is_told_so() {
    for model in CONCURRENT {
        let server = server(model, &["--max-connections", "2"]);
        let address = server.address().unwrap();
        let mut inside = [connect(&address), connect(&address)];
        for conn in &mut inside {
            assert_eq!(ask(conn, "echo hi"), "hi\n", "{model}");
        }
        let mut third = connect(&address);
        // Asked or not: the refusal can be read, and then the end.
        third.write_all(&framed("echo never")).unwrap();
        let said = answer(&mut third);
        assert!(said.starts_with("refused: this server already serves 2"), "{model}: {said}");
        assert_eq!(rest(third), b"", "{model}");

        let [one, mut other] = inside;
        drop(one);
        // The seat is free a moment after its client has left.
        let until = Instant::now() + LONG;
        while echo(&address).starts_with("refused: ") {
            assert!(Instant::now() < until, "{model}: the seat is never free");
        }
        assert_eq!(ask(&mut other, "echo hi"), "hi\n", "{model}");
    }
}

#[test]
fn without_descriptors_it_waits_and_then_goes_on() {
    thread::scope(|scope| {
        for model in CONCURRENT {
            scope.spawn(move || exhausted(model));
        }
    });
}

/// 40 clients where there are 32 descriptors: the server neither spins nor floods its log, and serves again once they
/// have left.
fn exhausted(model: &str) {
    let mut limited = Command::new("/bin/sh");
    let script = "ulimit -n 32; exec \"$0\" --listen 127.0.0.1:0 --model \"$1\"";
    let server = Program::start("server", limited.args(["-c", script, SERVER, model])).unwrap();
    let address = server.address().unwrap();
    let crowd: Vec<TcpStream> = (0..40).map(|_| connect(&address)).collect();
    // In the processes model the parent keeps no descriptor of a connection: nothing runs out there.
    if model != "processes" {
        let failed =
            |line: &stage::Line| String::from_utf8_lossy(&line.text).contains("accept failed");
        let failing = |lines: &[stage::Line]| lines.iter().any(failed).then_some(());
        server.wait_until("log: accept failed", LONG, failing).unwrap();
        #[cfg(target_os = "linux")]
        {
            // Not to wait for something: this is the time in which its processor time is measured.
            let before = processor_time(server.pid());
            thread::sleep(Duration::from_secs(2));
            let used = processor_time(server.pid()) - before;
            assert!(used <= Duration::from_millis(100), "{model}: {used:?} in 2 s");
            let lines = server.said().iter().filter(|line| failed(line)).count();
            assert!(lines <= 6, "{model}: {lines} lines");
        }
    }
    drop(crowd);
    let left = Instant::now();
    // Until the last of them is gone, a command may find no descriptor for its pipes, and says so.
    while echo(&address) != "hi\n" {
        assert!(left.elapsed() < Duration::from_secs(5), "{model}");
    }
    // The longest pause is 1 s.
    assert!(left.elapsed() < Duration::from_secs(5), "{model}: {:?}", left.elapsed());
}

#[test]
fn a_client_that_is_gone_takes_its_command_along() {
    for model in MODELS {
        let server = server(model, &[]);
        let address = server.address().unwrap();
        let held = Held::new();
        let mut conn = connect(&address);
        conn.write_all(&framed(&held.command)).unwrap();
        held.wait_until("begun");
        SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
        drop(conn);
        held.wait_until("gone");
        assert_eq!(echo(&address), "hi\n", "{model}");
    }
}

#[test]
fn a_framing_error_ends_one_connection() {
    for model in MODELS {
        let server = server(model, &[]);
        let address = server.address().unwrap();
        for (sent, says) in [
            (&b"\xff\xff\xff\xff"[..], "got -1"),
            (b"\xff\xff\xff\x7f", "from 0 to 16777216, got 2147483647"),
            (b"\x07\0", "inside the length prefix: 2 of 4 bytes came"),
            (b"\x07\0\0\0ech", "inside the body: 3 of 7 bytes came"),
        ] {
            let mut conn = connect(&address);
            let us = conn.local_addr().unwrap();
            conn.write_all(sent).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(conn), b"", "{model}");
            let line = format!("threaded-server: {us}: serving: ");
            let said = server.wait_for_line(Stream::Stderr, &line, LONG).unwrap();
            assert!(said.contains(says), "{model}: {said}");
        }
        assert_eq!(echo(&address), "hi\n", "{model}");
    }
}

#[test]
fn what_is_no_command_never_runs() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}", proof.display());
    for model in MODELS {
        let server = server(model, &["--requests", "raw"]);
        let address = server.address().unwrap();
        for (request, says) in [
            (format!("GET /;{touch}; HTTP/1.1\r\nHost: {address}\r\n\r\n"), "HTTP"),
            (format!("\x16\x03\x01\0;{touch}"), "TLS"),
            (format!("{touch}\n{touch}"), "CR or LF"),
            (format!("{touch};\0"), "NUL"),
            (format!("{touch} # {}", "x".repeat(1024)), "at most 1024 bytes"),
        ] {
            let mut conn = connect(&address);
            conn.write_all(request.as_bytes()).unwrap();
            let answer = answer(&mut conn);
            assert!(answer.contains(says), "{model} {request:?}: {answer}");
            let _ = conn.write_all(touch.as_bytes());
            assert_eq!(rest(conn), b"", "{model} {request:?}");
        }
        let mut conn = connect(&address);
        conn.write_all(b"echo hi").unwrap();
        assert_eq!(answer(&mut conn), "hi\n", "{model}");
    }
    assert!(!proof.exists());
}

#[test]
fn the_answer_arrives_though_input_is_unread() {
    for model in MODELS {
        let server = server(model, &[]);
        let mut conn = connect(&server.address().unwrap());
        // A command, a frame that is none, and more than the server will ever take for a request.
        let mut sent = framed("head -c 300000 /dev/zero");
        sent.extend([0xff; 300_000]);
        conn.write_all(&sent).unwrap();
        assert_eq!(answer(&mut conn).len(), 300_000, "{model}");
        assert_eq!(rest(conn), b"", "{model}");
    }
}

#[test]
fn told_to_stop_it_finishes_what_runs() {
    for model in MODELS {
        let server = server(model, &["-v"]);
        let held = Held::new();
        let mut conn = connect(&server.address().unwrap());
        conn.write_all(&framed(&held.command)).unwrap();
        held.wait_until("begun");
        server.signal(Signal::TERM);
        wait_for_stopping(&server);
        held.release();
        assert_eq!(answer(&mut conn), "released\n", "{model}");
        assert_eq!(rest(conn), b"", "{model}");
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{model}");
    }
}

#[test]
fn what_does_not_finish_is_killed() {
    thread::scope(|scope| {
        for model in MODELS {
            scope.spawn(move || {
                let (server, held, _conn) = busy_server(model);
                let told = Instant::now();
                server.signal(Signal::TERM);
                assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{model}");
                let took = told.elapsed();
                assert!((3..6).contains(&took.as_secs()), "{model}: the grace is 3 s: {took:?}");
                held.wait_until("gone");
            });
        }
    });
}

#[test]
fn told_twice_it_ends_at_once() {
    for model in MODELS {
        let (server, held, _conn) = busy_server(model);
        let told = Instant::now();
        server.signal(Signal::TERM);
        wait_for_stopping(&server);
        server.signal(Signal::TERM);
        assert_eq!(server.wait(LONG).unwrap().code, Some(130), "{model}");
        assert!(told.elapsed() < Duration::from_secs(3), "{model}: {:?}", told.elapsed());
        held.wait_until("gone");
    }
}

#[test]
fn restarted_at_once_and_one_server_a_port() {
    for model in MODELS {
        let first = server(model, &[]);
        let address = first.address().unwrap();
        assert_eq!(echo(&address), "hi\n", "{model}");
        let second = start(&["--model", model, "--listen", &address]).wait(LONG).unwrap();
        assert_eq!(second.code, Some(3), "{model}");
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(said.contains(&format!("cannot listen on {address}")), "{model}: {said}");

        first.signal(Signal::TERM);
        assert_eq!(first.wait(LONG).unwrap().code, Some(0), "{model}");
        let again = start(&["--model", model, "--listen", &address]);
        assert_eq!(again.address().unwrap(), address, "{model}");
        assert_eq!(echo(&address), "hi\n", "{model}");
    }
}

/// 2,000 connections that come and go, 200 commands (10,000 and 1,000 over the five models): then the server holds no more than at its start.
#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_behind() {
    for model in MODELS {
        let server = server(model, &[]);
        let address = server.address().unwrap();
        assert_eq!(echo(&address), "hi\n", "{model}");
        let at_first = settled(server.pid(), None);
        for _ in 0..2000 {
            drop(connect(&address));
        }
        let mut conn = connect(&address);
        for number in 0..200 {
            assert_eq!(ask(&mut conn, &format!("echo {number}")), format!("{number}\n"), "{model}");
        }
        drop(conn);
        assert_eq!(settled(server.pid(), Some(at_first)), at_first, "{model}");
    }
}

#[test]
fn eight_commands_at_once() {
    for model in CONCURRENT {
        let server = server(model, &[]);
        let address = server.address().unwrap();
        let held: Vec<Held> = (0..8).map(|_| Held::new()).collect();
        let mut busy: Vec<TcpStream> = held.iter().map(|_| connect(&address)).collect();
        for (held, conn) in held.iter().zip(&mut busy) {
            conn.write_all(&framed(&held.command)).unwrap();
            held.wait_until("begun");
        }
        let ninth = Held::new();
        let mut conn = connect(&address);
        conn.write_all(&framed(&ninth.command)).unwrap();
        // Nothing can show that it never begins; that it has not begun when another is served could.
        assert!(
            ninth.heard.recv_timeout(Duration::from_millis(300)).is_err(),
            "{model}: nine at once"
        );
        held[0].release();
        ninth.wait_until("begun");
        ninth.release();
        assert_eq!(answer(&mut conn), "released\n", "{model}");
    }
}

fn server(model: &str, args: &[&str]) -> Program {
    start(&[&["--listen", "127.0.0.1:0", "--model", model], args].concat())
}

fn start(args: &[&str]) -> Program {
    Program::start("server", Command::new(SERVER).args(args)).unwrap()
}

/// A server that runs a command without an end.
fn busy_server(model: &str) -> (Program, Held, TcpStream) {
    let server = server(model, &["-v"]);
    let held = Held::new();
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(&framed(&held.command)).unwrap();
    held.wait_until("begun");
    (server, held, conn)
}

fn wait_for_stopping(server: &Program) {
    let stopping = |line: &stage::Line| String::from_utf8_lossy(&line.text).contains("stopping;");
    let told = |lines: &[stage::Line]| lines.iter().any(stopping).then_some(());
    server.wait_until("log: stopping", LONG, told).unwrap();
}

/// A command that runs until it is released or killed. One FIFO tells when it runs and when no process of it is left;
/// another releases it.
struct Held {
    command: String,
    go: String,
    heard: Receiver<&'static str>,
    _scratch: Scratch,
}

impl Held {
    fn new() -> Held {
        let scratch = Scratch::new().unwrap();
        let [tell, go] = ["tell", "go"].map(|name| {
            let path = scratch.path().join(name).display().to_string();
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        });
        let command = format!("exec 3>{tell}; echo begun >&3; read line <{go}; echo released");
        let (sender, heard) = channel();
        thread::spawn(move || {
            let mut tell = File::open(tell).unwrap();
            tell.read_exact(&mut [0; b"begun\n".len()]).unwrap();
            // The test may be over before the command is.
            let _ = sender.send("begun");
            let _ = tell.read_to_end(&mut Vec::new());
            let _ = sender.send("gone");
        });
        Held { command, go, heard, _scratch: scratch }
    }

    fn wait_until(&self, what: &str) {
        assert_eq!(self.heard.recv_timeout(LONG).unwrap(), what);
    }

    fn release(&self) {
        fs::write(&self.go, "\n").unwrap();
    }
}

/// How many descriptors, threads and children a process has: as soon as it is `expected`, or, if nothing is, when it has
/// stopped changing.
#[cfg(target_os = "linux")]
fn settled(pid: u32, expected: Option<(usize, usize, usize)>) -> (usize, usize, usize) {
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let children = || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
        tasks.map(|task| of(task.unwrap()).unwrap_or_default().split_whitespace().count()).sum()
    };
    let mut last = (0, 0, 0);
    let mut same_since = Instant::now();
    let until = Instant::now() + LONG;
    loop {
        let now = (count("fd"), count("task"), children());
        if now != last {
            (last, same_since) = (now, Instant::now());
        }
        let stable = same_since.elapsed() > Duration::from_millis(500);
        let enough = expected.map_or(stable, |expected| now == expected);
        if enough || Instant::now() > until {
            return now;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name, which may hold spaces: utime and stime are the 12th and 13th, in ticks of 10 ms (proc(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn framed(text: &str) -> Vec<u8> {
    let length = i32::try_from(text.len()).unwrap();
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

fn ask(conn: &mut TcpStream, command: &str) -> String {
    conn.write_all(&framed(command)).unwrap();
    answer(conn)
}

fn answer(conn: &mut TcpStream) -> String {
    let mut decoder = Decoder::new(JsonFraming::default());
    loop {
        if let Some(frame) = decoder.decode().unwrap() {
            return String::from_utf8(frame.body.to_vec()).unwrap();
        }
        // A child of this test may end at any time, and SIGCHLD interrupts a read.
        let n = match conn.read(decoder.space()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.unwrap(),
        };
        assert_ne!(n, 0, "the stream ended before the answer");
        decoder.filled(n);
    }
}

/// What comes until the end of the stream, which a reset would not be.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    // It may have ended already.
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    came
}

/// Another client is served.
fn echo(address: &str) -> String {
    ask(&mut connect(address), "echo hi")
}
