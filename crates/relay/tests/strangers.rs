//! Nobody but this user is relayed, whatever address they come from.
//!
//! The server sees only the relay, which runs as its own user. So anybody who is
//! let in here can do there whatever this user can.
//!
//! | claim | test |
//! |---|---|
//! | another user is refused, and this one served: loopback, another loopback address, IPv6, IPv4 in IPv6, the address of another interface, a link-local one, a path | `no_other_user_reaches_the_server_by_any_address` |
//! | a client that has closed before the relay looks is refused | the same |
//! | if the kernel can't name the client's user, the client is refused | `a_user_whom_the_kernel_cannot_name_is_refused` |
//!
//! Becoming another user takes root, and the addresses need a network of their own. So the test starts
//! itself again: inside such a network, and from there as the other user.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, DirBuilder, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, process, thread};

use socket2::{Domain, SockAddr, Socket, Type};
use stage::{Program, Signal, Stream};

const RELAY: &str = env!("CARGO_BIN_EXE_relay");
const LONG: Duration = Duration::from_secs(60);

/// Which part this process plays: `forms`, or `client` with its arguments.
const PART: &str = "RELAY_TEST_PART";
/// The interface with the link-local address, by its number.
const INTERFACE: &str = "RELAY_TEST_INTERFACE";
/// Neither root nor the number that stands for those without one.
const SOMEBODY: u32 = 12_345;

/// A network with a loopback and a second interface.
const NETWORK: &str = r#"
PATH="$PATH:/usr/sbin:/sbin"
set -e
ip link set lo up
ip link add v0 type veth peer name v1
for each in v0 v1; do ip link set $each addrgenmode none; ip link set $each up; done
ip address add 192.0.2.2/24 dev v0
ip address add fe80::2/64 dev v0 nodad
RELAY_TEST_INTERFACE=$(ip -o link show dev v0 | cut -d: -f1)
export RELAY_TEST_INTERFACE
exec "$@"
"#;

#[test]
fn no_other_user_reaches_the_server_by_any_address() {
    let is_root = rustix::process::geteuid().is_root();
    let new_network = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(if is_root {
            &["--net"][..]
        } else {
            &["--net", "--user", "--map-root-user"]
        });
        unshare.args(["--", "sh", "-c", NETWORK, "sh"]).args(command);
        unshare
    };
    let possible = new_network(&["true"]).output().is_ok_and(|done| done.status.success());
    let this = env::current_exe().unwrap();
    let mut inside = match possible {
        true => new_network(&[this.to_str().unwrap()]),
        false => {
            stage::skip("UNSTUCK_REQUIRE_NETNS", "no second interface: addresses of loopback only");
            Command::new(&this)
        }
    };
    inside.args(["--exact", "part", "--nocapture"]);
    inside.env(PART, if is_root { "forms" } else { "forms alone" });
    if !is_root {
        stage::skip("UNSTUCK_REQUIRE_NETNS", "only root can be another user: none is tried");
    }
    let done = Program::start("inside", &mut inside).unwrap().wait(4 * LONG).unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(0), "{}{said}", String::from_utf8_lossy(&done.stdout));
}

/// Not a test of its own: what the others start.
#[test]
fn part() {
    let Ok(part) = env::var(PART) else { return };
    match part.split(' ').collect::<Vec<_>>()[..] {
        ["forms"] => forms(true),
        ["forms", _] => forms(false),
        ["client", from, to, how] => println!("\ncame: {}", client(from, to, how == "close")),
        _ => unreachable!("{part}"),
    }
}

/// Every way in which a client can connect, once as this user and once as another.
fn forms(with_others: bool) {
    let place = Place::new();
    let server = Server::start();
    let interface = env::var(INTERFACE);
    let v4 = Relay::start(&server, "127.0.0.1:0");
    let v6 = TcpListener::bind("[::]:0").is_ok().then(|| Relay::start(&server, "[::]:0"));
    let path = Relay::start(&server, &place.path.join("socket").display().to_string());
    // The file's mode keeps others out. If somebody opens it, the kernel still says who comes.
    fs::set_permissions(place.path.join("socket"), Permissions::from_mode(0o666)).unwrap();

    let mut forms = vec![
        (&v4, "127.0.0.1", "127.0.0.1"),
        (&v4, "127.0.0.2", "127.0.0.1"),
        (&v4, "::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        (&path, "-", "-"),
    ];
    if let Some(v6) = &v6 {
        forms.extend([
            (v6, "::1", "::1"),
            (v6, "127.0.0.1", "127.0.0.1"),
            (v6, "127.0.0.2", "127.0.0.1"),
            (v6, "::ffff:127.0.0.2", "::ffff:127.0.0.1"),
        ]);
    }
    let link_local = format!("fe80::2%{}", interface.as_deref().unwrap_or("none"));
    if interface.is_ok() {
        forms.push((&v4, "192.0.2.2", "127.0.0.1"));
        if let Some(v6) = &v6 {
            forms.extend([
                (v6, "192.0.2.2", "192.0.2.2"),
                (v6, "127.0.0.1", "192.0.2.2"),
                (v6, &link_local, &link_local),
            ]);
        }
    }
    for (relay, from, to) in forms {
        let from_to = format!("from {from} to {to} at {}", relay.address);
        let said = place.knock(from, &relay.to(to), "stay", None);
        assert_eq!(said, "served", "{from_to}");
        let before = server.served();
        let closed = relay.count("closed already");
        if !relay.address.contains('/') {
            // Nobody can say who owned a closed socket. (A Unix socket's peer stays known.)
            relay.stopped(|| {
                place.knock(from, &relay.to(to), "close", None);
            });
            relay.says_more("closed already", closed);
        }
        if with_others {
            let refused = relay.count("another user's");
            let said = place.knock(from, &relay.to(to), "stay", Some(SOMEBODY));
            assert_eq!(said, "refused", "{from_to}");
            relay.says_more("another user's", refused);
            relay.stopped(|| {
                place.knock(from, &relay.to(to), "close", Some(SOMEBODY));
            });
            match relay.address.contains('/') {
                true => relay.says_more("another user's", refused + 1),
                false => relay.says_more("closed already", closed + 1),
            }
        }
        assert_eq!(server.served(), before, "{from_to}: the server was reached");
    }
}

/// Says how it ended.
fn client(from: &str, to: &str, close: bool) -> String {
    let address = |text: &str, port: &str| -> SockAddr {
        let text =
            if text.contains(':') { format!("[{text}]:{port}") } else { format!("{text}:{port}") };
        text.parse::<SocketAddr>().unwrap().into()
    };
    let talk = || -> io::Result<String> {
        let (local, remote) = match to.rsplit_once('|') {
            Some((host, port)) => (Some(address(from, "0")), address(host, port)),
            None => (None, SockAddr::unix(to)?),
        };
        let domain = Domain::from(i32::from(remote.family()));
        let mut socket = Socket::new(domain, Type::STREAM, None)?;
        if let Some(local) = local {
            socket.bind(&local)?;
        }
        socket.connect(&remote)?;
        socket.set_read_timeout(Some(LONG))?;
        socket.write_all(b"hello")?;
        if close {
            return Ok("closed".into());
        }
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match talk() {
        Ok(answer) if answer.is_empty() => "refused".into(),
        Ok(answer) => answer,
        Err(error) => match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::NotConnected => {
                "refused".into()
            }
            _ => format!("{error}"),
        },
    }
}

#[test]
fn a_user_whom_the_kernel_cannot_name_is_refused() {
    let unshared = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--", command]);
        unshare
    };
    if !unshared("true").output().is_ok_and(|done| done.status.success()) {
        return stage::skip("UNSTUCK_REQUIRE_NETNS", "no user namespace");
    }
    let server = Server::start();
    let mut command = unshared(RELAY);
    command.args(["--listen", "127.0.0.1:0", "--to", &server.address]);
    let relay = Relay::of(Program::start("relay", &mut command).unwrap());
    // Inside, this user and all others have the same number.
    let (host, port) = relay.address.split_once(':').unwrap();
    assert_eq!(client(host, &format!("{host}|{port}"), false), "refused");
    relay.says_more("no number in this container", 0);
    assert_eq!(server.served(), 0);
}

/// Answers everybody, and counts them.
struct Server {
    address: String,
    served: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&served);
        thread::spawn(move || {
            for conn in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let mut conn = conn.unwrap();
                let _ = conn.read_to_end(&mut Vec::new());
                let _ = conn.write_all(b"served");
            }
        });
        Server { address, served }
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

struct Relay {
    program: Program,
    address: String,
}

impl Relay {
    fn start(server: &Server, listen: &str) -> Relay {
        let mut command = Command::new(RELAY);
        command.args(["--listen", listen, "--to", &server.address, "--allow-remote"]);
        Relay::of(Program::start("relay", &mut command).unwrap())
    }

    fn of(program: Program) -> Relay {
        Relay { address: program.address().unwrap(), program }
    }

    /// Where to connect to, for a client that knows it by this host.
    fn to(&self, host: &str) -> String {
        match self.address.contains('/') {
            true => self.address.clone(),
            false => format!("{host}|{}", self.address.rsplit_once(':').unwrap().1),
        }
    }

    fn count(&self, words: &str) -> usize {
        count(&self.program.said(), words)
    }

    /// Waits until it has said so once more.
    fn says_more(&self, words: &str, before: usize) {
        let look = |lines: &[stage::Line]| (count(lines, words) > before).then_some(());
        self.program.wait_until(words, LONG, look).unwrap();
    }

    /// Does something while the relay is stopped. The kernel completes connections anyway.
    fn stopped(&self, act: impl FnOnce()) {
        self.program.signal(Signal::STOP);
        let status = format!("/proc/{}/status", self.program.pid());
        let since = Instant::now();
        while !fs::read_to_string(&status).unwrap().contains("State:\tT") {
            assert!(since.elapsed() < LONG);
            thread::yield_now();
        }
        act();
        self.program.signal(Signal::CONT);
    }
}

fn count(lines: &[stage::Line], words: &str) -> usize {
    let has = |line: &&stage::Line| {
        line.stream == Stream::Stderr && String::from_utf8_lossy(&line.text).contains(words)
    };
    lines.iter().filter(has).count()
}

/// A directory that everybody can enter, with a copy of this program: the one that was built may be
/// where other users can't go.
struct Place {
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let path = Path::new("/tmp").join(format!("unstuck-strangers-{}", process::id()));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        let place = Place { path };
        fs::copy(env::current_exe().unwrap(), place.program()).unwrap();
        for path in [&place.path, &place.program()] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        place
    }

    fn program(&self) -> PathBuf {
        self.path.join("program")
    }

    /// A client, as this user or another; what it says.
    fn knock(&self, from: &str, to: &str, how: &str, user: Option<u32>) -> String {
        let mut client = Command::new(self.program());
        client.args(["--exact", "part", "--nocapture"]).current_dir("/");
        client.env(PART, format!("client {from} {to} {how}"));
        if let Some(user) = user {
            client.uid(user).gid(user);
        }
        let done = Program::start("client", &mut client).unwrap().wait(2 * LONG).unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        let came = said.lines().find_map(|line| line.strip_prefix("came: "));
        let complaint = String::from_utf8_lossy(&done.stderr);
        came.ok_or_else(|| format!("{said}{complaint}")).unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
