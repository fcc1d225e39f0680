//! Flow control: a reader that doesn't read stops the sender, and when it reads, the sender goes on.
//!
//! The sender never waits, so it can say exactly how much was taken. When `send` has no more room, the bytes may still be
//! on their way from one buffer to the other, which makes room again. So the experiment goes on until the sender's
//! kernel says that it only asks now and then whether the other side has room (Linux: sock_diag(7)); elsewhere until
//! there was no room for a second.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use diag::Connection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub const EXPERIMENT: Experiment = Experiment {
    name: "flow",
    claim: "send returns when the kernel has the bytes; a peer that doesn't read stops the sender, until it reads",
    prediction: Prediction {
        question: "a program sends and sends, on an ordinary socket (one that blocks), to a peer that never calls \
                   `recv`. What happens?",
        choices: &[
            wrong(
                "send fails after a while",
                "A peer that doesn't read isn't an error. Its kernel goes on answering, and says that its \
                 buffer is full. So `send` waits for room, however long that takes, unless you set a timeout.",
            ),
            wrong(
                "it goes on: it can send as much as it likes",
                "Bytes that nobody has read have to be kept somewhere: in two buffers, one in each kernel. In \
                 our run, they were full after 4,196,352 bytes, and the sender had to stop.",
            ),
            right(
                "send takes bytes for a while, then it waits",
                "`send` only hands bytes to the kernel. When the reader's receive buffer and the sender's send \
                 buffer are full (after 4,196,352 bytes in our run), there's no more room, and `send` waits \
                 until somebody reads.",
            ),
        ],
    },
    run,
};

/// More than any two buffers hold.
const OFFERED: usize = 1 << 30;
const PIECE: usize = 64 << 10;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let (mut sender, mut reader) = pair().map_err(SetupError::peer("connecting"))?;
    let sent = send_until_full(&mut sender).map_err(SetupError::peer("sending"))?;
    let mut table = format!("{:<31}{:>12}{:>12}\n", "", "Send-Q", "Recv-Q");
    let stopped = queues(&sender, &reader);
    table += &row(&format!("send took {sent} bytes"), stopped);

    // All of what was taken, and not a byte more.
    reader.read_exact(&mut vec![0; sent]).map_err(SetupError::peer("reading what was taken"))?;
    let emptied = settle(&sender, &reader, |[send, recv]| send + recv == 0);
    table += &row(&format!("the reader took {sent}"), emptied);
    let again = sender.write(b"and on").map_err(SetupError::peer("sending again"))?;
    let last = settle(&sender, &reader, |[send, recv]| send == 0 && recv == again);
    table += &row(&format!("send took {again} more"), last);
    scene.table(&table)?;
    scene.text(match stopped {
        Some(_) => {
            "Send-Q: bytes in the sender's kernel that the other one has not confirmed. Recv-Q: bytes in the reader's \
             kernel that no recv has taken. Together they are all that was sent.\n"
        }
        None => "Only Linux tells how much is in which buffer.\n",
    })?;

    scene.came(match sent {
        OFFERED.. => "it goes on: it can send as much as it likes",
        _ => "send takes bytes for a while, then it waits",
    });
    let mut findings = Findings::default();
    findings.holds(sent < OFFERED, "the sender to be stopped before 1 GiB", sent);
    if let Some([send, recv]) = stopped {
        findings.equal("stopped, in both buffers:", send + recv, sent);
        findings.equal("after the reader, in both:", emptied, Some([0, 0]));
        findings.equal("after one more send:", last, Some([0, again]));
    }
    findings.equal("taken when the reader had read:", again, "and on".len());
    Ok(findings
        .verdict("the sender was stopped with two full buffers, and went on when they were empty"))
}

/// Sends as much as the two kernels take, and returns how much that was.
fn send_until_full(sender: &mut TcpStream) -> io::Result<usize> {
    sender.set_nonblocking(true)?;
    let (piece, mut sent) = ([b'x'; PIECE], 0);
    while sent < OFFERED {
        match sender.write(&piece) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !room_again(sender)? {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

/// Waits until there is room, or until it's certain that there will be none as long as nobody reads.
fn room_again(sender: &TcpStream) -> io::Result<bool> {
    let (step, most) = match cfg!(target_os = "linux") {
        true => (Duration::from_millis(10), TIMEOUT),
        false => (Duration::from_secs(1), Duration::ZERO),
    };
    let give_up = Instant::now() + most;
    loop {
        let wait = Timespec::try_from(step).map_err(io::Error::other)?;
        if poll(&mut [PollFd::new(sender, PollFlags::OUT)], Some(&wait))? > 0 {
            return Ok(true);
        }
        let full = end(sender).is_some_and(|end| end.probes_window);
        if full || Instant::now() >= give_up {
            return Ok(false);
        }
    }
}

/// The sender's Send-Q and the reader's Recv-Q, if the system reports them.
fn queues(sender: &TcpStream, reader: &TcpStream) -> Option<[usize; 2]> {
    Some([end(sender)?.send_queue as usize, end(reader)?.recv_queue as usize])
}

/// What they are when they are as expected: the last packets may need a moment.
fn settle(
    sender: &TcpStream,
    reader: &TcpStream,
    expected: impl Fn([usize; 2]) -> bool,
) -> Option<[usize; 2]> {
    let give_up = Instant::now() + TIMEOUT;
    loop {
        let seen = queues(sender, reader)?;
        if expected(seen) || Instant::now() > give_up {
            return Some(seen);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn end(conn: &TcpStream) -> Option<Connection> {
    diag::connection(conn.local_addr().ok()?, conn.peer_addr().ok()?).ok()?
}

fn row(what: &str, queues: Option<[usize; 2]>) -> String {
    let [send, recv] =
        queues.map_or(["?".to_owned(), "?".to_owned()], |it| it.map(|n| n.to_string()));
    format!("{what:<31}{send:>12}{recv:>12}\n")
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    let (reader, _) = listener.accept()?;
    reader.set_read_timeout(Some(TIMEOUT))?;
    Ok((sender, reader))
}
