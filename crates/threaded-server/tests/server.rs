//! What the models promise beyond what every remote-command server promises (`crates/shell/tests/servers`): several clients
//! at once.
//!
//! | fault | test |
//! |---|---|
//! | a client that is slow does not delay another | `nobody_waits_for_another` |
//! | one connection above the cap | `one_too_many_is_told_so` |
//! | more commands at once than may run | `eight_commands_at_once` |
//! | more commands than may run, and the end | `no_command_starts_once_the_server_has_been_told_to_end` |
//! | …for so long that the others wait for their whole timeout | `nobody_waits_longer_than_the_timeout` |
//! | processes: no descriptors for a crowd | `nobody_is_reset_for_want_of_a_descriptor` |
//! | processes: the program's file is replaced, or gone | `the_program_that_runs_is_the_one_that_serves` |
//! | a log in which connections can't be told apart | `each_connection_has_its_own_number_in_the_log` |
//! | a client that leaves before its command's turn | `who_has_left_keeps_no_place` |
//! | a handler that panics; a client that never reads, or never finishes its frame | `handler.rs` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[path = "../../shell/tests/servers/held.rs"]
mod held;
#[path = "../../shell/tests/rows/mod.rs"]
#[expect(dead_code, reason = "the tests of the shell's promises need more of it")]
mod rows;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use held::Held;
use rows::{LONG, ROWS, Row, connect, for_each_row, rest, rest_in_order, wait_until_told};
use shell::{GRACE, MAX_RUNNING};
use stage::{Line, Scratch, Signal};
use threaded_server::pool::WORKERS;

/// The models that serve several at once.
fn concurrent() -> impl Iterator<Item = Row> {
    ROWS.into_iter().filter(Row::is_concurrent)
}

fn processes() -> impl Iterator<Item = Row> {
    ROWS.into_iter().filter(Row::is_of_processes)
}

#[test]
fn nobody_waits_for_another() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let mut held = Held::new(scratch.path(), "held");
        let mut slow = connect(&address);
        slow.write_all(&row.request(&held.command())).unwrap();
        held.wait_until_begun();
        let request = row.request("echo hi");
        let (first, last) = request.split_at(7);
        let mut inside_a_frame = connect(&address);
        inside_a_frame.write_all(first).unwrap();
        let _silent = connect(&address);

        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
        inside_a_frame.write_all(last).unwrap();
        assert_eq!(row.hear(&mut inside_a_frame), "hi\n", "{}", row.name());
        held.release();
        assert_eq!(row.hear(&mut slow), "released\n", "{}", row.name());
    });
}

#[test]
fn one_too_many_is_told_so() {
    for_each_row(concurrent(), |row| {
        let server = row.start(&["--max-connections", "2"]);
        let address = server.address().unwrap();
        let mut inside = [connect(&address), connect(&address)];
        for conn in &mut inside {
            assert_eq!(row.ask(conn, "echo hi"), "hi\n", "{}", row.name());
        }
        let mut third = connect(&address);
        // Asked or not: the refusal can be read, and then the end.
        third.write_all(&row.request("echo never")).unwrap();
        let said = row.hear(&mut third);
        assert!(said.starts_with("refused: ") && said.contains(" 2 "), "{}: {said}", row.name());
        assert_eq!(rest_in_order(third), b"", "{}", row.name());

        let [one, mut other] = inside;
        drop(one);
        // The permit is free a moment after its client has left.
        let until = Instant::now() + LONG;
        while row.echo(&address).starts_with("refused: ") {
            assert!(Instant::now() < until, "{}: the permit is never free", row.name());
        }
        assert_eq!(row.ask(&mut other, "echo hi"), "hi\n", "{}", row.name());
    });
}

#[test]
fn eight_commands_at_once() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let start = |name: usize| {
            let held = Held::new(scratch.path(), &name.to_string());
            let mut conn = connect(&address);
            conn.write_all(&row.request(&held.command())).unwrap();
            (held, conn)
        };
        let mut running: Vec<(Held, TcpStream)> = (0..MAX_RUNNING).map(start).collect();
        for (held, _) in &mut running {
            held.wait_until_begun();
        }
        let (mut ninth, mut conn) = start(MAX_RUNNING);
        // Nothing can show that it never begins; that it has not begun when another is served could.
        assert!(!ninth.begins_within(Duration::from_millis(300)), "{}: nine at once", row.name());
        running[0].0.release();
        ninth.wait_until_begun();
        ninth.release();
        assert_eq!(row.hear(&mut conn), "released\n", "{}", row.name());
        ninth.wait_until_gone();
    });
}

/// Eight run for the whole timeout, and the next eight after them. By then the others have waited too long.
#[test]
fn nobody_waits_longer_than_the_timeout() {
    for_each_row(concurrent(), |row| {
        let server = row.start(&["--timeout", "2"]);
        let address = server.address().unwrap();
        let ask = || {
            let mut conn = connect(&address);
            let answer = row.ask(&mut conn, "sleep 600");
            if answer.starts_with("busy: 8 commands") {
                // The connection lives, and nothing of the first request reaches the second.
                while row.ask(&mut conn, "echo hi") != "hi\n" {}
            }
            answer
        };
        let answers: Vec<String> = thread::scope(|scope| {
            let asking: Vec<_> = (0..3 * MAX_RUNNING).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        let busy = answers.iter().filter(|answer| answer.starts_with("busy: ")).count();
        assert!((1..=2 * MAX_RUNNING).contains(&busy), "{}: {answers:?}", row.name());
    });
}

/// 40 clients where there are 40 descriptors: each is served in its turn, once others have left.
#[test]
fn nobody_is_reset_for_want_of_a_descriptor() {
    for_each_row(processes(), |row| {
        let inside = row.command(&[]);
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -n 40; exec \"$@\"", "sh"]);
        limited.arg(inside.get_program()).args(inside.get_args());
        let server = row.start_as(&mut limited);
        let address = server.address().unwrap();
        let began = Instant::now();
        let crowd: Vec<TcpStream> = (0..40).map(|_| connect(&address)).collect();
        let fails = |line: &Line| String::from_utf8_lossy(&line.text).contains("Too many open");
        let failures = |lines: &[Line]| lines.iter().filter(|line| fails(line)).count();
        server.wait_until("log", LONG, |lines| (failures(lines) > 0).then_some(())).unwrap();
        for mut conn in crowd {
            assert_eq!(row.ask(&mut conn, "echo hi"), "hi\n", "{}", row.name());
        }
        let lines = failures(&server.said());
        let seconds = began.elapsed().as_secs() as usize;
        assert!(lines <= 1 + seconds, "{}: {lines} lines in {seconds} s", row.name());
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_program_that_runs_is_the_one_that_serves() {
    for_each_row(processes(), |row| {
        let scratch = Scratch::new().unwrap();
        let [program, other] = ["threaded-server", "other"].map(|name| scratch.path().join(name));
        // Not copied by this test: while another one of its threads starts a program, that has the file open, too, and
        // what is open for writing can't be started.
        let copied = Command::new("cp").arg(row.program()).arg(&program).status().unwrap();
        assert!(copied.success());
        fs::write(&other, "no program").unwrap();
        let mut command = Command::new(&program);
        command.args(row.command(&[]).get_args());
        let server = row.start_as(&mut command);
        let address = server.address().unwrap();
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
        // As `cargo build` does.
        fs::rename(&other, &program).unwrap();
        assert_eq!(row.echo(&address), "hi\n", "{}: replaced", row.name());
        fs::remove_file(&program).unwrap();
        assert_eq!(row.echo(&address), "hi\n", "{}: removed", row.name());
        let name = row.ask(&mut connect(&address), "cat /proc/$PPID/comm");
        assert_eq!(name, "threaded-server\n", "{}: in ps and top", row.name());
    });
}

/// In the log of a model you can find a connection by its number, whichever process serves it.
#[test]
fn each_connection_has_its_own_number_in_the_log() {
    for_each_row(ROWS.into_iter().filter(Row::is_model), |row| {
        let server = row.start(&["-v"]);
        let address = server.address().unwrap();
        for _ in 0..3 {
            assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
        }
        server.signal(Signal::TERM);
        let log = String::from_utf8(server.wait(LONG).unwrap().stderr).unwrap();
        let number_of = |call: &str, line: &str| -> Option<String> {
            let rest = line.split_once(&format!(" {call} conn="))?.1;
            Some(rest.split(' ').next()?.to_owned())
        };
        let listener = log.lines().find_map(|line| number_of("listen", line)).unwrap();
        let answers: BTreeSet<_> = log.lines().filter_map(|line| number_of("send", line)).collect();
        assert_eq!(answers.len(), 3, "{}: {answers:?}", row.name());
        assert!(!answers.contains(&listener), "{}: {answers:?}", row.name());
    });
}

#[test]
fn no_command_starts_once_the_server_has_been_told_to_end() {
    for_each_row(concurrent(), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&["-v"]);
        let address = server.address().unwrap();
        let start = |name: usize| {
            let held = Held::new(scratch.path(), &name.to_string());
            let mut conn = connect(&address);
            conn.write_all(&row.request(&held.command())).unwrap();
            (held, conn)
        };
        let mut running: Vec<(Held, TcpStream)> = (0..MAX_RUNNING).map(start).collect();
        for (held, _) in &mut running {
            held.wait_until_begun();
        }
        let (ninth, conn) = start(MAX_RUNNING);
        let has_come = |line: &&Line| {
            let line = String::from_utf8_lossy(&line.text);
            line.contains(" recv ") && line.contains("exec 3>")
        };
        let have_come =
            |lines: &[Line]| (lines.iter().filter(has_come).count() > MAX_RUNNING).then_some(());
        server.wait_until("log: nine requests", LONG, have_come).unwrap();
        let signalled = Instant::now();
        server.signal(Signal::TERM);
        wait_until_told(&server);
        // It doesn't wait for those that run.
        assert_eq!(rest_in_order(conn), b"", "{}", row.name());
        // Nor is anybody served who comes only now.
        let mut late = connect(&address);
        let _ = late.write_all(&row.request("echo hi"));
        assert_eq!(rest(&mut late), "", "{}", row.name());
        for (mut held, mut conn) in running {
            held.release();
            assert_eq!(row.hear(&mut conn), "released\n", "{}", row.name());
        }
        let ended = server.wait(LONG).unwrap();
        let took = signalled.elapsed();
        let log = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.code, Some(0), "{}: {log}", row.name());
        assert!(took < GRACE, "{}: {took:?}: {log}", row.name());
        assert!(!ninth.begins_within(Duration::ZERO), "{}: it ran", row.name());
    });
}

/// Even if so many wait for their turn that it has no thread yet.
#[test]
#[cfg(target_os = "linux")] // elsewhere nobody can tell a client that has left from one that only ended its side
fn who_has_left_keeps_no_place() {
    // In the pool, a client that finds no worker isn't looked at until there is one.
    let rows = concurrent().filter(|row| !row.name().contains("pool"));
    for_each_row(rows, |row| {
        let scratch = Scratch::new().unwrap();
        let most = (WORKERS + 1).to_string();
        let server = row.start(&["--max-connections", &most, "--timeout", "600"]);
        let address = server.address().unwrap();
        let mut inside = Vec::new();
        for number in 0..WORKERS {
            let mut held = Held::new(scratch.path(), &number.to_string());
            let mut conn = connect(&address);
            conn.write_all(&row.request(&held.command())).unwrap();
            if number < MAX_RUNNING {
                held.wait_until_begun();
            }
            inside.push((held, conn));
        }
        let mut left = connect(&address);
        left.write_all(&row.request("echo never")).unwrap();
        // A newcomer that is let in has no answer to this.
        let is_let_in = || {
            let mut conn = connect(&address);
            conn.write_all(b"\xff\xff\xff\xff").unwrap();
            rest_in_order(conn).is_empty()
        };
        assert!(!is_let_in(), "{}: all places are taken", row.name());
        drop(left);
        let until = Instant::now() + LONG;
        while !is_let_in() {
            assert!(Instant::now() < until, "{}: the place is never free", row.name());
        }
    });
}
