//! A terminal for programs under test: they see it as theirs, and it can close.

#![allow(dead_code, reason = "each file of tests uses its part")]
#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const LONG: Duration = Duration::from_secs(60);

/// A terminal window, and the program that was started in it.
pub struct Window {
    keys: File,
    said: String,
    program: Child,
}

impl Window {
    /// Starts a program as a terminal window does: in a session of its own, with the terminal as its
    /// standard streams.
    pub fn start(program: &str, args: &[&str]) -> Window {
        // Closed in the program: a terminal that the program itself holds open would never close.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let screen = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(OpenptFlags::NOCTTY.bits().cast_signed());
            options.open(name.to_str().unwrap()).unwrap()
        };
        // setsid(1) makes the session and takes the terminal, which std can't do without unsafe.
        let mut command = Command::new("setsid");
        command.args(["--ctty", program]).args(args);
        command.stdin(screen()).stdout(screen()).stderr(screen());
        let program = command.spawn().unwrap();
        drop(command);
        Window { keys: File::from(keys), said: String::new(), program }
    }

    /// Reads the program's output up to these words, and returns the rest of that line.
    pub fn wait_for(&mut self, words: &str) -> String {
        loop {
            if let Some((_, rest)) = self.said.split_once(words)
                && let Some((line, _)) = rest.split_once("\r\n")
            {
                return line.to_owned();
            }
            let mut buffer = [0; 4096];
            let n = self
                .keys
                .read(&mut buffer)
                .unwrap_or_else(|error| unreachable!("{error}: {}", self.said));
            self.said.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    }

    /// Presses keys: `\x03` is Ctrl-C, `\x1c` is Ctrl-\.
    pub fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    /// Waits until the program has ended, and reads its output meanwhile.
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut rest = Vec::new();
        // EIO: the other side is closed.
        let _ = self.keys.read_to_end(&mut rest);
        self.said.push_str(&String::from_utf8_lossy(&rest));
        (wait(&mut self.program), self.said)
    }

    /// Closes the window: the program loses its terminal (SIGHUP).
    pub fn close(self) -> ExitStatus {
        let Window { keys, mut program, .. } = self;
        drop(keys);
        wait(&mut program)
    }

    pub fn pid(&self) -> u32 {
        self.program.id()
    }
}

fn wait(program: &mut Child) -> ExitStatus {
    let since = Instant::now();
    loop {
        if let Some(status) = program.try_wait().unwrap() {
            return status;
        }
        if since.elapsed() > LONG {
            program.kill().unwrap();
        }
        std::thread::yield_now();
    }
}
