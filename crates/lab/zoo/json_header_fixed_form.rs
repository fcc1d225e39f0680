//! Wrong: it recognises the header by its text, as its own client writes it.
//!
//! JSON says nothing of the order of members or of the white space around them. Another library, or the next version of
//! the same one, writes `{"op":"upper","data_len":6}`, and means the same. The fix is to parse the header and to ask it
//! for its members.
//!
//! lab: json-header, case: order-and-spaces

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

const MAX_HEADER: i32 = 64 << 10;
const MAX_BODY: u64 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-json-header-fixed-form ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-json-header-fixed-form: {error}");
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        if let Err(error) = serve_peer(conn) {
            let _ = writeln!(io::stderr(), "{peer}: {error}");
        }
    }
}

fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    while conn.peek(&mut [0])? > 0 {
        let header = receive_header(&mut conn)?;
        // here: it should be parsed
        let words = header.strip_prefix(r#"{"data_len": "#).and_then(|rest| rest.split_once(','));
        let length = words.and_then(|(length, _)| length.parse().ok());
        let (Some((_, op)), Some(length @ 0..=MAX_BODY)) = (words, length) else {
            return Err(io::Error::other(format!("expected a data_len of 0 to {MAX_BODY}")));
        };
        let op = op.trim_start_matches(r#" "op": ""#).trim_end_matches(r#""}"#);
        let body = receive(&mut conn, length)?;
        match run(op, body) {
            Ok(done) => answer(&mut conn, &format!(r#"{{"data_len":{}}}"#, done.len()), &done)?,
            Err(why) => answer(&mut conn, &format!(r#"{{"data_len":0,"error":"{why}"}}"#), b"")?,
        }
    }
    Ok(())
}

fn run(op: &str, mut body: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| "the body is not UTF-8");
    match op {
        "upper" => {
            body.make_ascii_uppercase();
            Ok(body)
        }
        "reverse" => Ok(text(body)?.chars().rev().collect::<String>().into_bytes()),
        "count" => Ok(text(body)?.chars().count().to_string().into_bytes()),
        _ => Err("expected upper, reverse or count as op"),
    }
}

fn receive_header(conn: &mut TcpStream) -> io::Result<String> {
    let mut prefix = [0; 4];
    conn.read_exact(&mut prefix)?;
    let length = i32::from_le_bytes(prefix);
    if !(1..=MAX_HEADER).contains(&length) {
        return Err(io::Error::other(format!("a header of {length} bytes")));
    }
    let header = receive(conn, length.unsigned_abs().into())?;
    String::from_utf8(header).map_err(io::Error::other)
}

fn answer(conn: &mut TcpStream, header: &str, body: &[u8]) -> io::Result<()> {
    let length = (header.len() as i32).to_le_bytes();
    conn.write_all(&[&length[..], header.as_bytes(), body].concat())
}

fn receive(conn: &mut TcpStream, length: u64) -> io::Result<Vec<u8>> {
    let mut received = vec![0; length as usize];
    conn.read_exact(&mut received)?;
    Ok(received)
}
