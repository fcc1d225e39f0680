//! Small servers to compare ours with, one file each: no limits, no deadlines, no shutdown, and no output.
//!
//! All speak the protocol of threaded-server. A request is its length, 4 bytes, and its bytes; the answer repeats them after
//! a JSON header, so that the server has as little as possible to do. Each gets its listening socket as its standard
//! input, like inetd's servers: so clients can connect before it runs.

mod bare_epoll;
mod ours;
pub mod plain_commands;
mod plain_mio;
mod plain_relay;
mod plain_threads;
mod plain_tokio;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;

/// A server, as the command line names it.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Peer {
    Threads,
    Pool,
    Events,
    Workers,
    PlainThreads,
    PlainMio,
    PlainTokio,
    BareEpoll,
    PlainCommands,
    PlainRelay,
}

/// Serves whoever connects to the socket that is our standard input, until somebody kills this process.
pub fn serve(peer: Peer, to: Option<SocketAddr>) -> io::Result<()> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    match peer {
        Peer::Threads | Peer::Pool | Peer::Events | Peer::Workers => ours::serve(peer, listener),
        Peer::PlainThreads => plain_threads::serve(&listener),
        Peer::PlainMio => plain_mio::serve(listener),
        Peer::PlainTokio => plain_tokio::serve(listener),
        Peer::BareEpoll => bare_epoll::serve(&listener),
        Peer::PlainCommands => plain_commands::serve(&listener),
        Peer::PlainRelay => plain_relay::serve(&listener, to.ok_or(io::ErrorKind::InvalidInput)?),
    }
}

/// A request on the wire.
pub fn request(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes(), body].concat()
}

/// The answer on the wire: header length, header, body.
pub fn answer(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let header = format!(
        r#"{{"data_len":{length},"status":0,"stdout_len":{length},"truncated":false,"timed_out":false}}"#
    );
    [&(header.len() as u32).to_le_bytes(), header.as_bytes(), body].concat()
}
