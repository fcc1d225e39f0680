//! Real programs at the two ends. Skipped, with a message, if there can be no link.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[path = "../../relay/tests/terminal/mod.rs"]
mod terminal;

use link::{Conditions, End, Link};
use rustix::process::{Pid, getpgid};
use stage::{Finished, Program, Scratch, Signal, Stream, binary, skip, tshark};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use terminal::Window;

const TIME: Duration = Duration::from_secs(60);

/// A link; if there is none, says why, and the test returns.
fn link(conditions: &Conditions) -> Option<Link> {
    match Link::start(conditions) {
        Ok(link) => Some(link),
        Err(why) => {
            skip("UNSTUCK_REQUIRE_NETNS", &format!("no link: {why}"));
            None
        }
    }
}

/// Starts fix 2's server at the left end; returns it with its address and the file of its token.
fn server(link: &Link, scratch: &Scratch) -> (Program, String, PathBuf) {
    let token = scratch.path().join("token");
    fs::write(&token, "sixteen bytes at least").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    let path = binary("fix-struct-prefix-server").unwrap();
    let mut server = link.command(End::Left, path.as_os_str());
    server.args(["--listen", "10.77.0.1:0", "--allow-remote", "--token-file"]).arg(&token);
    let server = Program::start("server", &mut server).unwrap();
    let address = server.address().unwrap();
    (server, address, token)
}

/// Runs one command from the right end.
fn ask(link: &Link, address: &str, token: &Path, command: &str) -> Finished {
    let path = binary("fix-struct-prefix-client").unwrap();
    let mut client = link.command(End::Right, path.as_os_str());
    client.args(["--connect", address, "-c", command, "--token-file"]).arg(token);
    let finished = Program::start("client", &mut client).unwrap().wait(TIME).unwrap();
    assert_eq!(finished.code, Some(0), "{}", String::from_utf8_lossy(&finished.stderr));
    finished
}

#[test]
fn every_round_trip_takes_its_time_that_of_the_handshake_too() {
    let delay = Duration::from_millis(25);
    let Some(link) = link(&Conditions { delay, ..Conditions::default() }) else { return };
    let scratch = Scratch::new().unwrap();
    let (_server, address, token) = server(&link, &scratch);
    let finished = ask(&link, &address, &token, "echo hi");
    assert_eq!(finished.stdout, b"hi\n");
    // With a relay, connect would take no time: there would be only token and command.
    let three_round_trips = 6 * delay;
    assert!(finished.took >= three_round_trips, "{:?}", finished.took);
}

#[test]
fn without_one_of_its_networks_it_ends() {
    if link(&Conditions::default()).is_none() {
        return;
    }
    let relay_link = binary("relay-link").unwrap();
    let relay_link = Program::start("relay-link", &mut Command::new(relay_link)).unwrap();
    let line = relay_link.wait_for_line(Stream::Stdout, "linked ", TIME).unwrap();
    let keeper = line.split(' ').nth(4).unwrap();
    assert!(Command::new("kill").args(["-KILL", keeper]).status().unwrap().success());
    let said = relay_link.wait_for_line(Stream::Stderr, "relay-link: ", TIME).unwrap();
    assert_eq!(relay_link.wait(TIME).unwrap().code, Some(3), "{said}");
    assert!(said.contains("one of the two networks is gone"), "{said}");
}

#[test]
fn a_megabyte_arrives_whole_over_a_bad_line() {
    let seed = 1;
    let delay = Duration::from_millis(2);
    let bad = Conditions { delay, drop: 0.1, duplicate: 0.05, reorder: 0.05, seed };
    let Some(link) = link(&bad) else { return };
    let scratch = Scratch::new().unwrap();
    let (_server, address, token) = server(&link, &scratch);
    let finished = ask(&link, &address, &token, "seq 1 170000");
    let wanted: String = (1..=170_000).map(|number| format!("{number}\n")).collect();
    assert!(wanted.len() > 1 << 20);
    assert!(finished.stdout == wanted.as_bytes(), "{bad:?}: {} bytes", finished.stdout.len());

    let said = link.end().unwrap();
    for zero in [" 0 packets", " 0 dropped", " 0 duplicated", " 0 reordered"] {
        assert!(!said.lines().next().unwrap().contains(zero), "{said}");
    }
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn it_leaves_nothing_behind_however_it_ends() {
    // Told to end, ended by its input, killed.
    type Ending = fn(&mut Program);
    let endings: [(Ending, Option<i32>); 6] = [
        (|link| link.signal_group(Signal::INT), Some(0)),
        (|link| link.signal(Signal::TERM), Some(0)),
        (|link| link.signal_group(Signal::HUP), Some(0)),
        (|link| link.signal_group(Signal::QUIT), Some(0)),
        (Program::close_stdin, Some(0)),
        (|link| link.signal(Signal::KILL), None),
    ];
    for (end, code) in endings {
        let mut link =
            Program::start("relay-link", &mut Command::new(binary("relay-link").unwrap())).unwrap();
        let Ok(line) = link.wait_for_line(Stream::Stdout, "linked ", TIME) else {
            let said = format!("no link: {:?}", link.said());
            return skip("UNSTUCK_REQUIRE_NETNS", &said);
        };
        let pids = shells(&line);
        end(&mut link);
        let finished = link.wait(TIME).unwrap();
        assert_eq!(finished.code, code, "{}", String::from_utf8_lossy(&finished.stderr));
        assert!(!finished.left_behind);
        wait_for_the_end_of(&pids);
    }
}

/// The shells that keep the two networks open; the first line names them.
fn shells(line: &str) -> Vec<String> {
    let pids: Vec<String> = line.split(' ').skip(2).step_by(2).map(str::to_owned).collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| is_there(pid)), "{line}");
    pids
}

fn is_there(pid: &str) -> bool {
    // A shell that has ended may still be a zombie: that doesn't count.
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.contains("Name:\tsh\n") && !status.contains("State:\tZ")
}

fn wait_for_the_end_of(pids: &[String]) {
    let since = Instant::now();
    while pids.iter().any(|pid| is_there(pid)) {
        assert!(since.elapsed() < TIME, "{pids:?} are still there");
        std::thread::yield_now();
    }
}

#[test]
fn a_terminal_that_closes_leaves_nothing_behind() {
    if link(&Conditions::default()).is_none() {
        return;
    }
    let relay_link = binary("relay-link").unwrap();
    for key in [None, Some(b"\x03"), Some(b"\x1c")] {
        let mut window = Window::start(relay_link.to_str().unwrap(), &[]);
        let line = format!("linked {}", window.wait_for("linked "));
        let pids = shells(&line);
        for pid in &pids {
            let group = getpgid(Pid::from_raw(pid.parse().unwrap())).unwrap();
            assert_eq!(
                group.as_raw_nonzero().to_string(),
                *pid,
                "a key would end the networks first"
            );
        }
        let (status, said) = match key {
            None => (window.close(), String::new()),
            Some(key) => {
                window.press(key);
                window.end()
            }
        };
        match key {
            // It can't print its counts: its stdout is gone.
            None => assert!(matches!(status.code(), Some(0 | 141)), "{status}"),
            Some(_) => {
                assert_eq!(status.code(), Some(0), "{said}");
                assert!(said.contains("from left: "), "{said}");
            }
        }
        wait_for_the_end_of(&pids);
    }
}

#[test]
fn what_travelled_is_for_this_user_alone() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("run.pcapng");
    let mut link = Command::new("sh");
    link.args(["-c", "umask 000 && exec \"$0\" --write \"$1\""]);
    link.arg(binary("relay-link").unwrap()).arg(&file);
    let link = Program::start("relay-link", &mut link).unwrap();
    if link.wait_for_line(Stream::Stdout, "linked ", TIME).is_err() {
        let said = format!("no link: {:?}", link.said());
        return skip("UNSTUCK_REQUIRE_NETNS", &said);
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn its_lines_can_be_typed_and_what_travelled_is_written() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("run.pcapng");
    let mut link = Command::new(binary("relay-link").unwrap());
    let link = Program::start("relay-link", link.arg("--write").arg(&file)).unwrap();
    // Runs the line that begins with the name of an end, as a learner would.
    let typed = |end: &str, program: &str, option: &str| {
        let line = link.wait_for_line(Stream::Stdout, end, TIME).ok()?;
        let path = binary(program).unwrap();
        let command = format!("exec {} {option} 10.77.0.1:8888", path.display());
        let typed = line.strip_prefix(end)?.replace("COMMAND", &format!("sh -c '{command}'"));
        Some(Program::start(end, Command::new("sh").args(["-c", &typed])).unwrap())
    };
    let Some(server) = typed("left: ", "tcp-basic-server", "--listen") else {
        return skip("UNSTUCK_REQUIRE_NETNS", &format!("no link: {:?}", link.said()));
    };
    assert_eq!(server.address().unwrap(), "10.77.0.1:8888");
    let client = typed("right: ", "tcp-basic-client", "--connect").unwrap();
    assert_eq!(client.wait(TIME).unwrap().stdout, b"hi\n");
    assert_eq!(server.wait(TIME).unwrap().code, Some(0));
    assert_eq!(link.wait(TIME).unwrap().code, Some(0));

    let Some(tshark) = tshark() else { return };
    let mut tshark = Command::new(tshark);
    tshark.arg("-r").arg(&file).args(["-Y", "tcp.payload", "-T", "fields"]);
    tshark.args(["-e", "ip.src", "-e", "tcp.payload", "-o", "tcp.check_checksum:TRUE"]);
    tshark.args(["-e", "tcp.checksum.status"]);
    let finished = Program::start("tshark", &mut tshark).unwrap().wait(TIME).unwrap();
    let read = String::from_utf8(finished.stdout).unwrap();
    // Here checksums are real ones: 1 is good.
    assert_eq!(read, "10.77.0.2\t68656c6c6f\t1\n10.77.0.1\t6869\t1\n");
}

#[test]
fn without_the_means_it_says_why() {
    let scratch = Scratch::new().unwrap();
    let mut command = Command::new(binary("relay-link").unwrap());
    let finished = Program::start("relay-link", command.env("PATH", scratch.path())).unwrap();
    let finished = finished.wait(TIME).unwrap();
    assert_eq!(finished.code, Some(3));
    assert_eq!(
        String::from_utf8(finished.stderr).unwrap(),
        "relay-link: cannot make a link: there is no program unshare: install the package util-linux\n"
    );
}
