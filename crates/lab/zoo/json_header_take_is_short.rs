//! Wrong: it believes that `take(n)` returned n bytes.
//!
//! `take` and `read_to_end` end where the stream ends, and that is no error to them: half a body is answered as a whole
//! one. The fix is `read_exact`, or to compare the lengths.
//!
//! lab: json-header, case: end-inside

#[path = "../labs/json-header/json.rs"]
mod json;

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

use json::Value;

const MAX_HEADER: i32 = 64 << 10;
const MAX_BODY: u64 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    let Err(_) = serve(address);
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
        let length = header.get("data_len").and_then(Value::as_u64);
        let Some(length @ 0..=MAX_BODY) = length else {
            return Err(io::Error::other(format!("expected a data_len of 0 to {MAX_BODY}")));
        };
        let body = receive(&mut conn, length)?;
        let op = header.get("op").and_then(Value::as_str).unwrap_or_default();
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

fn receive_header(conn: &mut TcpStream) -> io::Result<Value> {
    let mut prefix = [0; 4];
    conn.read_exact(&mut prefix)?;
    let length = i32::from_le_bytes(prefix);
    if !(1..=MAX_HEADER).contains(&length) {
        return Err(io::Error::other(format!("a header of {length} bytes")));
    }
    let header = receive(conn, length.unsigned_abs().into())?;
    json::parse(&header).map_err(io::Error::other)
}

fn answer(conn: &mut TcpStream, header: &str, body: &[u8]) -> io::Result<()> {
    let length = (header.len() as i32).to_le_bytes();
    conn.write_all(&[&length[..], header.as_bytes(), body].concat())
}

fn receive(conn: &mut TcpStream, length: u64) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length).read_to_end(&mut received)?; // here: is that all of them?
    Ok(received)
}
