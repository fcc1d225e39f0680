//! Submissions that misbehave: each gets its verdict in time, and nothing that it started is left behind.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};
use stage::{Finished, Program, Scratch, Signal};

/// How each script begins. `keep()` records a process that must not outlive the check.
const HEAD: &str = "\
import os, signal, socket, subprocess, sys, time
def keep(pid=None):
    with open('pids', 'a') as file: file.write(f'{pid or os.getpid()}\\n')
def listen():
    host, port = sys.argv[-1].rsplit(':', 1)
    return socket.create_server((host, int(port)))
def serve(listener):
    conn, _ = listener.accept()
    while data := conn.recv(4096): conn.sendall(data)
    conn.close()
keep()
";

/// Checks a script in one case of the lab echo. By then, every process that it recorded must be gone.
fn check(case: &str, script: &str) -> Option<(Finished, Scratch)> {
    check_in("echo", case, script)
}

fn check_in(name: &str, case: &str, script: &str) -> Option<(Finished, Scratch)> {
    let python = stage::python()?;
    let scratch = Scratch::new().unwrap();
    fs::write(scratch.path().join("bad.py"), format!("{HEAD}{script}")).unwrap();
    let command = [python.to_str().unwrap(), "bad.py"];
    let finished = lab(scratch.path(), name, case, &command).wait(Duration::from_secs(60)).unwrap();
    if cfg!(target_os = "linux") {
        assert_gone(scratch.path());
    }
    assert!(finished.stdout.len() < 20_000, "{} bytes", finished.stdout.len());
    Some((finished, scratch))
}

fn lab(folder: &Path, name: &str, case: &str, command: &[&str]) -> Program {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(["check", name, "--case", case, "--"]).args(command).current_dir(folder);
    Program::start("lab", &mut lab).unwrap()
}

fn pids(folder: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(folder.join("pids")).unwrap_or_default();
    // The last line may not be complete yet.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| Pid::from_raw(line.parse().unwrap()).unwrap()).collect()
}

fn assert_gone(folder: &Path) {
    let pids = pids(folder);
    assert!(!pids.is_empty(), "the script did not run");
    let left: Vec<&Pid> = pids.iter().filter(|pid| test_kill_process(**pid).is_ok()).collect();
    assert!(left.is_empty(), "{left:?} of {} are still there", pids.len());
}

fn fails(case: &str, script: &str, why: &str) -> Option<Scratch> {
    fails_in("echo", case, script, why)
}

fn fails_in(name: &str, case: &str, script: &str, why: &str) -> Option<Scratch> {
    let (finished, scratch) = check_in(name, case, script)?;
    let said = String::from_utf8(finished.stdout).unwrap();
    // Join the wrapped lines.
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words.join(" ").contains(why), "{said}");
    assert_eq!(finished.code, Some(1), "{said}");
    Some(scratch)
}

#[test]
fn one_that_floods_both_streams() {
    fails(
        "hello",
        "while True: print('x' * 1000); sys.stderr.write('y')",
        "did not listen on the address",
    );
}

#[test]
fn one_that_floods_before_it_serves_passes() {
    let flood = "listener = listen()\nos.write(1, b'x' * 20000000)\nserve(listener)";
    let Some((finished, _)) = check("hello", flood) else { return };
    assert_eq!(finished.code, Some(0));
}

#[test]
fn one_that_never_reads() {
    fails(
        "both-ways",
        "conn, _ = listen().accept()\ntime.sleep(1000)",
        "the program isn't reading",
    );
}

#[test]
fn one_that_sends_without_end() {
    let script = "conn, _ = listen().accept()\nwhile True: conn.sendall(bytes(1 << 20))";
    fails_in(
        "json-header",
        "deep",
        script,
        "the program doesn't stop sending: more than 64 MiB came",
    );
}

/// Each answer is a valid one, but it is always the same.
#[test]
fn one_that_answers_the_same_datagram_without_end() {
    let script = "\
host, port = sys.argv[-1].rsplit(':', 1)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((host, int(port)))
print('listening on it', flush=True)
request, peer = sock.recvfrom(100)
while True:
    sock.sendto(request, peer)
    time.sleep(0.001)
";
    fails_in("datagrams", "burst", script, "more answers to number 1 came than requests were sent");
}

#[test]
fn one_that_sleeps_claims_to_listen_and_ignores_sigterm() {
    let script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('listening on x', flush=True)\ntime.sleep(1000)";
    let started = Instant::now();
    if cfg!(target_os = "linux") {
        fails("hello", script, "the program says that it is listening, but it did not listen");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_leaves_daemons() {
    let script = "\
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        keep()
        time.sleep(1000)
    os._exit(0)
os.wait()
serve(listen())
";
    let Some((finished, scratch)) = check("hello", script) else { return };
    assert_eq!(finished.code, Some(0), "a right answer is a right answer");
    assert_eq!(pids(scratch.path()).len(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_starts_fifty_children_in_sessions_of_their_own() {
    let script = "\
listener = listen()
for _ in range(50):
    if os.fork() == 0:
        os.setsid()
        keep()
        time.sleep(1000)
        os._exit(0)
serve(listener)
";
    let Some((finished, _)) = check("hello", script) else { return };
    assert_eq!(finished.code, Some(0));
}

#[test]
fn one_that_closes_its_streams() {
    let script = "listener = listen()\nos.close(1); os.close(2)\nserve(listener)";
    let Some((finished, _)) = check("hello", script) else { return };
    // On systems other than Linux it has to say that it is listening.
    assert_eq!(finished.code, Some(if cfg!(target_os = "linux") { 0 } else { 1 }));
}

#[test]
fn one_that_kills_its_process_group() {
    fails("hello", "os.kill(0, 9)", "the program ended (signal 9) before it listened");
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_writes_a_report_of_its_own() {
    let scratch = Scratch::new().unwrap();
    let binary = scratch.path().join("lab");
    let mut lab = if rustix::process::geteuid().is_root() {
        // Root may look into every process, so run as another user, who must be able to reach the checker.
        fs::copy(env!("CARGO_BIN_EXE_lab"), &binary).unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(binary);
        setpriv
    } else {
        Command::new(env!("CARGO_BIN_EXE_lab"))
    };
    let script = "if ls /proc/$PPID/fd >/dev/null; then exit 8; else exit 7; fi";
    lab.args(["check", "echo", "--case", "hello", "--format", "json", "--", "sh", "-c", script]);
    let lab = Program::start("lab", lab.current_dir(scratch.path())).unwrap();
    let said = String::from_utf8(lab.wait(Duration::from_secs(60)).unwrap().stdout).unwrap();
    assert!(said.contains("ended (exit code 7) before it listened"), "{said}");
}

#[test]
fn one_that_paints_on_the_terminal() {
    let script = "print('\\x1b[2J\\x1b[H All points!\\r', flush=True)\nsys.exit(3)";
    let Some((finished, _)) = check("hello", script) else { return };
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.contains("\\u{1b}[2J\\u{1b}[H All points!\\r"), "{said}");
    assert!(!said.contains(['\u{1b}', '\r']), "{said}");
}

#[test]
fn one_that_paints_with_its_answer() {
    let script = "\
conn, _ = listen().accept()
header = ('{\"data_len\": \"\\u009b2J\\u202e' + 'x' * 60000 + '\"}').encode()
conn.sendall(len(header).to_bytes(4, 'little') + header)
while conn.recv(4096): pass
";
    let Some((finished, _)) = check_in("json-header", "one-request", script) else { return };
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.contains("\"\\u{9b}2J\\u{202e}xxx"), "{said}");
    assert!(!said.contains(['\u{9b}', '\u{202e}']), "{said}");
}

#[test]
fn one_that_writes_a_huge_file() {
    let script = "\
with open('huge', 'wb') as file:
    for _ in range(1000): file.write(bytes(1 << 20))
";
    let Some(scratch) = fails("hello", script, "before it listened") else { return };
    assert_eq!(fs::metadata(scratch.path().join("huge")).unwrap().len(), 64 << 20);
}

#[test]
fn one_that_ends_at_once() {
    fails("hello", "", "the program ended (exit code 0) before it listened");
}

#[test]
fn one_that_cannot_be_started() {
    let scratch = Scratch::new().unwrap();
    let plain = scratch.path().join("plain.py");
    fs::write(&plain, "").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    for (command, why) in [
        ("./plain.py", "lab: ./plain.py isn't executable. Write: python3 ./plain.py"),
        (
            "plain.py",
            "lab: no program is called plain.py, but a file is. Did you mean: python3 plain.py",
        ),
        ("./none", "lab: there is no program ./none. Is it built?"),
    ] {
        let finished =
            lab(scratch.path(), "echo", "hello", &[command]).wait(Duration::from_secs(30)).unwrap();
        let said = String::from_utf8(finished.stderr).unwrap();
        assert!(said.starts_with(why), "{said}");
        assert_eq!((finished.code, finished.stdout.len()), (Some(3), 0));
    }
}

#[test]
fn ctrl_c_ends_the_program_and_then_the_check() {
    let Some(python) = stage::python() else { return };
    let scratch = Scratch::new().unwrap();
    let script = "\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(1000)
";
    fs::write(scratch.path().join("bad.py"), format!("{HEAD}{script}")).unwrap();
    let lab = lab(scratch.path(), "echo", "hello", &[python.to_str().unwrap(), "bad.py"]);
    let started = Instant::now();
    while pids(scratch.path()).is_empty() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    lab.signal(Signal::INT);
    let finished = lab.wait(Duration::from_secs(30)).unwrap();
    assert_eq!(finished.code, Some(130));
    assert_gone(scratch.path());
    assert_eq!(finished.stdout, b"", "nothing is said of a case that we broke ourselves");
}
