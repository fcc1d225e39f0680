//! The Python programs of "Flow control, and a peer that's gone": each does what the page says.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Program, Signal, Stream};
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_peer_that_does_not_read_stops_the_sender() {
    let Some(flow) = peer("flow.py", &[]) else { return };
    let done = flow.wait(LONG).unwrap();
    let said = text(&done.stdout);
    let sent = said.strip_prefix("send took ").and_then(|rest| rest.split(' ').next()).unwrap();
    let expected = format!(
        "send took {sent} bytes; now it would wait\nthe reader has read {sent} bytes\nsend took 65536 more\n"
    );
    assert_eq!(said, expected);
}

#[test]
fn a_heartbeat_that_stops_is_noticed() {
    let Some(heart) = peer("heart.py", &["0"]) else { return };
    let address = heart.address().unwrap();
    let port = address.rsplit(':').next().unwrap();
    let client = peer("deadline.py", &[port, "2.5"]).unwrap();
    client.wait_for_line(Stream::Stdout, "b'alive", LONG).unwrap();
    heart.signal(Signal::STOP);
    let done = client.wait(LONG).unwrap();
    assert_eq!(done.code, Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).ends_with("\nnothing for 2.5 seconds: I give up\n"));
}

#[test]
fn a_heart_that_ends_is_the_end_of_the_stream() {
    let Some(heart) = peer("heart.py", &["0"]) else { return };
    let address = heart.address().unwrap();
    let client = peer("deadline.py", &[address.rsplit(':').next().unwrap()]).unwrap();
    client.wait_for_line(Stream::Stdout, "b'alive", LONG).unwrap();
    heart.signal(Signal::KILL);
    let done = client.wait(LONG).unwrap();
    assert!(text(&done.stdout).ends_with("\nthe end of the stream\n"), "{}", text(&done.stdout));
}

#[test]
fn the_second_send_says_broken_pipe_or_nothing() {
    let Some(careful) = peer("broken_pipe.py", &[]) else { return };
    let done = careful.wait(LONG).unwrap();
    let said = text(&done.stdout);
    assert!(said.starts_with("first send: 5\nsecond send: BrokenPipeError("), "{said}");
    assert_eq!(done.code, Some(0));

    let done = peer("broken_pipe.py", &["--default"]).unwrap().wait(LONG).unwrap();
    assert_eq!(done.signal, Some(13));
    assert_eq!((text(&done.stdout), text(&done.stderr)), ("first send: 5\n", ""));
}

#[test]
fn keepalive_notices_a_pulled_cable() {
    let Some(python) = stage::python() else { return };
    let alone = ["--user", "--map-root-user", "--net"];
    // If it isn't allowed a network of its own, or there is no `ip`.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut trial = Command::new("unshare");
    trial.args(alone).args(["ip", "link"]).env("PATH", &path);
    let trial = Program::start("unshare", &mut trial).map(|it| it.wait(LONG).unwrap().code);
    if !matches!(trial, Ok(Some(0))) {
        return stage::skip("UNSTUCK_REQUIRE_NETNS", "no network of its own here");
    }
    let mut command = Command::new("unshare");
    command.args(alone).arg(python).env("PATH", &path);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/cable.py"));
    let done = Program::start("cable", &mut command).unwrap().wait(LONG).unwrap();
    let said = text(&done.stdout);
    let timed_out = said.starts_with("after ") && said.ends_with("Connection timed out\n");
    assert!(timed_out, "{said}{}", text(&done.stderr));
}

fn peer(name: &str, args: &[&str]) -> Option<Program> {
    let mut command = Command::new(stage::python()?);
    command.arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))).args(args);
    Some(Program::start(name, &mut command).unwrap())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
