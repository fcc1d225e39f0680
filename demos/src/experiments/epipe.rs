//! The first send after the peer has closed succeeds. The next one fails with EPIPE. If SIGPIPE has its default
//! action, the program dies of it, without a message.
//!
//! The peer's close tells our kernel only that nothing more will come: a half-close looks the same. So our kernel takes
//! the bytes and sends them. The peer's kernel has nobody to give them to, and answers with a reset.
//! Only then does ours know. The experiment waits for that reset before it sends again, so luck decides nothing.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

pub const EXPERIMENT: Experiment = Experiment {
    name: "epipe",
    claim: "the first send after the peer's close succeeds, the next one fails; SIGPIPE ends a program silently",
    prediction: Prediction {
        question: "the peer has read everything and closed its socket. We send five bytes, wait a moment, and \
                   send again. What do the two sends report?",
        choices: &[
            wrong(
                "both succeed: nobody tells us",
                "The first one does, because our kernel doesn't know yet that nobody will read the bytes. But \
                 the peer's kernel answers those bytes with a reset, and after that our next `send` fails: \
                 \"Broken pipe\".",
            ),
            right(
                "first success, then an error",
                "The peer's close told our kernel only that no more bytes would come from there. So it took \
                 the first five bytes and sent them. The peer's kernel had nobody to give them to, and sent a \
                 reset. Then the second `send` said \"Broken pipe\".",
            ),
            wrong(
                "both fail: the peer is gone",
                "Seen from our side, a close looks just like a half-close: the peer sends no more, but it may \
                 still be reading. So our kernel takes the first five bytes. Only the reset that they cause \
                 makes the second `send` fail.",
            ),
        ],
    },
    run,
};

/// What a call returned: how many bytes, or the error's number.
type Said = Result<usize, Option<i32>>;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let closed = after_close().map_err(SetupError::peer("sending after a close"))?;
    let reset = after_reset().map_err(SetupError::peer("sending after a reset"))?;
    let dead = die_of_sigpipe().map_err(SetupError::peer("starting `yes`"))?;

    scene.blank()?;
    for (label, what, said) in [
        ("closed", "the peer has closed, and had read everything", &closed),
        ("reset", "the peer has closed with bytes unread: it sent a reset", &reset),
    ] {
        scene.says(label, what)?;
        for (call, said) in ["first send", "second send", "recv"].iter().zip(said) {
            scene.says(label, format!("{call}: {}", words(*said)))?;
        }
    }
    scene.says("yes", "writes `y` to a socket that the peer has closed, as its standard output")?;
    scene.says("yes", format!("ended: {}; standard error: {:?}", dead.0, dead.1))?;

    scene.came(match (closed[0], closed[1]) {
        (Ok(_), Ok(_)) => "both succeed: nobody tells us",
        (Ok(_), Err(_)) => "first success, then an error",
        (Err(_), _) => "both fail: the peer is gone",
    });
    let error = |errno: Errno| Err(Some(errno.raw_os_error()));
    let mut findings = Findings::default();
    findings.equal("after the close:", closed, [Ok(5), error(Errno::PIPE), Ok(0)]);
    // Which call reports the reset differs from system to system.
    if cfg!(target_os = "linux") {
        let expected = [error(Errno::CONNRESET), error(Errno::PIPE), Ok(0)];
        findings.equal("after the reset:", reset, expected);
    }
    findings.equal("the signal that ended `yes`:", dead.0.signal(), Some(13));
    findings.equal("what it said:", dead.1, String::new());
    Ok(findings
        .verdict("one send was taken for nobody, the next said EPIPE, and SIGPIPE said nothing"))
}

/// The peer reads everything and closes; then we send twice.
fn after_close() -> io::Result<[Said; 3]> {
    let (mut ours, theirs) = pair()?;
    drop(theirs);
    let first = said(ours.write(b"hello"));
    wait_for_reset(&ours)?;
    Ok([first, said(ours.write(b"hello")), said(ours.read(&mut [0; 8]))])
}

/// The peer closes while bytes that we sent are still unread.
fn after_reset() -> io::Result<[Said; 3]> {
    let (mut ours, theirs) = pair()?;
    ours.write_all(b"unread")?;
    // Its kernel must have the bytes before it closes.
    theirs.peek(&mut [0; 8])?;
    drop(theirs);
    wait_for_reset(&ours)?;
    Ok([said(ours.write(b"hello")), said(ours.write(b"hello")), said(ours.read(&mut [0; 8]))])
}

/// Nothing asked for, so poll returns only for an error or when both directions have ended.
fn wait_for_reset(conn: &TcpStream) -> io::Result<()> {
    let most = Timespec::try_from(TIMEOUT).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(conn, PollFlags::empty())], Some(&most))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// A C program, with SIGPIPE as the system leaves it, whose standard output is a connection that the peer has closed.
fn die_of_sigpipe() -> io::Result<(ExitStatus, String)> {
    let (ours, theirs) = pair()?;
    drop(theirs);
    let mut yes = Command::new("yes");
    yes.stdin(Stdio::null()).stdout(OwnedFd::from(ours)).stderr(Stdio::piped());
    // Rust ignores SIGPIPE, but gives the programs that it starts the default action back.
    let ended = yes.output()?;
    Ok((ended.status, String::from_utf8_lossy(&ended.stderr).into_owned()))
}

fn said(result: io::Result<usize>) -> Said {
    result.map_err(|error| error.raw_os_error())
}

fn words(said: Said) -> String {
    match said {
        Ok(n) => format!("{n} bytes"),
        Err(Some(number)) => io::Error::from_raw_os_error(number).to_string(),
        Err(None) => "an error without a number".to_owned(),
    }
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    for end in [&ours, &theirs] {
        end.set_read_timeout(Some(TIMEOUT))?;
        end.set_write_timeout(Some(TIMEOUT))?;
    }
    Ok((ours, theirs))
}
