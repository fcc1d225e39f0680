//! Each experiment comes out as stated, and prints what its transcript says.
//!
//! A transcript is a real run, and the book shows it. Two things in it are not as they came: ports and paths that the
//! system chose read as the defaults that the reader will see. Everything else is compared as it is, except in the
//! experiments whose numbers are this machine's: there a number counts as a number.
//!
//! `REWRITE=1 cargo test -p demos --test transcripts` rewrites those that differ. Read the difference before you commit it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod typed;

use demos::ALL;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// In the order of the course.
const NAMES: &[&str] = &[
    "tcp",
    "ipv6",
    "names",
    "reuseaddr",
    "backlog",
    "life",
    "methods",
    "sendall",
    "flow",
    "heartbeat",
    "epipe",
    "udp",
    "unix",
    "sticky",
    "case1",
    "case2",
    "nagle",
    "sleep",
    "fixed",
    "delimiter",
    "udp-boundaries",
    "udp-loss",
    "udp-size",
    "udp-refused",
    "unix-kinds",
    "unix-speed",
    "utf8",
    "ack",
    "ack-cut",
    "struct",
    "padding",
    "stall",
    "short-read",
    "pipes",
    "request",
    "json",
    "file",
    "models",
    "readiness",
    "chat",
    "web",
    "promise",
    "goodbye",
];

/// Times, buffer sizes, error numbers, process ids: each machine has its own.
const MEASURED: &[&str] = &[
    "udp-size",
    "udp-refused",
    "flow",
    "heartbeat",
    "epipe",
    "names",
    "models",
    "chat",
    "sendall",
    "methods",
    "reuseaddr",
    "unix",
    "backlog",
    "nagle",
    "sleep",
    "udp-loss",
    "unix-kinds",
    "unix-speed",
    "promise",
    "goodbye",
    "ack",
    "stall",
];

#[test]
fn each_experiment_prints_its_transcript() {
    // Some side by side: they wait more than they work, and the longest takes 8 s by itself.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differences = String::new();
        while let Some(name) = NAMES.get(next.fetch_add(1, Ordering::Relaxed)) {
            differences.extend(check(name));
        }
        differences
    };
    let differences: String = thread::scope(|scope| {
        let workers = [0; 4].map(|_| scope.spawn(work));
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn every_experiment_has_a_transcript() {
    let output = demo(&["list"]);
    let listed: Vec<&str> = output.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(listed, NAMES);
}

/// The three that must come out the same every time.
#[test]
fn the_main_experiments_are_the_same_twenty_times() {
    for name in ["sticky", "case1", "case2"] {
        let first = presentable(&demo(&["run", name]));
        for _ in 1..20 {
            assert_eq!(presentable(&demo(&["run", name])), first, "{name}");
        }
    }
}

#[test]
fn numbers_and_places_are_told_apart() {
    let check = |came: &str, shown: &str| assert_eq!(presentable(came), format!("{shown}\n"));
    check(
        "s │ listening on 127.0.0.1:4711\nfrom 127.0.0.1:4712\n",
        "s │ listening on 127.0.0.1:8888\nfrom 127.0.0.1:51412",
    );
    check(
        "x │ listening on [::1]:4711\nat [::1]:4711",
        "x │ listening on [::1]:8888\nat [::1]:8888",
    );
    check("--listen '[::1]:8888'", "--listen '[::1]:8888'");
    check("listening on /tmp/stage-7-1/socket", "listening on …/af-unix.sock");
    assert_eq!(numbers_masked("took   130964 of 8,388 bytes"), "took # of #,# bytes");
}

/// What differs between this run and the transcript; `None` if nothing does, or it was rewritten.
///
/// The run asks for a prediction first: so one run shows that each question has its answer, too.
fn check(name: &str) -> Option<String> {
    let (came, compared) = predicted(name);
    if !came.contains("– not tested: ")
        && let Some(wrong) = wrongly_marked(name, &compared)
    {
        return Some(format!("{name}: {wrong}\n{came}"));
    }
    let came = presentable(&came);
    // No IPv6 here, no network of our own, or no Python: what could be seen is not all that the transcript has.
    let missing = [
        "– not tested: ",
        "Not timed across a true link: ",
        "Fragments not counted: ",
        "Not sent by Python: ",
    ];
    if missing.iter().any(|why| came.contains(why)) {
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("transcripts/{name}.txt"));
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let same = match MEASURED.contains(&name) {
        true => numbers_masked(&came) == numbers_masked(&golden),
        false => came == golden,
    };
    if same {
        return None;
    }
    if std::env::var_os("REWRITE").is_some() {
        fs::write(path, came).unwrap();
        return None;
    }
    let how = "if it is meant: REWRITE=1 cargo test -p demos --test transcripts";
    Some(format!("{name} differs ({how})\n--- transcript\n{golden}\n+++ this run\n{came}"))
}

/// The run, and what was predicted beside what came; somebody answered `a`.
fn predicted(name: &str) -> (String, String) {
    let output = say("a\n", &["run", name, "--predict"]);
    let claim = format!("\n{name}: ");
    let (_, rest) = output.split_once(&claim).unwrap_or_else(|| panic!("no question: {output}"));
    let (came, compared) = rest.split_once("\nyou said: ").unwrap_or((rest, ""));
    (claim[1..].to_owned() + came, compared.to_owned())
}

/// What came must be the choice that's marked as right: the explanations on the pages and in `--predict` rely on that.
fn wrongly_marked(name: &str, compared: &str) -> Option<String> {
    let choices = ALL.iter().find(|one| one.name == name).unwrap().prediction.choices;
    let right: Vec<&str> =
        choices.iter().filter(|choice| choice.is_right).map(|choice| choice.says).collect();
    let came =
        compared.lines().find_map(|line| line.strip_prefix("it was:   ")).unwrap_or_default();
    let came = came.trim_end_matches(['✓', '✗']).trim_end();
    (right != [came]).then(|| format!("{came:?} came, and {right:?} is marked as right"))
}

fn demo(args: &[&str]) -> String {
    say("", args)
}

/// What `demo` prints when somebody types this.
fn say(typed: &str, args: &[&str]) -> String {
    let output = typed::demo(typed, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "demo {args:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// Ports and paths as the reader will see them.
fn presentable(output: &str) -> String {
    // Who says it, and where it listens.
    let listening = |line: &str| {
        let (who, place) = line.split_once("listening on ")?;
        Some((who.trim_matches([' ', '│']).to_owned(), place.to_owned()))
    };
    let places: Vec<(String, String)> = output.lines().filter_map(listening).collect();
    let others =
        ["fix-", "sticky-", "tcp-basic", "udp-basic"].iter().any(|name| output.contains(name));
    let mut shown = output.to_owned();
    for (who, place) in &places {
        let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
        let default = match who.as_str() {
            "relay" => "7777",
            "threaded" => "9999",
            _ if output.contains("threaded-server") && !others => "9999",
            _ => "8888",
        };
        if place.starts_with('/') {
            shown = shown.replace(place, "…/af-unix.sock");
            continue;
        }
        // The same port of another address is meant to be the same.
        for host in [host, "127.0.0.1", "[::1]"] {
            shown = shown.replace(&format!("{host}:{port}"), &format!("{host}:{default}"));
        }
    }
    shown.truncate(shown.trim_end().len());
    shown.push('\n');
    // What is left are the ports of clients. Different ones stay different, and even, as Linux chooses them.
    let mut clients: Vec<String> = Vec::new();
    ["127.0.0.1:", "[::1]:"].iter().fold(shown, |shown, host| {
        let mut parts = shown.split(host);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (port, rest) = part.split_at(end);
            if ["", "7777", "8888", "9999"].contains(&port) {
                out += &format!("{host}{port}{rest}");
                continue;
            }
            let known = clients.iter().position(|known| known == port);
            let client = known.unwrap_or_else(|| {
                clients.push(port.to_owned());
                clients.len() - 1
            });
            out += &format!("{host}{}{rest}", 51412 + 2 * client);
        }
        out
    })
}

/// Each run of digits, and the spaces in front of it, as one sign.
fn numbers_masked(text: &str) -> String {
    let mut masked = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            if !masked.ends_with('#') {
                let words = masked.trim_end_matches(' ').len();
                if words < masked.len() {
                    masked.truncate(words + 1);
                }
                masked.push('#');
            }
        } else {
            masked.push(c);
        }
    }
    masked
}
