//! The program `timeline`, run as a reader runs it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod runs;

use observe::Event;
use runs::{Run, begin, run};
use stage::{Program, Scratch, Signal};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

struct Traces {
    scratch: Scratch,
}

impl Traces {
    fn of(run: &Run) -> Traces {
        let traces = Traces { scratch: Scratch::new().unwrap() };
        for (name, events) in
            [("client", &run.client), ("relay", &run.relay), ("server", &run.server)]
        {
            traces.write(name, events);
        }
        traces
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, events: &[Event]) {
        let lines: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
        std::fs::write(self.path(name), lines.concat()).unwrap();
    }

    fn timeline(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_timeline"));
        program.current_dir(self.scratch.path()).args(arguments).output().unwrap()
    }
}

#[track_caller]
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, expected: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.starts_with("timeline: ") && complaint.contains(expected), "{complaint}");
    assert_eq!((complaint.lines().count(), output.stdout.len()), (1, 0), "{complaint}");
}

/// Another version may have written the trace, or another program.
#[test]
fn members_and_calls_that_nobody_knows_change_nothing() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], None, &[2, 5]));
    let drawn = |format: &str| {
        said(&traces.timeline(&["client", "server", format, "picture"]));
        std::fs::read_to_string(traces.path("picture")).unwrap()
    };
    let known = ["--svg", "--html"].map(drawn);
    for name in ["client", "server"] {
        let mut lines: Vec<String> = std::fs::read_to_string(traces.path(name))
            .unwrap()
            .lines()
            .map(|line| line.replace("\"call\"", "\"thread\":{\"id\":[3]},\"call\""))
            .collect();
        for (at, conn) in [(1, 1), (2, 2), (2, 9)] {
            lines.insert(
                at,
                format!("{{\"t_us\":60,\"pid\":3,\"call\":\"poll\",\"conn\":{conn},\"ready\":1}}"),
            );
        }
        std::fs::write(traces.path(name), lines.join("\n")).unwrap();
    }
    assert!(std::fs::read_to_string(traces.path("client")).unwrap().contains("\"thread\":{"));
    assert_eq!(["--svg", "--html"].map(drawn), known);
}

#[test]
fn two_traces_make_a_picture() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], None, &[2, 5]));
    let expected = said(&traces.timeline(&["client", "server"]));
    assert!(expected.contains("client send  │he╎llo│hi│"), "{expected}");
    // The order does not matter: who connected is the client.
    assert_eq!(said(&traces.timeline(&["server", "client"])), expected);
    let one = said(&traces.timeline(&["server"]));
    assert!(one.contains("server recv  │he│llohi│") && !one.contains("client"), "{one}");
}

#[test]
fn a_relay_has_the_lane_in_the_middle() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], Some(&[3, 4]), &[7]));
    let drawn = said(&traces.timeline(&["client", "server", "--via", "relay"]));
    assert!(drawn.contains("relay send   │hel│lo╎hi│"), "{drawn}");
}

#[test]
fn files_are_written_and_named() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], None, &[2, 5]));
    let drawn = traces.timeline(&["client", "server", "--svg", "a.svg", "--html", "a.html"]);
    assert_eq!(said(&drawn), "saved a.svg\nsaved a.html\n");
    let read = |name| std::fs::read_to_string(traces.path(name)).unwrap();
    assert!(read("a.svg").starts_with("<svg "));
    assert!(read("a.html").starts_with("<!doctype html>"));
    refused(&traces.timeline(&["client", "--svg", "none/a.svg"]), "none/a.svg");
}

/// It may be waiting for a trace that is a pipe.
#[test]
fn four_signals_end_it_alike() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("trace");
    assert!(Command::new("mkfifo").arg(&trace).status().unwrap().success());
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut timeline = Command::new(env!("CARGO_BIN_EXE_timeline"));
        let timeline = Program::start("timeline", timeline.arg(&trace)).unwrap();
        // This open returns once the program has opened its side.
        let _silent = std::fs::File::options().write(true).open(&trace).unwrap();
        timeline.signal(signal);
        let done = timeline.wait(Duration::from_secs(60)).unwrap();
        assert_eq!((done.code, done.signal), (Some(130), None), "{signal:?}");
    }
}

#[test]
fn what_holds_recorded_bytes_is_for_this_user_alone() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], None, &[2, 5]));
    let mut program = Command::new("/bin/sh");
    let line = "umask 000 && exec \"$0\" client --svg a.svg --html a.html";
    program.args(["-c", line, env!("CARGO_BIN_EXE_timeline")]);
    said(&program.current_dir(traces.scratch.path()).output().unwrap());
    for file in ["a.svg", "a.html"] {
        let mode = std::fs::metadata(traces.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn of_several_connections_one_is_picked_by_its_number() {
    let traces = Traces::of(&run(&[b"hello"], None, &[2, 3]));
    let mut more = run(&[b"another"], None, &[7]);
    for event in &mut more.client {
        event.conn = 9;
        event.t_us += 10_000;
        event.local = event.local.as_deref().map(|local| local.replace("5000", "5001"));
    }
    traces.write("more", &more.client);
    let listed = "--conn 1: 127.0.0.1:5000 to 127.0.0.1:8888 (5 bytes to the server, 0 to the client); \
                  --conn 2: 127.0.0.1:5001 to 127.0.0.1:8888 (7 bytes to the server, 0 to the client)";
    refused(&traces.timeline(&["client", "more"]), listed);
    refused(&traces.timeline(&["client", "server", "more", "--conn", "3"]), listed);
    let drawn = said(&traces.timeline(&["client", "server", "more", "--conn", "2"]));
    assert!(drawn.contains("│another│"), "{drawn}");
    // One recording of a server with many clients, and one recording of each client.
    let drawn = said(&traces.timeline(&["more", "client", "server"]));
    assert!(drawn.contains("│he│llo│"), "{drawn}");
}

#[test]
fn what_cannot_be_drawn_is_refused_in_one_line() {
    let traces = Traces::of(&run(&[b"hello"], None, &[5]));
    refused(&traces.timeline(&["none"]), "could not read the trace none");
    refused(
        &traces.timeline(&["relay"]),
        "no connection in these traces: no socket calls were recorded",
    );
    traces.write("alone", &[begin("listen", 1, 1, "127.0.0.1:8888", "")]);
    refused(&traces.timeline(&["alone"]), "no connection in these traces: nobody connected");
    let mut failed = begin("connect", 1, 1, "127.0.0.1:5000", "127.0.0.1:9");
    failed.error = Some("Connection refused".to_owned());
    let mut asked = begin("connect", 1, 2, "socket 7", "/var/run/nscd/socket");
    asked.error = Some("No such file or directory".to_owned());
    traces.write("failed", &[asked, failed]);
    refused(&traces.timeline(&["failed"]), "connect 127.0.0.1:9 failed: Connection refused");
    traces.write("quiet", &[begin("connect", 1, 1, "127.0.0.1:5000", "127.0.0.1:8888")]);
    refused(&traces.timeline(&["quiet"]), "no bytes");
    refused(&traces.timeline(&["client", "server", "--direction", "to-client"]), "no bytes");
    traces.write("other", &run(&[b"hexlo"], None, &[5]).server);
    refused(&traces.timeline(&["client", "other"]), "byte 2 is one value in one recording");
}

/// A trace as a program leaves it when it is killed in the middle of a write.
#[test]
fn a_trace_with_a_cut_last_line_is_drawn_up_to_there_and_says_so() {
    let traces = Traces::of(&run(&[b"hello", b"hi"], None, &[2, 5]));
    let whole = said(&traces.timeline(&["client", "server"]));
    let client = std::fs::read(traces.path("client")).unwrap();
    let more = r#"{"t_us":9,"pid":1,"call":"send","conn":1,"error":"né"}"#;
    for cut in 1..more.len() {
        std::fs::write(traces.path("cut"), [&client, &more.as_bytes()[..cut]].concat()).unwrap();
        let output = traces.timeline(&["cut", "server"]);
        assert_eq!(said(&output), whole, "{cut}");
        let remark = String::from_utf8(output.stderr).unwrap();
        assert!(remark.starts_with("timeline: cut: line 4 is cut off"), "{remark}");
        assert_eq!(remark.lines().count(), 1, "{remark}");
    }
    // Only a line break is missing.
    std::fs::write(traces.path("cut"), client.strip_suffix(b"\n").unwrap()).unwrap();
    let output = traces.timeline(&["cut", "server"]);
    assert_eq!((said(&output), output.stderr.len()), (whole, 0));
    // Another run has appended to it: we can't know what is missing in the middle.
    let appended = [&client, &more.as_bytes()[..20], &client].concat();
    std::fs::write(traces.path("cut"), appended).unwrap();
    refused(&traces.timeline(&["cut", "server"]), "cut, line 4, is not an event");
}

/// What a ladder and a table need, and the message if it is missing.
#[test]
fn ladders_and_tables_say_what_they_need() {
    let traces = Traces::of(&run(&[b"hello"], None, &[5]));
    let both = ["client", "server", "--via", "relay"];
    let wants = "found no segments of this connection, or no such exchange; try --via with";
    refused(&traces.timeline(&[&both[..], &["--ladder", "steps"]].concat()), wants);
    refused(&traces.timeline(&[&both[..], &["--ladder", "time"]].concat()), wants);
    let levels = ["--levels", "table", "--svg", "table.svg"];
    refused(&traces.timeline(&levels), "table: No such file");
    std::fs::write(traces.path("table"), "bytes after | a\nsend | 1\n").unwrap();
    refused(&traces.timeline(&levels), "table: expected a title after `# `");
    std::fs::write(traces.path("table"), "# t\nbytes after | a\nsend | 1\n").unwrap();
    assert_eq!(said(&traces.timeline(&levels)), "saved table.svg\n");
    let drawn = std::fs::read_to_string(traces.path("table.svg")).unwrap();
    assert!(drawn.contains("send. a: 1 byte."), "{drawn}");
}
