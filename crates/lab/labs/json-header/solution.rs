//! json-header: answer requests with a JSON header, `{"data_len": N, "op": "upper"}`, and a body of N bytes.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

mod json;

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use json::Value;

const MAX_HEADER: i32 = 64 << 10;
const MAX_BODY: u64 = 16 << 20;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: json-header ADDRESS");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&address);
    let _ = writeln!(io::stderr(), "json-header: {error}");
    ExitCode::FAILURE
}

fn serve(address: &str) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        // What goes wrong with one peer, a reset or nonsense, ends that peer and nothing else.
        if let Err(error) = serve_peer(conn) {
            let _ = writeln!(io::stderr(), "{peer}: {error}");
        }
    }
}

/// One peer, until its end of stream. After an error that it returns, nobody knows where the next request begins.
fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    while let Some(header) = receive_header(&mut conn)? {
        // Strict where the stream depends on it, lenient elsewhere: other members of the header are ignored.
        let Some(length) = header.get("data_len").and_then(Value::as_u64) else {
            return Err(io::Error::other("expected a data_len, a whole number from 0"));
        };
        if length > MAX_BODY {
            return Err(io::Error::other(format!("data_len is {length}, above {MAX_BODY}")));
        }
        // The body is read even if nothing can be done with it: the next request comes after it.
        let body = receive(&mut conn, length)?;
        if (body.len() as u64) < length {
            return Err(io::Error::other("the stream ended inside a body"));
        }
        let op = header.get("op").and_then(Value::as_str).unwrap_or_default();
        match run(op, body) {
            Ok(done) => answer(&mut conn, &format!(r#"{{"data_len":{}}}"#, done.len()), &done)?,
            // `why` is a text of our own: nothing in it has to be escaped in JSON.
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

/// The header of the next request; `None` if the stream ends before it.
fn receive_header(conn: &mut TcpStream) -> io::Result<Option<Value>> {
    let prefix = receive(conn, 4)?;
    if prefix.is_empty() {
        return Ok(None);
    }
    let Some(prefix) = prefix.first_chunk::<4>() else {
        return Err(io::Error::other("the stream ended inside the length of a header"));
    };
    let length = i32::from_le_bytes(*prefix);
    if !(1..=MAX_HEADER).contains(&length) {
        return Err(io::Error::other(format!(
            "a header of {length} bytes: 1 to {MAX_HEADER} may be"
        )));
    }
    let length = u64::from(length.unsigned_abs());
    let header = receive(conn, length)?;
    if (header.len() as u64) < length {
        return Err(io::Error::other("the stream ended inside a header"));
    }
    json::parse(&header).map(Some).map_err(io::Error::other)
}

/// One write for all of it: with several, the later ones would wait for an ACK (Nagle's algorithm).
fn answer(conn: &mut TcpStream, header: &str, body: &[u8]) -> io::Result<()> {
    let length = (header.len() as i32).to_le_bytes();
    conn.write_all(&[&length[..], header.as_bytes(), body].concat())
}

/// That many bytes; fewer only if the stream ends first.
fn receive(conn: &mut TcpStream, length: u64) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length).read_to_end(&mut received)?;
    Ok(received)
}
