//! `--length-key`: the length's name is part of the agreement, and both sides can call it something else.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use stage::Program;

const CLIENT: &str = env!("CARGO_BIN_EXE_fix-json-header-client");

fn server(args: &[&str]) -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-json-header-server"));
    command.args(["--listen", "127.0.0.1:0"]).args(args);
    let server = Program::start("server", &mut command).unwrap();
    let address = server.address().unwrap();
    (server, address)
}

#[test]
fn both_sides_can_call_the_length_something_else() {
    let (_server, address) = server(&["--length-key", "total_size"]);
    let ask = |key: &[&str]| {
        let mut client = Command::new(CLIENT);
        client.args(["--connect", &address, "-c", "echo hi"]).args(key).output().unwrap()
    };
    let agreed = ask(&["--length-key", "total_size"]);
    assert_eq!((agreed.status.code(), agreed.stdout.as_slice()), (Some(0), b"hi\n".as_slice()));

    let mut conn = TcpStream::connect(&address).unwrap();
    conn.write_all(b"\x07\0\0\0echo hi").unwrap();
    let mut start = [0; 20];
    conn.read_exact(&mut start).unwrap();
    assert_eq!(&start[4..], b"{\"total_size\":3,");

    drop(conn); // the server serves one client after another

    // A client that doesn't know the name says which keys it got, and what to do.
    let other = ask(&[]);
    let said = String::from_utf8(other.stderr).unwrap();
    assert_eq!(other.status.code(), Some(5), "{said}");
    for part in ["data_len", "total_size", "--length-key NAME"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_name_that_no_header_has_is_refused() {
    for name in ["", &"x".repeat(65)] {
        let mut client = Command::new(CLIENT);
        let refused = client.args(["-c", "ls", "--length-key", name]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("1 to 64 bytes"), "{said}");
    }
}

/// Like some programs that we found: a header of their own, with another name for the length.
#[test]
fn a_server_of_another_program_is_understood() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Command::new(CLIENT);
    client.args(["--length-key", "recv_size", "--requests", "raw", "-c", "ls", "--connect"]);
    client.arg(listener.local_addr().unwrap().to_string());
    let client = client.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    let mut request = [0; 2];
    conn.read_exact(&mut request).unwrap();
    let header = br#"{"filename":"a.txt","md5":"x","recv_size":5}"#;
    let length = i32::try_from(header.len()).unwrap().to_le_bytes();
    conn.write_all(&[&length, &header[..], b"a.txt"].concat()).unwrap();
    let done = client.wait_with_output().unwrap();
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(0), b"a.txt".as_slice()));
}
