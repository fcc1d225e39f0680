//! Writes to a program that may not read.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Write};
use std::process::ChildStdin;
use std::time::Duration;

/// How long a server may take until it listens, and a program until it takes its input.
pub(crate) const READY: Duration = Duration::from_secs(10);

/// As `write_all`, but it gives up on a program that does not read. The pipe is non-blocking.
pub(crate) fn write_all(stdin: &mut ChildStdin, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stdin.write(bytes) {
            Ok(took) => bytes = &bytes[took..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let limit = Timespec { tv_sec: READY.as_secs().cast_signed(), tv_nsec: 0 };
                match poll(&mut [PollFd::new(stdin, PollFlags::OUT)], Some(&limit)) {
                    Ok(0) => {
                        let why = "it does not read, and the pipe is full";
                        return Err(io::Error::new(ErrorKind::TimedOut, why));
                    }
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
