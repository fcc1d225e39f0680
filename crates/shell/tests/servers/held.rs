//! A command that runs until it is released or killed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::rows::LONG;

/// Two FIFOs that the command opens. One shows when it runs, and when its last process is gone; the other releases it.
pub struct Held {
    tell: PathBuf,
    go: PathBuf,
    heard: File,
    release: File,
}

impl Held {
    pub fn new(folder: &Path, name: &str) -> Held {
        let fifo = |end: &str| {
            let path = folder.join(format!("{name}-{end}"));
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            // Opened for both, so that neither side waits for the other to open it.
            let file = File::options().read(true).write(true).open(&path).unwrap();
            (path, file)
        };
        let ((tell, heard), (go, release)) = (fifo("tell"), fifo("go"));
        Held { tell, go, heard, release }
    }

    /// Writes `begun` into the first FIFO, holds it open, and copies a line from the second one.
    pub fn command(&self) -> String {
        format!("exec 3>{}; echo begun >&3; head -n 1 {}", self.tell.display(), self.go.display())
    }

    pub fn wait_until_begun(&mut self) {
        assert!(self.begins_within(LONG), "it has not begun");
        let mut begun = [0; 6];
        self.heard.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"begun\n");
    }

    /// Whether it begins within this time.
    pub fn begins_within(&self, time: Duration) -> bool {
        becomes_readable(&self.heard, time)
    }

    /// The command says `released`, and ends.
    pub fn release(&mut self) {
        self.release.write_all(b"released\n").unwrap();
    }

    /// Returns once no process of the command is left. One that was not released must have been killed.
    pub fn wait_until_gone(self) {
        let mut reader = File::open(&self.tell).unwrap();
        drop(self.heard);
        assert!(becomes_readable(&reader, LONG), "it has not ended");
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "nobody holds it any more");
        for path in [self.tell, self.go] {
            fs::remove_file(path).unwrap();
        }
    }
}

fn becomes_readable(file: &File, within: Duration) -> bool {
    let limit = Timespec::try_from(within).unwrap();
    loop {
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&limit)) {
            Err(Errno::INTR) => {}
            ready => return ready.unwrap() > 0,
        }
    }
}
