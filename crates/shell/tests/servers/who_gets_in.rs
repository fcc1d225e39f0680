//! Who runs commands: this user, and nobody else.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use observe::Event;
use stage::{Line, Scratch};

use crate::rows::{LONG, ROWS, connect, for_each_row, raw_rows, rest, rest_in_order};
use crate::users::{can_be_another, dial, in_own_network, play_part, stranger_hears};

/// Where servers listen, and from where a client of this machine can connect to them.
const WAYS: [(&str, &[&str]); 2] = [
    (
        "127.0.0.1",
        &[
            "-",
            "127.0.0.1:0",
            "127.0.0.2:0",
            "192.0.2.2:0",
            "[::ffff:127.0.0.1]:0",
            "[::ffff:192.0.2.2]:0",
        ],
    ),
    ("[::1]", &["-", "[::1]:0", "[2001:db8::2]:0"]),
];

/// The address to connect to from there: a socket of IPv6 calls an IPv4 address by its mapped name.
fn seen_from(from: &str, address: &str) -> SocketAddr {
    let address: SocketAddr = address.parse().unwrap();
    match address {
        SocketAddr::V4(v4) if from.starts_with('[') => {
            SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
        }
        address => address,
    }
}

fn token_file(folder: &Path, name: &str, token: &str) -> String {
    let path = folder.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(token.as_bytes()).unwrap();
    path.to_str().unwrap().to_owned()
}

const TOKEN: &str = "a token of some length";

#[test]
fn a_stranger_is_refused_from_every_local_address() {
    let test = "who_gets_in::a_stranger_is_refused_from_every_local_address";
    play_part();
    if !can_be_another(test) || !in_own_network(test) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    for_each_row(ROWS, |row| {
        for (listen, froms) in WAYS {
            let server = row.start_at(&format!("{listen}:0"), &mut row.command(&[]));
            let address = server.address().unwrap();
            for from in froms {
                let proof = scratch.path().join("it-ran");
                let request = row.request(&format!("touch {}", proof.display()));
                let to = seen_from(from, &address).to_string();
                let heard = stranger_hears(test, from, &to, &request);
                let what = format!("{}, from {from} to {to}: {heard}", row.name());
                assert!(!proof.exists(), "{what}");
                // An answer of the ack handshake comes only after an OK.
                assert!(heard.contains("refused: ") || heard.parse::<usize>().is_ok(), "{what}");
            }
        }
    });
}

#[test]
fn the_owner_is_served_from_every_local_address() {
    let test = "who_gets_in::the_owner_is_served_from_every_local_address";
    if !can_be_another(test) || !in_own_network(test) {
        return;
    }
    for_each_row(ROWS, |row| {
        for (listen, froms) in WAYS {
            let server = row.start_at(&format!("{listen}:0"), &mut row.command(&[]));
            let address = server.address().unwrap();
            for from in froms {
                let mut conn = dial(from, seen_from(from, &address));
                conn.set_read_timeout(Some(LONG)).unwrap();
                assert_eq!(row.ask(&mut conn, "echo hi"), "hi\n", "{}, from {from}", row.name());
            }
        }
    });
}

/// Beyond loopback everybody is asked for a token. A peer on this machine can be identified as well.
#[test]
fn a_stranger_who_has_the_token_is_still_a_stranger() {
    let test = "who_gets_in::a_stranger_who_has_the_token_is_still_a_stranger";
    play_part();
    if !can_be_another(test) || !in_own_network(test) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let token = token_file(scratch.path(), "token", TOKEN);
    for_each_row(ROWS, |row| {
        let mut command = row.command(&["--allow-remote", "--token-file", &token]);
        let server = row.start_at("0.0.0.0:0", &mut command);
        let address = server.address().unwrap();
        for host in ["192.0.2.2", "127.0.0.1"] {
            let to = address.replace("0.0.0.0", host);
            let heard = stranger_hears(test, "192.0.2.2:0", &to, &row.request(TOKEN));
            assert!(!heard.contains("ok\n"), "{}, to {to}: {heard}", row.name());
            let mut owner = dial("192.0.2.2:0", to.parse().unwrap());
            owner.set_read_timeout(Some(LONG)).unwrap();
            assert_eq!(row.ask(&mut owner, TOKEN), "ok\n", "{}, to {to}", row.name());
            assert_eq!(row.ask(&mut owner, "echo hi"), "hi\n", "{}, to {to}", row.name());
        }
    });
}

#[test]
fn beyond_loopback_only_with_a_token() {
    let scratch = Scratch::new().unwrap();
    let token = token_file(scratch.path(), "token", TOKEN);
    for_each_row(ROWS, |row| {
        for options in [&[][..], &["--allow-remote"], &["--token-file", &token]] {
            let refused = row.start_at("0.0.0.0:0", &mut row.command(options));
            let refused = refused.wait(LONG).unwrap();
            let stderr = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.code, Some(2), "{}: {stderr}", row.name());
            for option in ["--allow-remote", "--token-file"] {
                assert!(stderr.contains(option), "{}: {stderr}", row.name());
            }
        }
        let mut command = row.command(&["--allow-remote", "--token-file", &token]);
        let server = row.start_at("0.0.0.0:0", &mut command);
        let has_warned = |line: &Line| String::from_utf8_lossy(&line.text).contains("your shell");
        let warned = |lines: &[Line]| lines.iter().any(has_warned).then_some(());
        server.wait_until("warning", LONG, warned).unwrap();
        let address = server.address().unwrap().replace("0.0.0.0", "127.0.0.1");
        let mut conn = connect(&address);
        assert_eq!(row.ask(&mut conn, TOKEN), "ok\n", "{}", row.name());
        assert_eq!(row.ask(&mut conn, "echo hi"), "hi\n", "{}", row.name());
    });
}

/// Asked by the server's own client: without a token, with a wrong one, with the right one.
#[test]
fn a_token_comes_first() {
    let scratch = Scratch::new().unwrap();
    let right = token_file(scratch.path(), "right", &format!("{TOKEN}\n"));
    let wrong = token_file(scratch.path(), "wrong", &TOKEN.replace("some", "any"));
    for_each_row(ROWS, |row| {
        let server = row.start(&["--token-file", &right]);
        let address = server.address().unwrap();
        let proof = scratch.path().join(row.name());
        let command = format!("touch '{}'; echo hi", proof.display());
        let ask = |args: &[&str]| {
            let mut client = row.client(&address);
            client.args(["-c", &command]).args(args);
            stage::Program::start("client", &mut client).unwrap().wait(LONG).unwrap()
        };
        let done = ask(&[]);
        assert!(done.code == Some(0) && done.stdout.starts_with(b"refused: "), "{done:?}");
        let done = ask(&["--token-file", &wrong]);
        assert!(done.code == Some(4) && done.stderr.starts_with(b"refused: "), "{done:?}");
        assert!(!proof.exists(), "{}", row.name());

        let done = ask(&["--token-file", &right]);
        let said = (done.code, &done.stdout[..], &done.stderr[..]);
        assert_eq!(said, (Some(0), &b"hi\n"[..], &b"ok\n"[..]), "{}", row.name());
        assert!(proof.exists(), "{}", row.name());
    });
}

/// The file may change, become readable for everybody or disappear: what was read at the start counts until the end. And
/// somebody who can look at the serving process, such as a client's command, doesn't see the token there.
#[test]
fn a_token_is_read_once_and_seen_nowhere() {
    let scratch = Scratch::new().unwrap();
    for_each_row(ROWS, |row| {
        let file = token_file(scratch.path(), &row.name().replace(' ', "-"), TOKEN);
        let server = row.start(&["--token-file", &file]);
        let address = server.address().unwrap();
        let other = TOKEN.replace("some", "another");
        let answer_to = |token: &str| row.ask(&mut connect(&address), token);
        let steps: [(&str, &dyn Fn()); 4] = [
            ("as it was", &|| {}),
            ("changed", &|| fs::write(&file, &other).unwrap()),
            ("exposed", &|| fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap()),
            ("removed", &|| fs::remove_file(&file).unwrap()),
        ];
        for (step, take) in steps {
            take();
            assert_eq!(answer_to(TOKEN), "ok\n", "{}, {step}", row.name());
            assert!(answer_to(&other).starts_with("refused: "), "{}, {step}", row.name());
        }
        let mut owner = connect(&address);
        assert_eq!(row.ask(&mut owner, TOKEN), "ok\n", "{}", row.name());
        let look = "cat /proc/$PPID/cmdline /proc/$PPID/environ | tr '\\000\\n' '  '; echo";
        let seen = row.ask(&mut owner, look);
        assert!(seen.contains("--token-file"), "{}: {seen}", row.name());
        assert!(!seen.contains(TOKEN), "{}: {seen}", row.name());
    });
}

#[test]
fn without_a_mapped_user_nobody_is_let_in_but_by_a_token() {
    let mut unmapped = Command::new("unshare");
    if !unmapped.args(["--user", "true"]).status().is_ok_and(|status| status.success()) {
        return stage::skip("UNSTUCK_REQUIRE_NETNS", "no user namespaces here");
    }
    let scratch = Scratch::new().unwrap();
    let token = token_file(scratch.path(), "token", TOKEN);
    let proof = scratch.path().join("it-ran");
    for_each_row(ROWS, |row| {
        let start = |args: &[&str]| {
            let mut unshare = Command::new("unshare");
            let inside = row.command(args);
            unshare.arg("--user").arg(inside.get_program()).args(inside.get_args());
            row.start_as(&mut unshare)
        };
        let server = start(&[]);
        let mut conn = connect(&server.address().unwrap());
        // The refusal may come before the request is sent, and the end with it.
        let _ = conn.write_all(&row.request(&format!("touch {}", proof.display())));
        let heard = row.hear(&mut conn);
        assert!(heard.starts_with("refused: ") && heard.contains("--token-file"), "{heard}");
        assert!(!proof.exists(), "{}", row.name());
        drop(server);

        let server = start(&["--token-file", &token]);
        let mut conn = connect(&server.address().unwrap());
        assert_eq!(row.ask(&mut conn, TOKEN), "ok\n", "{}", row.name());
        assert_eq!(row.ask(&mut conn, "echo hi"), "hi\n", "{}", row.name());
        drop(conn);
        let mut conn = connect(&server.address().unwrap());
        let wrong = row.ask(&mut conn, &TOKEN.replace("some", "any"));
        assert!(wrong.starts_with("refused: "), "{wrong}");
    });
}

#[test]
fn what_is_no_command_never_runs() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}", proof.display());
    for_each_row(raw_rows(), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (request, says) in [
            (format!("GET /;{touch}; HTTP/1.1\r\nHost: {address}\r\n\r\n"), "HTTP"),
            (format!("POST /;{touch}; HTTP/1.1\r\nContent-Length: 9\r\n\r\n{touch}"), "HTTP"),
            (format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n;{touch}"), "HTTP"),
            (format!("\x16\x03\x01\0;{touch}"), "TLS"),
            (format!("{touch}\r"), "CR or LF"),
            (format!("{touch}\n{touch}"), "CR or LF"),
            (format!("{touch};\0"), "NUL"),
            (format!("{touch} # {}", "x".repeat(1024)), "1024"),
        ] {
            let mut conn = connect(&address);
            conn.write_all(request.as_bytes()).unwrap();
            let answer = row.hear(&mut conn);
            let what = format!("{}, {request:?}: {answer}", row.name());
            assert!(answer.starts_with("refused: ") && answer.contains(says), "{what}");
            assert_eq!(answer.lines().count(), 1, "{what}");
            // What follows is not treated as the next request.
            let _ = conn.write_all(touch.as_bytes());
            assert_eq!(rest_in_order(conn), b"", "{what}");
        }
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
    });
    assert!(!proof.exists());
}

#[test]
fn a_web_page_runs_nothing_however_its_request_is_cut() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let page = format!("GET /;touch$IFS{};", proof.display());
    // What follows names the protocol, so it would be refused by itself.
    let version = " HTTP/1.1";
    for_each_row(raw_rows(), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let all: [&[usize]; 4] = [&[1], &[2], &[3], &[1, 2, 3]];
        for (cuts, version_too) in all.into_iter().flat_map(|cuts| [(cuts, true), (cuts, false)]) {
            let mut conn = connect(&address);
            let mut sent = 0;
            for cut in cuts {
                // Its answer shows that this piece was read by itself, and run.
                let answer = row.ask(&mut conn, &page[sent..*cut]);
                assert!(answer.contains("not found"), "{}: {answer}", row.name());
                sent = *cut;
            }
            let rest_of_page = [&page[sent..], if version_too { version } else { "" }].concat();
            let answer = row.ask(&mut conn, &rest_of_page);
            assert!(answer.starts_with("refused: "), "{}: {answer}", row.name());
            // And it stays refused.
            let _ = conn.write_all(format!("touch {}", proof.display()).as_bytes());
            rest(&mut conn);
            assert!(!proof.exists(), "{}, cut at {cuts:?}", row.name());
        }
        assert_eq!(row.echo(&address), "hi\n");
    });
}

/// On neither side, not a piece of it, however the network cuts it, and not a wrong token either.
#[test]
fn a_token_is_in_no_log_and_no_trace() {
    let scratch = Scratch::new().unwrap();
    let token = token_file(scratch.path(), "token", TOKEN);
    for_each_row(ROWS, |row| {
        let trace = scratch.path().join(format!("{}.trace", row.name()));
        let path = trace.to_str().unwrap();
        let mut server = Command::new("/bin/sh");
        let inside = row.command(&["-v", "--token-file", &token, "--trace", path]);
        server.args(["-c", "umask 0; exec \"$@\"", "sh"]);
        server.arg(inside.get_program()).args(inside.get_args());
        let server = row.start_as(&mut server);
        let address = server.address().unwrap();

        let mut client = row.client(&address);
        client.args(["-v", "--token-file", &token, "--trace", path, "-c", "echo hi"]);
        let client = stage::Program::start("client", &mut client).unwrap();
        let client = client.wait(LONG).unwrap();
        assert_eq!(String::from_utf8_lossy(&client.stdout), "hi\n", "{}: {client:?}", row.name());

        let mut conn = connect(&address);
        let nearly = TOKEN.replace("some", "som3");
        let refused = row.ask(&mut conn, &nearly);
        assert!(refused.starts_with("refused: "), "{refused}");
        drop(conn);
        // A framed request may arrive a byte at a time.
        if !row.raw {
            let mut conn = connect(&address);
            for byte in row.request(TOKEN) {
                conn.write_all(&[byte]).unwrap();
            }
            assert_eq!(row.hear(&mut conn), "ok\n");
            // Without a frame its first four bytes are read as a length, and they aren't a possible one.
            let mut conn = connect(&address);
            conn.write_all(TOKEN.as_bytes()).unwrap();
            assert_eq!(rest(&mut conn), "");
        }
        server.signal(stage::Signal::TERM);
        let server = server.wait(LONG).unwrap();

        let logs = [server.stderr, client.stderr].concat();
        let logs = String::from_utf8_lossy(&logs);
        let events: Vec<Event> = fs::read_to_string(&trace)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let moved: Vec<u8> =
            events.iter().filter_map(|event| event.data.clone()).flatten().collect();
        let moved = String::from_utf8_lossy(&moved);
        assert!(moved.contains("echo hi"), "{}: commands are recorded", row.name());
        for secret in [TOKEN, &nearly, "token of", "of som", "\"a to\"", "61 20 74 6f"] {
            assert!(!logs.contains(secret), "{}: {secret} in the log", row.name());
            assert!(!moved.contains(secret), "{}: {secret} in the trace", row.name());
        }
        let mode = fs::metadata(&trace).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}: the trace's mode", row.name());
    });
}
