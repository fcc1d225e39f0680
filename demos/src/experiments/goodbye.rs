//! How to say goodbye: closing with unread input resets the connection, and destroys the part of the answer that was
//! still on its way. Half-close, read to the end, then close: the answer arrives whole.
//!
//! The reset says "I threw away something that you sent" (RFC 2525, 2.17), and the kernel throws away what it still had
//! to send as well. The programs of the course say goodbye properly, so the experiment does it wrong itself.
//!
//! No luck in it: the client reads only after the server has closed, and its receive buffer has no room for the whole
//! answer. So a part of the answer must still be in the server's send buffer.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::recorded::Recorded;
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use observe::Event;
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::mem;
use std::net::{Shutdown, TcpListener, TcpStream};
use timeline::Stream;

pub const EXPERIMENT: Experiment = Experiment {
    name: "goodbye",
    claim: "closing with unread input destroys an answer on its way; half-closing and draining delivers it whole",
    prediction: Prediction {
        question: "a server sends an answer of 100,000 bytes and closes, with a second command still unread in \
                   its receive buffer. The client's own receive buffer has 4 KiB, and the client reads only after \
                   the close. What does it get?",
        choices: &[
            wrong(
                "the whole answer, then the end of the stream",
                "That's what a `close` gives you if everything has been read. With unread bytes in its buffer, \
                 the server's kernel resets the connection instead, and throws away what it still had to send.",
            ),
            wrong(
                "the whole answer, then an error",
                "Only if the whole answer fits into the client's receive buffer: the reset throws away what is \
                 still on the server's side. In our run, 4,096 of the 100,000 bytes had arrived.",
            ),
            right(
                "a part of the answer, then an error",
                "`send` had taken all 100,000 bytes, but most of them were still in the server's kernel. \
                 Because of the unread command, `close` sent a reset and threw them away: 4,096 of 100,000 \
                 bytes arrived in our run.",
            ),
        ],
    },
    run,
};

const ANSWER: usize = 100_000;
/// The client's, in bytes. Linux doubles it, and it still holds less than a tenth of the answer.
const RECEIVE_BUFFER: usize = 4096;
/// The server's, in bytes: room for the whole answer, so that its send does not wait for the client.
const SEND_BUFFER: usize = 400_000;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    scene.blank()?;
    scene.says("client", "has a receive buffer of 4096 bytes; sends `one` and `two` in one go")?;
    scene.says("server", "reads `one`, answers, and closes: `two` lies unread")?;
    let hasty = hasty().map_err(SetupError::peer("closing at once"))?;
    scene.says("client", hasty.words())?;
    scene.picture(&Stream::from_events(&hasty.sends, &hasty.recvs)?.between("server", "client"))?;
    scene.blank()?;

    scene.says("client", "sends `one` and `two` in one go")?;
    scene.says("server", "reads `one`, answers, shutdown(Write), reads to the end, closes")?;
    let polite = polite().map_err(SetupError::peer("half-closing"))?;
    scene.says("client", polite.words())?;
    scene.blank()?;
    scene.count("arrived, closed at once", hasty.bytes(), ANSWER)?;
    scene.count("arrived, half-closed", polite.bytes(), ANSWER)?;
    scene.text(
        "Each server of the course ends in the second way: look for `shutdown` in tcp-basic-server.\n",
    )?;
    scene.came(match (hasty.error, hasty.bytes()) {
        (None, _) => "the whole answer, then the end of the stream",
        (Some(_), ANSWER) => "the whole answer, then an error",
        (Some(_), _) => "a part of the answer, then an error",
    });

    let reset = Some(ErrorKind::ConnectionReset);
    findings.equal("closed at once: the last recv's error", hasty.error, reset);
    findings.holds(hasty.bytes() < ANSWER, "a part of the answer to be lost", hasty.bytes());
    findings.equal("half-closed: the last recv's error", polite.error, None);
    findings.equal("half-closed: bytes that arrived:", polite.bytes(), ANSWER);
    Ok(findings.verdict("the hasty close lost part of the answer, the half-close lost nothing"))
}

/// The server closes at once. Input is unread, so the kernel resets the connection (RFC 2525, 2.17).
fn hasty() -> io::Result<Got> {
    let (mut client, mut server) = pair()?;
    hear_and_answer(&mut client, &mut server)?;
    let sends = mem::take(&mut server.events);
    drop(server);
    let error = read_to_end(&mut client);
    Ok(Got { sends, recvs: client.events, error })
}

/// The server half-closes, and closes when the client has read the end and closed.
fn polite() -> io::Result<Got> {
    let (mut client, mut server) = pair()?;
    hear_and_answer(&mut client, &mut server)?;
    server.shutdown(Shutdown::Write)?;
    let error = read_to_end(&mut client);
    let recvs = mem::take(&mut client.events);
    drop(client);
    while !server.recv(1024)?.is_empty() {}
    Ok(Got { sends: server.events, recvs, error })
}

/// Two commands arrive in one segment; the server reads only the first, and answers it.
fn hear_and_answer(client: &mut End, server: &mut End) -> io::Result<()> {
    client.send(b"onetwo")?;
    server.recv(3)?;
    server.send(&[b'x'; ANSWER])
}

type End = Recorded<TcpStream>;

fn pair() -> io::Result<(End, End)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Before connect: the handshake tells the server how much fits.
    client.set_recv_buffer_size(RECEIVE_BUFFER)?;
    client.connect(&listener.local_addr()?.into())?;
    let (server, _) = listener.accept()?;
    SockRef::from(&server).set_send_buffer_size(SEND_BUFFER)?;
    for end in [SockRef::from(&client), SockRef::from(&server)] {
        end.set_read_timeout(Some(TIMEOUT))?;
        end.set_write_timeout(Some(TIMEOUT))?;
    }
    Ok((Recorded::connected(client.into())?, Recorded::accepted(server)?))
}

/// Reads until nothing more comes: the end of the stream, or an error.
fn read_to_end(client: &mut End) -> Option<ErrorKind> {
    loop {
        match client.recv(1 << 16) {
            Ok(bytes) if bytes.is_empty() => return None,
            Ok(_) => {}
            Err(error) => return Some(error.kind()),
        }
    }
}

/// What became of the answer.
struct Got {
    sends: Vec<Event>,
    recvs: Vec<Event>,
    /// How the client's last recv failed, if it did.
    error: Option<ErrorKind>,
}

impl Got {
    fn bytes(&self) -> usize {
        let recvs = self.recvs.iter().filter(|event| event.call == "recv");
        recvs.filter_map(|recv| recv.got).sum::<u64>() as usize
    }

    fn words(&self) -> String {
        let end = self.error.map_or("the end of the stream".to_owned(), |kind| kind.to_string());
        format!("got {} of {ANSWER} bytes, then: {end}", self.bytes())
    }
}
