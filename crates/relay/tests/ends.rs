//! How the program `relay` ends, and that it leaves no files.
//!
//! | claim | test |
//! |---|---|
//! | INT, TERM, HUP, QUIT: exit 0, the socket's file and its lock are gone | `four_signals_end_it_alike_and_its_files_are_gone` |
//! | a terminal that closes, Ctrl-C, Ctrl-\: the same | `a_terminal_that_closes_ends_it_too` |
//! | after kill -9 the path can be used again | `what_a_killed_relay_left_is_taken_over` |
//! | a path is this user's alone, whatever the umask | `a_path_is_private_whatever_the_umask` |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]
#![allow(clippy::expect_used, reason = "the helpers of a test may fail it")]

mod terminal;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use stage::{Program, Scratch, Signal};
use terminal::Window;

const RELAY: &str = env!("CARGO_BIN_EXE_relay");
const LONG: Duration = Duration::from_secs(60);

/// A directory with a server in it that echoes, and room for the relay's socket beside it.
struct Place {
    scratch: Scratch,
    front: String,
    back: String,
}

impl Place {
    fn new() -> Place {
        let scratch = Scratch::new().unwrap();
        let [front, back] =
            ["front", "back"].map(|name| scratch.path().join(name).display().to_string());
        let server = UnixListener::bind(&back).unwrap();
        thread::spawn(move || {
            for conn in server.incoming() {
                let mut conn = conn.unwrap();
                let _ = std::io::copy(&mut conn.try_clone().unwrap(), &mut conn);
            }
        });
        Place { scratch, front, back }
    }

    fn args(&self) -> [&str; 4] {
        ["--listen", &self.front, "--to", &self.back]
    }

    fn relay(&self) -> Program {
        let relay = Program::start("relay", Command::new(RELAY).args(self.args())).unwrap();
        assert_eq!(relay.address().unwrap(), self.front);
        relay
    }

    fn is_served(&self) -> UnixStream {
        let mut client = UnixStream::connect(&self.front).unwrap();
        client.set_read_timeout(Some(LONG)).unwrap();
        client.write_all(b"hello").unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
        client
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.scratch.path()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> =
            files.map(|entry| name(entry).into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn four_signals_end_it_alike_and_its_files_are_gone() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let place = Place::new();
        let relay = place.relay();
        let _client = place.is_served();
        assert_eq!(place.files(), ["back", "front", "front.lock"]);
        relay.signal(signal);
        let done = relay.wait(LONG).unwrap();
        assert_eq!((done.code, done.signal), (Some(0), None), "{signal:?}");
        assert_eq!(place.files(), ["back"], "{signal:?}");
    }
}

#[test]
fn a_terminal_that_closes_ends_it_too() {
    type Act = fn(Window) -> Option<i32>;
    let acts: [Act; 3] = [
        |window| window.close().code(),
        |mut window| {
            window.press(b"\x03");
            window.end().0.code()
        },
        |mut window| {
            window.press(b"\x1c");
            window.end().0.code()
        },
    ];
    for (number, act) in acts.into_iter().enumerate() {
        let place = Place::new();
        let mut window = Window::start(RELAY, &place.args());
        assert_eq!(window.wait_for("listening on "), place.front);
        let _client = place.is_served();
        assert_eq!(act(window), Some(0), "{number}");
        assert_eq!(place.files(), ["back"], "{number}");
    }
}

#[test]
fn what_a_killed_relay_left_is_taken_over() {
    let place = Place::new();
    let relay = place.relay();
    relay.signal(Signal::KILL);
    assert_eq!(relay.wait(LONG).unwrap().signal, Some(9));
    assert!(place.files().contains(&"front".to_owned()));
    let relay = place.relay();
    place.is_served();
    // But not from one that is still running.
    let second = Program::start("relay", Command::new(RELAY).args(place.args())).unwrap();
    let second = second.wait(LONG).unwrap();
    assert_eq!(second.code, Some(3), "{}", String::from_utf8_lossy(&second.stderr));
    place.is_served();
    drop(relay);
}

#[test]
fn a_path_is_private_whatever_the_umask() {
    let place = Place::new();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 000 && exec \"$0\" \"$@\"", RELAY]).args(place.args());
    let relay = Program::start("relay", &mut command).unwrap();
    relay.address().unwrap();
    for name in ["front", "front.lock"] {
        let path: PathBuf = place.scratch.path().join(name);
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    place.is_served();
}
