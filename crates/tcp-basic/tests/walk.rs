//! The Python program that walks one connection through its states, and what the kernel says of both ends at each step.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use diag::State::{self, CloseWait, Established, FinWait2, Listen, TimeWait};
use stage::{Program, Stream};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn each_step_is_what_the_page_says() {
    let Some(python) = stage::python() else { return };
    let mut command = Command::new(python);
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/walk.py"), "0"]);
    let mut walk = Program::start("walk", &mut command).unwrap();
    let first = walk.wait_for_line(Stream::Stdout, "listening on ", LONG).unwrap();
    let address = first.split(". ").next().unwrap().trim_start_matches("listening on ");
    let server: SocketAddr = address.parse().unwrap();
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let can_ask = matches!(diag::connection(server, nobody), Ok(Some(it)) if it.state == Listen);
    if !can_ask {
        let _ = writeln!(io::stderr(), "no states compared: this system doesn't tell them");
    }

    let mut client = None;
    for (said, states) in [
        ("connect returned, from port ", [Some(Established), Some(Established)]),
        (
            "the client will send no more: the server's recv returned b''",
            [Some(FinWait2), Some(CloseWait)],
        ),
        ("but it still reads: the client's recv returned b'hi'", [Some(FinWait2), Some(CloseWait)]),
        ("the server closed: the client's recv returned b''", [Some(TimeWait), None]),
        ("the client closed", [Some(TimeWait), None]),
    ] {
        walk.write(b"\n").unwrap();
        let line = walk.wait_for_line(Stream::Stdout, said, LONG).unwrap();
        let client = *client.get_or_insert_with(|| {
            let port: String = line.chars().filter(char::is_ascii_digit).collect();
            SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().unwrap()))
        });
        if can_ask {
            let ends = || [(client, server), (server, client)].map(|(a, b)| state(a, b));
            let give_up = Instant::now() + LONG;
            while ends() != states && Instant::now() < give_up {
                std::thread::yield_now();
            }
            assert_eq!(ends(), states, "{said}");
        }
    }
    walk.write(b"\n").unwrap();
    assert_eq!(walk.wait(LONG).unwrap().code, Some(0));
}

fn state(local: SocketAddr, remote: SocketAddr) -> Option<State> {
    diag::connection(local, remote).unwrap().map(|end| end.state)
}
