//! Wrong: it sends the length of an answer in one write and the answer in the next.
//!
//! The length leaves at once. The answer waits: Nagle's algorithm holds back a small segment while an earlier one is
//! not acknowledged (RFC 9293, 3.7.4), and the client delays its acknowledgment, about 40 ms on Linux, in the hope of
//! sending something with it. The fix is one write for both (`write_vectored`), or else TCP_NODELAY.
//!
//! ```text
//! $ cargo run -q --bin zoo-two-writes -- --listen 127.0.0.1:8888
//! $ cargo run -q --bin fix-struct-prefix-client -- -c 'echo one' -c 'echo two'
//! ```

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};

const MAX_FRAME: i32 = 16 << 20;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let address = match &words[..] {
        [option, address] if option == "--listen" => address.parse::<SocketAddr>().ok(),
        _ => None,
    };
    // Anybody who can connect can run commands.
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-two-writes --listen ADDR (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-two-writes: cannot listen on {address}: {error}");
    ExitCode::from(3)
}

fn serve(address: SocketAddr) -> io::Result<std::convert::Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        if let Err(error) = client(conn) {
            let _ = writeln!(io::stderr(), "zoo-two-writes: {peer}: {error}");
        }
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    while let Some(command) = request(&mut conn)? {
        let run = Command::new("sh").args(["-c", &command]).stdin(Stdio::null()).output()?;
        let answer = [run.stdout, run.stderr].concat();
        let length = i32::try_from(answer.len()).map_err(io::Error::other)?;
        conn.write_all(&length.to_le_bytes())?; // here: this is sent,
        conn.write_all(&answer)?; // and this waits until that has been acknowledged
    }
    Ok(())
}

/// A length and that many bytes, or `None` at the end of the stream.
fn request(conn: &mut TcpStream) -> io::Result<Option<String>> {
    let mut prefix = [0; 4];
    match conn.read_exact(&mut prefix) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = i32::from_le_bytes(prefix);
    if !(0..=MAX_FRAME).contains(&length) {
        return Err(io::Error::other(format!("expected a length, got {length}")));
    }
    let mut command = Vec::new();
    conn.take(length.unsigned_abs().into()).read_to_end(&mut command)?;
    String::from_utf8(command).map(Some).map_err(io::Error::other)
}
