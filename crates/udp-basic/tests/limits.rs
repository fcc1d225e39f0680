//! The largest datagram, and a port where nobody listens: our program, and the Python ones that the page shows.
//!
//! | fault | test |
//! |---|---|
//! | a datagram that is too long | `the_largest_datagram_and_one_byte_more` |
//! | a size that no memory holds | `a_size_has_a_limit` |
//! | nobody listens on the port | `only_a_connected_socket_is_refused` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use rustix::io::Errno;
use stage::{Finished, Program};
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SIZE: &str = env!("CARGO_BIN_EXE_udp-basic-size");

#[test]
fn the_largest_datagram_and_one_byte_more() {
    let done = run(Command::new(SIZE).args(["--sizes", "1,65507,65508"]));
    let lines: Vec<&str> = text(&done.stdout).lines().collect();
    let [one, largest, longer] = lines[..] else { unreachable!("{lines:?}") };
    assert!(one.starts_with("sendto of      1 bytes: 1 received"), "{one}");
    assert!(largest.starts_with("sendto of  65507 bytes: 65507 received"), "{largest}");
    let too_long = std::io::Error::from_raw_os_error(Errno::MSGSIZE.raw_os_error());
    assert_eq!(longer, format!("sendto of  65508 bytes: {too_long}"));
    assert_eq!((done.code, text(&done.stderr)), (Some(0), ""));

    if UdpSocket::bind("[::1]:0").is_ok() {
        let done = run(Command::new(SIZE).args(["--listen", "[::1]:0", "--sizes", "65527,65528"]));
        let expected =
            format!("sendto of  65527 bytes: 65527 received\nsendto of  65528 bytes: {too_long}\n");
        assert_eq!(text(&done.stdout), expected);
    }

    let Some(mut python) = peer("size.py") else { return };
    let said = run(&mut python).stdout;
    let lines: Vec<&str> = text(&said).lines().collect();
    let [empty, .., largest, longer] = lines[..] else { unreachable!("{lines:?}") };
    assert_eq!(empty, "0 bytes sent, 0 received");
    assert_eq!(largest, "65507 bytes sent, 65507 received");
    assert!(longer.starts_with("65508 bytes: [Errno "), "{longer}");
}

#[test]
fn a_size_has_a_limit() {
    for sizes in ["1,100001", "100000000000000", "18446744073709551615", "-1"] {
        let done = run(Command::new(SIZE).arg(format!("--sizes={sizes}")));
        assert_eq!((done.code, text(&done.stdout)), (Some(2), ""), "{sizes}");
    }
}

#[test]
fn only_a_connected_socket_is_refused() {
    // Connected to itself: it keeps the port busy, but receives nothing from other sockets.
    let held = UdpSocket::bind("127.0.0.1:0").unwrap();
    held.connect(held.local_addr().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let Some(mut python) = peer("refused.py") else { return };
    let said = run(python.arg(&port)).stdout;
    let said = text(&said);
    assert!(said.starts_with("sendto took 14 bytes\n") && said.contains("timed out"), "{said}");
    let said = run(python.arg("--connect")).stdout;
    let said = text(&said);
    assert!(said.starts_with("send took 14 bytes\nConnectionRefusedError("), "{said}");
}

fn peer(name: &str) -> Option<Command> {
    let mut command = Command::new(stage::python()?);
    command.arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR")));
    Some(command)
}

fn run(command: &mut Command) -> Finished {
    Program::start("limits", command).unwrap().wait(LONG).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
