//! Waiting, but not forever: deadlines, `poll(2)` with one, and a write that gives up on a peer who doesn't read.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use observe::Socket;
use proto::Outgoing;
use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// How long a peer may take for the rest of a request that it has begun, or leave an answer unread.
pub const FRAME_TIMEOUT: Duration = Duration::from_secs(30);

/// How many bytes of an unfinished frame an error shows.
const SHOWN: usize = 16;

/// The longest single wait: some systems refuse more than 24 days of milliseconds.
const LONGEST: Duration = Duration::from_secs(3600);

/// When waiting ends: at a moment, or never.
///
/// A timeout starts again with each call. A deadline is for all calls together. A peer who sends a byte
/// every 29 s never runs into a timeout of 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waits for as long as it takes.
    pub const NEVER: Deadline = Deadline(None);

    /// The deadline that is `time` away from now; never, if that's beyond what the clock can hold.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(time))
    }

    /// The deadline at this moment.
    pub fn at(moment: Instant) -> Deadline {
        Deadline(Some(moment))
    }

    /// A deadline that has passed.
    pub fn now() -> Deadline {
        Deadline::after(Duration::ZERO)
    }

    /// Whichever of the two comes first.
    pub fn or(self, other: Deadline) -> Deadline {
        Deadline([self.0, other.0].into_iter().flatten().min())
    }

    /// How much time is left: none once it has passed, [`Duration::MAX`] if it never does.
    pub fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Has it passed?
    pub fn has_passed(self) -> bool {
        self.left().is_zero()
    }

    /// The moment; `None` for never.
    pub fn moment(self) -> Option<Instant> {
        self.0
    }

    /// How much time is left, for poll: `None` for as long as it takes.
    pub fn timeout(self) -> Option<Duration> {
        self.0.map(|_| self.left())
    }
}

/// The time for the rest of a frame: it begins with the frame's first byte.
#[derive(Clone, Copy, Debug)]
pub struct FrameDeadline {
    timeout: Duration,
    deadline: Deadline,
}

impl FrameDeadline {
    /// Gives each frame this time.
    pub fn new(timeout: Duration) -> FrameDeadline {
        FrameDeadline { timeout, deadline: Deadline::NEVER }
    }

    /// A frame is whole. The next one has its own time, even if a part of it is here already.
    pub fn start_anew(&mut self) {
        self.deadline = Deadline::NEVER;
    }

    /// When the rest must have arrived, if this many bytes of the frame have arrived so far. For the first byte of the next
    /// frame, a peer may take as long as it likes.
    pub fn after(&mut self, unread: usize) -> Deadline {
        if unread == 0 {
            self.deadline = Deadline::NEVER;
        } else if self.deadline == Deadline::NEVER {
            self.deadline = Deadline::after(self.timeout);
        }
        self.deadline
    }
}

/// Waits until one of `fds` is ready (true) or the deadline has passed (false). A signal doesn't end the wait.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn poll(fds: &mut [PollFd<'_>], deadline: Deadline) -> io::Result<bool> {
    loop {
        let left = deadline.left().min(LONGEST);
        match event::poll(fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) if deadline.has_passed() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until there is something to read from `fd`, or the end of the stream. Without a deadline it returns at
/// once: the read itself waits.
///
/// # Errors
/// [`TimedOut`](io::ErrorKind::TimedOut) at the deadline; and what poll(2) says.
pub fn wait_readable(fd: impl AsFd, deadline: Deadline) -> io::Result<()> {
    if deadline == Deadline::NEVER {
        return Ok(());
    }
    match poll(&mut [PollFd::new(&fd, PollFlags::IN)], deadline)? {
        true => Ok(()),
        false => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// For `map_err` after a wait on `conn` that had a deadline: says what was expected, and how much of it had arrived.
pub fn still_missing<'a>(
    what: &'a str,
    came: &'a [u8],
    conn: &'a Socket,
) -> impl FnOnce(io::Error) -> io::Error + 'a {
    move |error| match error.kind() {
        kind @ io::ErrorKind::TimedOut => {
            io::Error::new(kind, missing(what, came, conn.is_masked()))
        }
        _ => error,
    }
}

fn missing(what: &str, came: &[u8], is_secret: bool) -> String {
    let bytes = if came.len() == 1 { "byte" } else { "bytes" };
    let so_far = match came.len() {
        0 => return format!("{what} did not come in time"),
        count if is_secret => format!("{count} {bytes} of {what} came"),
        count => {
            let shown = came[..count.min(SHOWN)].escape_ascii();
            let more = if count > SHOWN { "…" } else { "" };
            format!("{count} {bytes} of {what} came (\"{shown}{more}\")")
        }
    };
    format!("{so_far}, and the rest did not come in time")
}

/// The error of a peer that has left its answer unread for too long.
pub fn left_unread() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "its answer was not read in time")
}

/// Writes a message, in one call if the kernel has room for all of it. Gives up on a peer who takes nothing for
/// [`FRAME_TIMEOUT`].
///
/// A write timeout on the socket (SO_SNDTIMEO) doesn't do that: a send that took some bytes before its timeout is a
/// success, and the next one may wait as long again. With 30 s, a peer who never read kept a server busy for 94 s.
///
/// # Errors
/// [`TimedOut`](io::ErrorKind::TimedOut); and what sendmsg(2) says.
pub fn write_with_timeout<B: AsRef<[u8]>, const N: usize>(
    conn: &Socket,
    message: Outgoing<B, N>,
) -> io::Result<()> {
    write_within(FRAME_TIMEOUT, conn, message)
}

/// As [`write_with_timeout`], with a timeout of your choice.
///
/// # Errors
/// The same.
pub fn write_within<B: AsRef<[u8]>, const N: usize>(
    time: Duration,
    conn: &Socket,
    mut message: Outgoing<B, N>,
) -> io::Result<()> {
    loop {
        match message.write_to(&mut Immediate(conn)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(conn, PollFlags::OUT)];
                if !poll(&mut fds, Deadline::after(time))? {
                    return Err(left_unread());
                }
            }
            written => return written,
        }
    }
}

/// Writes what the kernel has room for, and never waits for more.
struct Immediate<'a>(&'a Socket);

impl Write for Immediate<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(data)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_immediately(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    #[test]
    fn what_is_missing_is_said_and_no_token_shown() {
        let rest = "and the rest did not come in time";
        assert_eq!(missing("`OK`", b"", false), "`OK` did not come in time");
        assert_eq!(missing("`OK`", b"O", false), format!("1 byte of `OK` came (\"O\"), {rest}"));
        let says = |count: usize, shown: &str| {
            assert_eq!(
                missing("it", &vec![b'x'; count], false),
                format!("{count} bytes of it came (\"{shown}\"), {rest}")
            );
        };
        says(16, "xxxxxxxxxxxxxxxx");
        says(17, "xxxxxxxxxxxxxxxx…");
        assert_eq!(missing("it", b"secret", true), format!("6 bytes of it came, {rest}"));
    }

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Socket::inherited(OwnedFd::from(ours)), theirs)
    }

    #[test]
    fn a_peer_who_does_not_read_is_given_up() {
        let (ours, _theirs) = pair();
        let message = Outgoing::new([vec![0; 16 << 20]]);
        let written = write_within(Duration::from_millis(50), &ours, message);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_peer_who_reads_gets_everything() {
        let (ours, mut theirs) = pair();
        let reader = thread::spawn(move || theirs.read_to_end(&mut Vec::new()).unwrap());
        write_with_timeout(&ours, Outgoing::new([vec![0; 3 << 20], vec![0; 7]])).unwrap();
        drop(ours);
        assert_eq!(reader.join().unwrap(), (3 << 20) + 7);
    }

    #[test]
    fn each_frame_has_its_own_time() {
        let mut rest = FrameDeadline::new(Duration::from_secs(30));
        assert_eq!(rest.after(0), Deadline::NEVER);
        let first = rest.after(1);
        assert_eq!(rest.after(2), first, "more bytes do not prolong it");
        rest.start_anew();
        assert_ne!(rest.after(1), first, "of the next frame a byte was here already");
    }

    #[test]
    fn the_earlier_deadline_counts_and_never_is_the_latest() {
        let (soon, late) = (Deadline::now(), Deadline::after(Duration::MAX));
        assert!(soon.has_passed() && soon.or(late).has_passed() && late.or(soon).has_passed());
        assert_eq!(late, Deadline::NEVER);
        assert!(!Deadline::NEVER.or(late).has_passed());
    }
}
