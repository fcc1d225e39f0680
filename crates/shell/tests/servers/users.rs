//! Another user of this machine, played by this test program itself, started again as that user.
//!
//! Only root can become another user. As root these tests fail if that doesn't work; as anybody
//! else they print what they skip.

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A user id that nobody has, and not the overflow id.
pub const STRANGER: &str = "4321";

const PART: &str = "SERVERS_TEST_PART";
const HOLD: &str = "SERVERS_TEST_HOLD";

/// Whether this test can become another user; if not, it has said so.
pub fn can_be_another(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        stage::skip("UNSTUCK_REQUIRE_ROOT", &format!("{test}: only root can become another user"));
    }
    root
}

/// Whether the test should run here. If not, it has run in a network of its own with
/// the addresses 192.0.2.2 and 2001:db8::2, or has been skipped with a message.
pub fn in_own_network(test: &str) -> bool {
    const INSIDE: &str = "SERVERS_TEST_INSIDE";
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let script = "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ip address add 192.0.2.2/32 dev lo && \
        ip -6 address add 2001:db8::2/128 dev lo nodad && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--", "sh", "-c", script, "sh"]).arg(env::current_exe().unwrap());
    unshare.args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    let played = unshare.status().unwrap();
    assert!(played.success(), "{test} failed in its own network, or could not have one: {played}");
    false
}

/// From where, to where, what is sent, and whether the connection is held afterwards.
pub fn part(test: &str, from: &str, to: &str, request: &[u8]) -> Command {
    // The program by its open file: the stranger may not be able to enter the folder it is in.
    let exe = File::open(env::current_exe().unwrap()).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups", "/proc/self/fd/0"]);
    command.args(["--exact", test, "--nocapture"]).stdin(Stdio::from(exe));
    let request: String = request.iter().map(|byte| format!("{byte:02x}")).collect();
    command.env(PART, format!("{from} {to} {request}"));
    command
}

/// What the stranger gets when it sends this, up to the end of the stream.
pub fn stranger_hears(test: &str, from: &str, to: &str, request: &[u8]) -> String {
    let output = part(test, from, to, request).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let (_, heard) = said.split_once("heard: ").unwrap_or_else(|| panic!("no part: {output:?}"));
    heard.split("\n:heard").next().unwrap().to_owned()
}

/// Strangers who have connected and sent this, and neither read nor close until this is dropped.
pub struct Holding(Child);

impl Holding {
    pub fn start(test: &str, count: usize, to: &str, request: &[u8]) -> Holding {
        let mut part = part(test, "-", to, request);
        part.env(HOLD, count.to_string()).stdout(Stdio::piped());
        let mut holding = Holding(part.spawn().unwrap());
        let mut said = BufReader::new(holding.0.stdout.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains("holding") {
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "{line}");
        }
        holding
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Plays the part, if this process has one, and then exits.
pub fn play_part() {
    let Ok(part) = env::var(PART) else { return };
    assert_eq!(rustix::process::geteuid().as_raw().to_string(), STRANGER);
    let mut words = part.split(' ');
    let mut next = || words.next().unwrap();
    let (from, to, hex) = (next(), next(), next());
    let request: Vec<u8> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    if let Ok(count) = env::var(HOLD) {
        let held: Vec<TcpStream> =
            (0..count.parse().unwrap()).map(|_| dial(from, to.parse().unwrap())).collect();
        held.iter().for_each(|mut conn| conn.write_all(&request).unwrap());
        io::stdout().write_all(b"holding\n").unwrap();
        thread::sleep(Duration::from_secs(600)); // until it is killed
    }
    let mut conn = dial(from, to.parse().unwrap());
    conn.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A server that refuses may have closed before.
    let _ = conn.write_all(&request);
    let _ = conn.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    let _ = conn.read_to_end(&mut heard);
    let heard = format!("heard: {}\n:heard\n", String::from_utf8_lossy(&heard));
    io::stdout().write_all(heard.as_bytes()).unwrap();
    std::process::exit(0);
}

/// A connection from one address to another; `-` for whatever the system takes.
pub fn dial(from: &str, to: SocketAddr) -> TcpStream {
    let domain = if from.starts_with('[') || to.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, None).unwrap();
    if from != "-" {
        let from: SocketAddr = from.parse().unwrap();
        socket.bind(&from.into()).unwrap();
    }
    socket.connect(&to.into()).unwrap();
    socket.into()
}
