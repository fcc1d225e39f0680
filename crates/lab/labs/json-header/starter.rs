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
        let (conn, _peer) = listener.accept()?;
        serve_peer(conn)?;
    }
}

/// One peer, until its end of stream.
fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    // This believes that one read returns one request, and sends its body back as it is. Which bytes make up a request,
    // and what should be done with them?
    let mut buffer = [0; 16 << 10];
    loop {
        let got = conn.read(&mut buffer)?;
        let Some((prefix, rest)) = buffer[..got].split_first_chunk::<4>() else { return Ok(()) };
        let length = i32::from_le_bytes(*prefix).unsigned_abs() as usize;
        let Some((header, rest)) = rest.split_at_checked(length) else { return Ok(()) };
        let header = json::parse(header).map_err(io::Error::other)?;
        let length = header.get("data_len").and_then(Value::as_u64).unwrap_or_default();
        let body = rest.get(..length as usize).unwrap_or_default();
        let op = header.get("op").and_then(Value::as_str).unwrap_or_default();
        writeln!(io::stderr(), "asked for {op} of {length} bytes")?;
        answer(&mut conn, &format!(r#"{{"data_len":{}}}"#, body.len()), body)?;
    }
}

fn answer(conn: &mut TcpStream, header: &str, body: &[u8]) -> io::Result<()> {
    let length = (header.len() as i32).to_le_bytes();
    conn.write_all(&[&length[..], header.as_bytes(), body].concat())
}
