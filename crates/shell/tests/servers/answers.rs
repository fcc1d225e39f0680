//! Requests are understood however they arrive, and answers arrive whole, or they say what is missing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use diag::{Kernel, Received};
use stage::Stream;

use crate::process::until;
use crate::rows::{LONG, ROWS, Row, connect, every_form, for_each_row, read, rest_in_order};

#[test]
fn a_request_may_be_cut_anywhere() {
    for_each_row(ROWS.into_iter().filter(|row| !row.raw), |row| {
        let server = row.start(&[]);
        let mut conn = connect(&server.address().unwrap());
        let request = row.request("echo hi");
        let mut sent = 0;
        let in_two = (1..request.len()).map(|cut| vec![&request[..cut], &request[cut..]]);
        for pieces in in_two.chain([request.chunks(1).collect()]) {
            for piece in &pieces {
                conn.write_all(piece).unwrap();
                sent += piece.len() as u64;
                // Otherwise one read could return two pieces.
                wait_until_read(&conn, sent);
            }
            assert_eq!(row.hear(&mut conn), "hi\n", "{}: {pieces:?}", row.name());
        }
    });
}

/// Garbage, a negative, a huge or a cut length.
#[test]
fn a_framing_error_ends_one_connection() {
    for_each_row(ROWS.into_iter().filter(|row| !row.raw), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (sent, says) in [
            (&b"\xff\xff\xff\xff"[..], "-1"),
            (b"\0\0\0\x80", "-2147483648"),
            (b"\xff\xff\xff\x7f", "2147483647"),
            (b"GET / HTTP/1.1\r\n\r\n", "542393671"),
            (b"\x16\x03\x01\x02\0\x01", "33620758"),
            (b"\x07\0", "2 of 4"),
            (b"\x07\0\0\0ech", "3 of 7"),
        ] {
            let mut conn = connect(&address);
            let us = conn.local_addr().unwrap();
            conn.write_all(sent).unwrap();
            assert_eq!(rest_in_order(conn), b"", "{}", row.name());
            let line = format!("{}: {us}: ", row.server);
            let said = server.wait_for_line(Stream::Stderr, &line, LONG).unwrap();
            assert!(said.contains(says), "{}: {said}", row.name());
        }
        assert_eq!(row.echo(&address), "hi\n", "{}: the next one is served", row.name());
    });
}

/// Waits until the server has read this many bytes.
fn wait_until_read(conn: &TcpStream, total: u64) {
    let (us, server) = (conn.local_addr().unwrap(), conn.peer_addr().unwrap());
    let kernel = Kernel::new().unwrap();
    until(|| kernel.received(server, us).unwrap() == Received { total, unread: 0 });
}

/// What `head -c 300000 /dev/zero` prints: more than a send buffer takes at first.
const ZEROS: &str = "head -c 300000 /dev/zero";

fn zeros(answer: &[u8]) -> usize {
    answer.iter().filter(|byte| **byte == 0).count()
}

#[test]
fn the_answer_arrives_though_nothing_more_is_sent() {
    for_each_row(every_form(), |row| {
        let server = row.start(&[]);
        let mut conn = connect(&server.address().unwrap());
        conn.write_all(&row.request(ZEROS)).unwrap();
        row.say_ok(&mut conn);
        let came = rest_in_order(conn);
        assert!(came.ends_with(&[0; 300_000]), "{}: {}", row.name(), zeros(&came));
    });
}

/// Without a lingering close, the unread bytes would turn the end into a reset, which can overtake the answer.
#[test]
fn the_answer_arrives_though_input_is_unread() {
    for_each_row(every_form(), |row| {
        let server = row.start(&[]);
        let mut conn = connect(&server.address().unwrap());
        conn.write_all(&row.request(ZEROS)).unwrap();
        let mut came = Vec::new();
        if row.raw && row.say_ok(&mut conn) == 0 {
            // If it were sent before the answer begins, the next request could be mistaken for the end of this one.
            came.push(0xff);
            read(&mut conn, &mut came);
        }
        // Not a request in either form, and much more than the server reads at once.
        conn.write_all(b"\xff\xff\xff\xff\n").unwrap();
        let _ = conn.write_all(&[b'x'; 300_000]);
        came.extend(rest_in_order(conn));
        // A refusal may follow; the four bytes of its length may hold zeros too.
        assert!((300_000..300_010).contains(&zeros(&came)), "{}: {}", row.name(), zeros(&came));
    });
}

#[test]
fn an_answer_that_is_cut_short_says_so() {
    for_each_row(ROWS, |row| {
        let server = row.start(&["--timeout", "1", "--max-output", "100"]);
        let address = server.address().unwrap();
        for (command, said, json) in [
            ("printf half; sleep 600", "half\ntimed out: ", "\"timed_out\":true"),
            ("yes | head -c 1000", "y\ntruncated: ", "\"truncated\":true"),
        ] {
            let mut conn = connect(&address);
            conn.write_all(&row.request(command)).unwrap();
            row.say_ok(&mut conn);
            // To the end of the answer, whatever the protocol makes of it.
            conn.shutdown(Shutdown::Write).unwrap();
            let mut came = Vec::new();
            conn.read_to_end(&mut came).unwrap();
            let came = String::from_utf8_lossy(&came);
            assert!(came.contains(said) || came.contains(json), "{}: {came}", row.name());
        }
    });
}

/// A parent may have left SIGCHLD ignored. Then the kernel forgets how a child ended, unless the
/// program does something about it.
#[test]
fn a_command_s_status_is_known_whoever_started_the_server() {
    for_each_row(ROWS.into_iter().filter(Row::has_status), |row| {
        let mut server = Command::new("/bin/sh");
        let inside = row.command(&[]);
        server.args(["-c", "trap '' CHLD; exec \"$@\"", "sh"]);
        server.arg(inside.get_program()).args(inside.get_args());
        let server = row.start_as(&mut server);
        let mut conn = connect(&server.address().unwrap());
        for (command, status) in [("exit 3", "\"status\":3,"), ("kill -9 $$", "{\"signal\":9}")] {
            conn.write_all(&row.request(command)).unwrap();
            let mut answer = [0; 200];
            let n = read(&mut conn, &mut answer);
            let answer = String::from_utf8_lossy(&answer[..n]);
            assert!(answer.contains(status), "{}: {command}: {answer}", row.name());
        }
    });
}
