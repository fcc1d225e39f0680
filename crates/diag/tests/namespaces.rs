//! Who owns a connection, across networks and users, according to the kernel of a real machine.
//!
//! | claim | test |
//! |---|---|
//! | each address of this machine: this user's while open, another's for another number, nobody's once closed | `every_address_of_this_machine_tells_its_user` |
//! | another network on this machine is elsewhere | `another_network_is_elsewhere` |
//! | a user without a number here is unmapped | `a_user_without_a_number_is_unmapped` |
//!
//! The tests restart themselves in networks and user namespaces of their own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use diag::{Whose, whose};
use socket2::{Domain, Socket, Type};

const PART: &str = "DIAG_TEST_PART";

/// A network with a loopback, and a virtual cable whose other end can be given to a second network.
const NETWORK: &str = r#"
PATH="$PATH:/usr/sbin:/sbin"
set -e
ip link set lo up
ip link add v0 type veth peer name v1
for each in v0 v1; do ip link set $each addrgenmode none; ip link set $each up; done
ip address add 192.0.2.1/24 dev v0
ip address add fe80::1/64 dev v0 nodad
DIAG_TEST_INTERFACE=$(ip -o link show dev v0 | cut -d: -f1)
export DIAG_TEST_INTERFACE
exec "$@"
"#;

/// Starts this part of the test in a namespace of its own, or says that it isn't possible.
fn inside(options: &[&str], script: &str, part: &str) {
    let unshare = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(options).args(["--", "sh", "-c", script, "sh"]).args(command);
        unshare
    };
    if !unshare(&["true"]).output().is_ok_and(|done| done.status.success()) {
        assert!(env::var_os("UNSTUCK_REQUIRE_NETNS").is_none(), "no unshare {options:?}");
        let _ = writeln!(std::io::stderr(), "skipped: no unshare {options:?}");
        return;
    }
    let this = env::current_exe().unwrap();
    let mut command = unshare(&[this.to_str().unwrap(), "--exact", "part", "--nocapture"]);
    let done = command.env(PART, part).output().unwrap();
    let said = [&done.stdout[..], &done.stderr].concat();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn network(part: &str) {
    let root = rustix::process::geteuid().is_root();
    let options = if root { &["--net"][..] } else { &["--net", "--user", "--map-root-user"] };
    inside(options, NETWORK, part);
}

#[test]
fn every_address_of_this_machine_tells_its_user() {
    network("addresses");
}

#[test]
fn another_network_is_elsewhere() {
    network("elsewhere");
}

#[test]
fn a_user_without_a_number_is_unmapped() {
    inside(&["--user"], "exec \"$@\"", "unmapped");
}

/// Not a test by itself: the others start it.
#[test]
fn part() {
    match env::var(PART).as_deref() {
        Ok("addresses") => addresses(),
        Ok("elsewhere") => elsewhere(),
        Ok("unmapped") => unmapped(),
        _ => {}
    }
}

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn addresses() {
    let link_local = format!("[fe80::1%{}]", env::var("DIAG_TEST_INTERFACE").unwrap());
    for (listen, from, to) in [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1", "127.0.0.1"),
        ("192.0.2.1", "127.0.0.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("[::]", "192.0.2.1", "192.0.2.1"),
        ("[::]", "127.0.0.2", "127.0.0.1"),
        ("[::]", "[::ffff:127.0.0.2]", "[::ffff:127.0.0.1]"),
        ("[::]", "[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        ("[::]", "[::1]", "[::1]"),
        ("[::]", &link_local, &link_local),
        (&link_local, &link_local, &link_local),
    ] {
        let what = format!("from {from} to {to}, which listens at {listen}");
        let address = |host: &str, port: u16| -> SocketAddr {
            format!("{host}:{port}").parse().unwrap_or_else(|_| unreachable!("{what}"))
        };
        let listener = TcpListener::bind(address(listen, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (local, remote) = (address(from, 0), address(to, port));
        let client = Socket::new(Domain::for_address(local), Type::STREAM, None).unwrap();
        client.bind(&local.into()).unwrap();
        client.connect(&remote.into()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(whose(&server, us()).unwrap(), Whose::ThisUser, "{what}");
        assert_eq!(whose(&server, us() + 1).unwrap(), Whose::AnotherUser, "{what}");
        // The client can ask about the server in the same way.
        assert_eq!(whose(&client, us()).unwrap(), Whose::ThisUser, "{what}");

        // Closed: the row stays a while, without an owner.
        drop(client);
        assert_eq!(whose(&server, us()).unwrap(), Whose::Nobody, "{what}: closed");
        assert_eq!(whose(&server, 0).unwrap(), Whose::Nobody, "{what}: it isn't root's");
    }
}

fn elsewhere() {
    // The second network gets the other end of the cable; its shell connects when we say so.
    let script = r#"
read go
ip link set v1 up && ip address add 192.0.2.2/24 dev v1
read port
exec 3<>/dev/tcp/192.0.2.1/$port
echo connected
read end
"#;
    let mut other = Command::new("unshare")
        .args(["--net", "--", "bash", "-c", script])
        .env("PATH", format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = other.stdin.take().unwrap();
    // Once it is no longer in our network, it has its own.
    let network = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net"));
    let pid = other.id().to_string();
    while network(&pid).unwrap() == network("self").unwrap() {
        std::thread::yield_now();
    }
    let moved = Command::new("sh")
        .args(["-c", r#"PATH="$PATH:/usr/sbin:/sbin" ip link set v1 netns "$0""#, &pid])
        .status();
    assert!(moved.unwrap().success());
    let listener = TcpListener::bind("192.0.2.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    write!(commands, "go\n{port}\n").unwrap();
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(peer.ip().to_string(), "192.0.2.2");
    assert_eq!(whose(&server, us()).unwrap(), Whose::Elsewhere);
    // If the address were ours, a socket that the kernel doesn't know would be nobody's, not from elsewhere.
    let ours = r#"PATH="$PATH:/usr/sbin:/sbin" ip address add 192.0.2.2/32 dev lo"#;
    assert!(Command::new("sh").args(["-c", ours]).status().unwrap().success());
    assert_eq!(whose(&server, us()).unwrap(), Whose::Nobody);
    drop(commands);
    other.wait().unwrap();
    let mut said = String::new();
    other.stdout.unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "connected\n");
}

fn unmapped() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    // Our own user has the same number here, so it proves nothing.
    assert!(diag::is_overflow_uid(us()));
    assert_eq!(whose(&server, us()).unwrap(), Whose::Unmapped);
    let (ours, _theirs) = UnixStream::pair().unwrap();
    assert_eq!(whose(&ours, us()).unwrap(), Whose::Unmapped);
}
