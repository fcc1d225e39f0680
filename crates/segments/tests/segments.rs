//! The program itself, on real connections. Skipped, with a message, where it can't have a network namespace.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
#[path = "../../relay/tests/terminal/mod.rs"]
mod terminal;

use stage::{Finished, Program, Scratch, Signal, Stream, binary, skip, tshark};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terminal::Window;

const TIME: Duration = Duration::from_secs(60);

/// The client says hello and hi with TCP_NODELAY; the server reads all, answers, and both close.
const TALK: &str = "\
import socket, sys
family, host = (socket.AF_INET6, '::1') if sys.argv[1] == '6' else (socket.AF_INET, '127.0.0.1')
listener = socket.socket(family); listener.bind((host, 0)); listener.listen()
client = socket.socket(family); client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.connect(listener.getsockname()); server, _ = listener.accept()
client.send(b'hello'); client.send(b'hi'); client.shutdown(socket.SHUT_WR)
while server.recv(100): pass
server.send(b'answer'); server.close()
while client.recv(100): pass
";

/// A client sends hi and closes; then the command ends, but leaves its server running. That reads everything, and closes
/// when the test lets it.
const LEFT_BEHIND: &str = r#"
import os, socket, sys
listener = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
if os.fork():
    print('command', os.getpid(), flush=True)
    server.close(); client.sendall(b'hi'); client.close(); os._exit(0)
client.close()
while server.recv(100): pass
with open(sys.argv[1]) as may_close: may_close.readline()
"#;

/// When the test lets it, moves more bytes than our queue in the kernel holds, and closes both sides.
const FLOOD: &str = r#"
import os, socket, sys
family, host = (socket.AF_INET6, '::1') if sys.argv[2] == '6' else (socket.AF_INET, '127.0.0.1')
listener = socket.create_server((host, 0), family=family)
client = socket.create_connection(listener.getsockname()[:2]); server, _ = listener.accept()
print('ready', flush=True)
with open(sys.argv[1]) as may_start: may_start.readline()
if os.fork():
    server.close()
    for _ in range(3200): client.sendall(bytes(1 << 16))
    client.close(); os.wait()
    print('done', flush=True)
else:
    client.close()
    while server.recv(1 << 20): pass
"#;

fn run(arguments: &[&str]) -> Finished {
    let mut command = Command::new(binary("segments").unwrap());
    Program::start("segments", command.args(arguments)).unwrap().wait(TIME).unwrap()
}

/// Whether segments can be seen here; if not, the test says why.
fn possible() -> bool {
    let said = String::from_utf8(run(&["true"]).stderr).unwrap();
    if !said.is_empty() {
        skip("UNSTUCK_REQUIRE_NETNS", said.trim_end());
    }
    said.is_empty()
}

fn text(finished: &Finished) -> String {
    assert_eq!(String::from_utf8_lossy(&finished.stderr), "");
    String::from_utf8(finished.stdout.clone()).unwrap()
}

fn trace(path: &Path) -> Vec<Event> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_command_is_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let mut command = Command::new(binary("segments").unwrap());
    command.args(["sh", "-c", "printf %s \"$1\"", "sh"]).arg(OsStr::from_bytes(b"\xff"));
    let finished = Program::start("segments", &mut command).unwrap().wait(TIME).unwrap();
    assert_eq!(finished.code, Some(0), "{}", String::from_utf8_lossy(&finished.stderr));
    assert!(finished.stdout.starts_with(b"\xff"));
}

#[test]
fn each_segment_is_seen_once_in_its_place() {
    let (true, Some(python)) = (possible(), stage::python()) else { return };
    let python = python.to_str().unwrap();
    let scratch = Scratch::new().unwrap();
    for family in ["4", "6"] {
        let file = scratch.path().join(family);
        let every = scratch.path().join(format!("every{family}"));
        let [into, every_into] = [&file, &every].map(|path| path.to_str().unwrap());
        let traced = ["--trace", into, "--every", every_into, "--", python, "-c", TALK, family];
        let finished = run(&traced);
        let listing = text(&finished);
        assert_eq!(finished.code, Some(0), "{listing}");
        let count = |wanted: &str| listing.lines().filter(|line| line.ends_with(wanted)).count();
        for wanted in [
            "  SYN",
            "  SYN ACK",
            "bytes 0..5  \"hello\"",
            "bytes 5..7  \"hi\"",
            "bytes 0..6  \"answer\"",
        ] {
            assert_eq!(count(wanted), 1, "{wanted}: {listing}");
        }
        assert_eq!(listing.matches("FIN").count(), 2, "{listing}");
        assert!(!listing.contains("not seen") && !listing.contains("again"), "{listing}");

        let events = trace(&file);
        let moved = |dir: &str| -> Vec<(u64, Vec<u8>)> {
            let wanted = events.iter().filter(|event| event.dir.as_deref() == Some(dir));
            wanted.map(|event| (event.offset.unwrap(), event.data.clone().unwrap())).collect()
        };
        assert_eq!(moved("out"), [(0, b"hello".to_vec()), (5, b"hi".to_vec())]);
        assert_eq!(moved("in"), [(0, b"answer".to_vec())]);
        assert!(events.iter().all(|event| event.call == "segment" && event.conn == 1));
        assert_eq!(events[0].local, events[2].peer);

        // The same, plus those without bytes, with the time of day.
        let every = trace(&every);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
        let lately = now - 600_000_000..=now;
        assert!(every.iter().all(|event| lately.contains(&event.t_us)), "{every:?}");
        assert!(every.is_sorted_by_key(|event| event.t_us));
        let carry = every.iter().filter(|event| event.got.is_some());
        assert!(carry.map(|event| &event.data).eq(events.iter().map(|event| &event.data)));
        let flags: Vec<&str> = every.iter().filter_map(|event| event.text.as_deref()).collect();
        assert_eq!(flags[..3], ["SYN", "SYN ACK", "ACK"]);
        assert_eq!(flags.iter().filter(|flags| **flags == "FIN ACK").count(), 2, "{flags:?}");
        assert_eq!(flags.len(), every.len());
    }
}

#[test]
fn the_command_may_end_before_its_connections_do() {
    let (true, Some(python)) = (possible(), stage::python()) else { return };
    let scratch = Scratch::new().unwrap();
    let gate = gate(&scratch);
    for closes in [true, false] {
        let mut command = Command::new(binary("segments").unwrap());
        let mut may_close = File::options().read(true).write(true).open(&gate).unwrap();
        command.arg(&python).args(["-c", LEFT_BEHIND]).arg(&gate);
        let segments = Program::start("segments", &mut command).unwrap();
        let line = segments.wait_for_line(Stream::Stdout, "command ", TIME).unwrap();
        let reaped = Path::new("/proc").join(&line["command ".len()..]);
        let since = Instant::now();
        while reaped.exists() {
            assert!(since.elapsed() < TIME, "the command does not end");
            std::thread::yield_now();
        }
        if closes {
            writeln!(may_close).unwrap();
        }
        let listing = text(&segments.wait(TIME).unwrap());
        let fins = listing.lines().filter(|line| line.contains("ms") && line.contains("FIN"));
        assert_eq!(fins.count(), if closes { 2 } else { 1 }, "{listing}");
        let open = listing.ends_with("not seen: a FIN to the client of connection 1\n");
        assert_eq!(open, !closes, "{listing}");
        assert_eq!(listing.ends_with("acks 1\n"), closes, "{listing}");
    }
}

/// A pipe with a name, at which a program waits until a line comes.
fn gate(scratch: &Scratch) -> PathBuf {
    let gate = scratch.path().join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    gate
}

/// The program is stopped while the bytes travel: its queue in the kernel is full when the FINs come.
#[test]
fn a_fin_is_seen_however_many_bytes_came_before_it() {
    let (true, Some(python)) = (possible(), stage::python()) else { return };
    let scratch = Scratch::new().unwrap();
    let gate = gate(&scratch);
    for family in ["4", "6"] {
        let mut may_start = File::options().read(true).write(true).open(&gate).unwrap();
        let mut command = Command::new(binary("segments").unwrap());
        let segments = Program::start(
            "segments",
            command.arg(&python).args(["-c", FLOOD]).arg(&gate).arg(family),
        )
        .unwrap();
        segments.wait_for_line(Stream::Stdout, "ready", TIME).unwrap();
        segments.signal(Signal::STOP);
        let status = format!("/proc/{}/status", segments.pid());
        while !fs::read_to_string(&status).unwrap().contains("State:\tT") {
            std::thread::yield_now();
        }
        writeln!(may_start).unwrap();
        segments.wait_for_line(Stream::Stdout, "done", TIME).unwrap();
        segments.signal(Signal::CONT);
        let listing = text(&segments.wait(TIME).unwrap());
        let end: Vec<&str> = listing.lines().rev().take(8).collect();
        for flag in ["  SYN", "  FIN"] {
            assert_eq!(listing.matches(flag).count(), 2, "{flag}: {end:?}");
        }
        assert!(end[0].starts_with("not seen: bytes "), "the queue was not full: {end:?}");
    }
}

#[test]
fn wireshark_reads_the_file_and_finds_no_fault_in_it() {
    let (true, Some(python), Some(tshark)) = (possible(), stage::python(), tshark()) else {
        return;
    };
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("run.pcapng");
    let file = file.to_str().unwrap();
    text(&run(&["--write", file, "--", python.to_str().unwrap(), "-c", TALK, "4"]));
    let mut command = Command::new(tshark);
    command.args(["-r", file, "-T", "fields", "-E", "separator=|"]);
    command.args([
        "-e",
        "tcp.flags.str",
        "-e",
        "tcp.len",
        "-e",
        "tcp.payload",
        "-e",
        "_ws.expert.message",
    ]);
    let finished = Program::start("tshark", &mut command).unwrap().wait(TIME).unwrap();
    let read = String::from_utf8(finished.stdout).unwrap();
    assert_eq!(finished.code, Some(0), "{read}");
    for payload in ["|5|68656c6c6f|", "|2|6869|", "|6|616e73776572|"] {
        assert_eq!(read.lines().filter(|line| line.contains(payload)).count(), 1, "{read}");
    }
    // About a complete connection: that it begins, and that it ends.
    let fault =
        ["retransmission", "out-of-order", "duplicate", "not captured", "alformed", "hecksum"];
    assert!(!fault.iter().any(|word| read.to_lowercase().contains(word)), "{read}");
}

#[test]
fn the_command_finds_a_network_of_its_own_and_its_code_is_ours() {
    if !possible() {
        return;
    }
    let finished = run(&["sh", "-c", "readlink /proc/self/ns/net; exit 7"]);
    assert_eq!(finished.code, Some(7));
    let outside = fs::read_link("/proc/self/ns/net").unwrap();
    assert_ne!(text(&finished).trim_end(), outside.to_str().unwrap());
    assert_eq!(run(&["sh", "-c", "kill -9 $$"]).code, Some(137));
    let missing = run(&["no-such-program"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        String::from_utf8(missing.stderr)
            .unwrap()
            .starts_with("segments: cannot run no-such-program")
    );
    assert_eq!(run(&[]).code, Some(2));
}

/// A command that says which signal it got, and a second process of its own that would outlive it.
const TOLD: &str = r#"
sleep 1000 &
for signal in INT TERM HUP QUIT; do trap "echo $signal; exit 9" $signal; done
echo ready $!
while :; do wait; done
"#;

/// Bash, because other shells can't trap a signal that was ignored when they started, and a background job ignores INT.
fn told(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("segments").unwrap());
    command.args(arguments).args(["--", "bash", "-c", TOLD]);
    command
}

fn is_running(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.contains("Name:\tsleep\n") && !status.contains("State:\tZ")
}

fn wait_for_the_end_of(pid: &str) {
    let since = Instant::now();
    while is_running(pid) {
        assert!(since.elapsed() < TIME, "{pid} is still there");
        std::thread::yield_now();
    }
}

#[test]
fn what_tells_it_to_end_is_passed_on_and_nothing_is_left() {
    for (signal, name) in
        [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::QUIT, "QUIT")]
    {
        let segments = Program::start("segments", &mut told(&[])).unwrap();
        let line = segments.wait_for_line(Stream::Stdout, "ready ", TIME).unwrap();
        segments.signal(signal);
        let finished = segments.wait(TIME).unwrap();
        assert_eq!(finished.code, Some(9), "{}", text(&finished));
        assert!(text(&finished).contains(&format!("\n{name}\n")), "{}", text(&finished));
        assert!(!finished.left_behind);
        wait_for_the_end_of(&line["ready ".len()..]);
    }
}

#[test]
fn what_a_killed_one_ran_ends_too() {
    let segments = Program::start("segments", &mut told(&[])).unwrap();
    let line = segments.wait_for_line(Stream::Stdout, "ready ", TIME).unwrap();
    segments.signal(Signal::KILL);
    wait_for_the_end_of(&line["ready ".len()..]);
}

#[test]
fn in_a_terminal_each_key_reaches_the_command_once() {
    let segments = binary("segments").unwrap();
    for (key, name) in [(b"\x03", "INT"), (b"\x1c", "QUIT")] {
        let mut window = Window::start(segments.to_str().unwrap(), &["--", "bash", "-c", TOLD]);
        let pid = window.wait_for("ready ");
        window.press(key);
        let (status, said) = window.end();
        assert_eq!(status.code(), Some(9), "{said}");
        assert_eq!(said.matches(name).count(), 1, "{said}");
        // A shell's background job ignores both keys, and segments leaves it alone: the test has to end it.
        let _ = Command::new("kill").args(["-KILL", &pid]).status();
    }
    // Sent with kill, INT reaches segments alone; sent by the terminal, it reaches everybody. segments can't tell the two
    // apart, so it never passes on INT.
    let mut window = Window::start(segments.to_str().unwrap(), &["--", "bash", "-c", TOLD]);
    let pid = window.wait_for("ready ");
    let this = window.pid().to_string();
    for signal in ["-INT", "-TERM"] {
        assert!(Command::new("kill").args([signal, &this]).status().unwrap().success());
    }
    let (_, said) = window.end();
    assert!(said.contains("TERM") && !said.contains("INT"), "{said}");
    let _ = Command::new("kill").args(["-KILL", &pid]).status();

    let mut window = Window::start(segments.to_str().unwrap(), &["--", "bash", "-c", TOLD]);
    let pid = window.wait_for("ready ");
    window.close();
    wait_for_the_end_of(&pid);

    let mut window = Window::start(segments.to_str().unwrap(), &["--", "bash", "-c", TOLD]);
    let pid = window.wait_for("ready ");
    let this = window.pid().to_string();
    assert!(Command::new("kill").args(["-KILL", &this]).status().unwrap().success());
    wait_for_the_end_of(&pid);
}

#[test]
fn what_was_recorded_is_for_this_user_alone() {
    if !possible() {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000 && exec \"$0\" --write run.pcapng --trace run.trace true"]);
    command.arg(binary("segments").unwrap()).current_dir(scratch.path());
    let finished = Program::start("segments", &mut command).unwrap().wait(TIME).unwrap();
    assert_eq!(finished.code, Some(0), "{}", String::from_utf8_lossy(&finished.stderr));
    for file in ["run.pcapng", "run.trace"] {
        let mode = fs::metadata(scratch.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn where_it_is_not_possible_the_command_runs_all_the_same() {
    // A PATH without unshare is like a system without it.
    let scratch = Scratch::new().unwrap();
    let mut command = Command::new(binary("segments").unwrap());
    command.args(["/bin/sh", "-c", "echo ran; exit 3"]).env("PATH", scratch.path());
    let finished = Program::start("segments", &mut command).unwrap().wait(TIME).unwrap();
    assert_eq!(finished.code, Some(3));
    assert_eq!(finished.stdout, b"ran\n");
    assert_eq!(
        String::from_utf8(finished.stderr).unwrap(),
        "segments not seen: there is no program unshare: install the package util-linux\n"
    );
}

#[test]
fn nothing_is_recorded_outside() {
    let why = segments::Capture::start().expect_err("this test does not run inside");
    assert!(matches!(why, segments::CaptureError::Outside), "{why}");
}
