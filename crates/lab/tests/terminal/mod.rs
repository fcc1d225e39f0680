//! A program on a terminal, in a session of its own, as in a window, and whether anything of it is left behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use stage::Scratch;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

/// How somebody might end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Ctrl-C: SIGINT to the foreground process group.
    Interrupt,
    /// Ctrl-\: SIGQUIT.
    Quit,
    /// The window is closed: SIGHUP.
    HangUp,
    /// `kill -9`.
    Kill,
}

pub const ENDS: [End; 4] = [End::Interrupt, End::Quit, End::HangUp, End::Kill];

pub struct Terminal {
    ours: Option<File>,
    program: Child,
    seen: Vec<u8>,
    /// What the programs write to [`SAY`]. The channel closes when every process that was started has ended.
    said: Receiver<String>,
    temporary: Scratch,
    _fifo: Scratch,
}

/// Where a program can tell the test something: descriptor 10, which every process inherits.
pub const SAY: &str = "/proc/self/fd/10";

impl Terminal {
    /// Starts a program in a folder. Its temporary files go into a folder of their own.
    pub fn open(folder: &Path, program: &Path, words: &[&str]) -> Terminal {
        let temporary = Scratch::new().unwrap();
        let keep = Scratch::new().unwrap();
        let (said, fifo) = fifo(&keep);
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        fcntl_setfd(&ours, FdFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        // It becomes the leader of a session with this terminal. Any descriptor left open goes to it and to all its
        // children.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "bash", "-c", "exec 10>\"$0\"; exec \"$@\""]);
        command.arg(fifo).arg(program).args(words).current_dir(folder);
        command.env("TMPDIR", temporary.path());
        command
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs);
        let program = command.spawn().unwrap();
        Terminal {
            ours: Some(ours.into()),
            program,
            seen: Vec::new(),
            said,
            temporary,
            _fifo: keep,
        }
    }

    /// Returns everything up to this text, and forgets it.
    pub fn read_until(&mut self, text: &str) -> String {
        let ours = self.ours.as_mut().unwrap();
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if let Some((before, after)) = seen.split_once(text) {
                self.seen = after.as_bytes().to_vec();
                return before.to_owned();
            }
            let limit = Timespec { tv_sec: LONG.as_secs().cast_signed(), tv_nsec: 0 };
            let ready = poll(&mut [PollFd::new(ours, PollFlags::IN)], Some(&limit));
            assert_eq!(ready, Ok(1), "{text:?} never came; what came was {seen}");
            let mut buffer = [0; 4096];
            let got = ours.read(&mut buffer).unwrap_or_else(|error| panic!("{error}: {seen}"));
            self.seen.extend_from_slice(&buffer[..got]);
        }
    }

    /// Waits until this has been said this many times.
    pub fn wait_until_said(&self, what: &str, times: usize) {
        for _ in 0..times {
            assert_eq!(
                self.said.recv_timeout(LONG).as_deref(),
                Ok(what),
                "it was not said {times} times"
            );
        }
    }

    /// Waits until the program itself has this many children.
    pub fn wait_for_children(&self, count: usize) {
        let deadline = Instant::now() + LONG;
        let children = format!("/proc/{0}/task/{0}/children", self.program.id());
        let look = || fs::read_to_string(&children).unwrap().split_whitespace().count();
        while look() < count {
            assert!(Instant::now() < deadline, "{} of {count} children", look());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it, and returns its exit code.
    pub fn end(&mut self, how: End) -> Option<i32> {
        match how {
            End::Interrupt => self.ours.as_mut().unwrap().write_all(b"\x03").unwrap(),
            End::Quit => self.ours.as_mut().unwrap().write_all(b"\x1c").unwrap(),
            End::HangUp => self.ours = None,
            End::Kill => self.program.kill().unwrap(),
        }
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "{how:?} does not end it");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until every process that was started has ended, and checks that its temporary files are gone.
    pub fn nothing_is_left(&self, of: &str) {
        let deadline = Instant::now() + LONG;
        // Whatever arrives before the channel closes is output that was still on its way.
        while self.said.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        assert!(Instant::now() < deadline, "a process of {of} was left behind");
        let left: Vec<PathBuf> = fs::read_dir(self.temporary.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "{of} left {left:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failed test it may still be running.
        let _ = kill_process(Pid::from_child(&self.program), Signal::KILL);
        let _ = self.program.wait();
    }
}

/// The lines that arrive through a FIFO, until no process has it open any more.
fn fifo(keep: &Scratch) -> (Receiver<String>, PathBuf) {
    let path = keep.path().join("said");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (tell, said) = channel();
    let reader = path.clone();
    std::thread::spawn(move || {
        let lines = BufReader::new(File::open(reader).unwrap()).lines();
        lines.map_while(Result::ok).for_each(|line| _ = tell.send(line));
    });
    (said, path)
}
