//! Bytes that pass unchanged and unrecorded don't have to be copied into the relay and out again.
//!
//! Linux moves them from one socket to the other inside the kernel, through a pipe: splice(2).
//! `recv` and `send` would copy each byte twice more.
//! A recorded connection, a schedule that does anything, and short messages use `recv` and `send`.

use std::io;

use observe::Socket;

/// The pipe of one direction, once it carries more than short messages.
#[derive(Debug, Default)]
pub(crate) struct Splice {
    #[cfg(target_os = "linux")]
    pipe: Option<(io::PipeReader, io::PipeWriter)>,
    held: usize,
}

impl Splice {
    /// How many bytes are in the pipe.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

#[cfg(target_os = "linux")]
impl Splice {
    /// How much we ask a pipe to hold: as much as the buffer of a socket. With twice or half as much, the relay is
    /// slower. The kernel gives less to a user who has many pipes.
    const SIZE: usize = 256 << 10;

    /// From now on bytes pass through a pipe, if the system gives us one.
    pub(crate) fn open(&mut self) {
        self.pipe = io::pipe().ok();
        if let Some((_, writer)) = &self.pipe {
            let _ = rustix::pipe::fcntl_setpipe_size(writer, Self::SIZE);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Moves what has arrived into the pipe. 0 is the end of the stream.
    pub(crate) fn take(&mut self, from: &Socket) -> io::Result<usize> {
        let Some((_, writer)) = &self.pipe else { return Err(io::ErrorKind::WouldBlock.into()) };
        let n = splice(from, writer, Self::SIZE)?;
        self.held += n;
        Ok(n)
    }

    /// Moves out of the pipe as much as the socket takes.
    pub(crate) fn give(&mut self, to: &Socket) -> io::Result<()> {
        let Some((reader, _)) = &self.pipe else { return Err(io::ErrorKind::WouldBlock.into()) };
        self.held -= splice(reader, to, self.held)?;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn splice(
    from: impl std::os::fd::AsFd,
    to: impl std::os::fd::AsFd,
    most: usize,
) -> io::Result<usize> {
    use rustix::pipe::{SpliceFlags, splice};

    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    Ok(rustix::io::retry_on_intr(|| splice(&from, None, &to, None, most, flags))?)
}

/// Other systems have no splice: there, bytes are always copied.
#[cfg(not(target_os = "linux"))]
impl Splice {
    pub(crate) fn open(&mut self) {}

    pub(crate) fn is_open(&self) -> bool {
        false
    }

    pub(crate) fn take(&mut self, _: &Socket) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn give(&mut self, _: &Socket) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
