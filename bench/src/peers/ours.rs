//! Our own server: `threaded-server` with a handler that repeats what it was sent.

use std::io;
use std::net::TcpListener;

use observe::Socket;
use proto::json::LENGTH_KEY;
use proto::request::RequestForm;
use shell::{FRAME_TIMEOUT, Output, PeerGone, Shutdown};
use threaded_server::{Handler, Reply, Service, events, limits, pool, threads};

use super::Peer;

pub fn serve(peer: Peer, listener: TcpListener) -> io::Result<()> {
    let listener = Socket::inherited(listener.into());
    let shutdown = Shutdown::on_signals().map_err(io::Error::other)?;
    let served = match peer {
        Peer::Threads => threads::serve(&listener, &service(Echo::<true>, shutdown)),
        Peer::Pool => pool::serve(&listener, &service(Echo::<true>, shutdown)),
        Peer::Workers => events::serve(&listener, &service(Echo::<true>, shutdown)),
        _ => events::serve(&listener, &service(Echo::<false>, shutdown)),
    };
    served.map_err(io::Error::other)
}

fn service<H>(handler: H, shutdown: Shutdown) -> Service<H> {
    Service {
        handler,
        form: RequestForm::Framed,
        max_frame: proto::MAX_FRAME,
        length_key: LENGTH_KEY.into(),
        max_connections: limits::with_threads(12_000),
        frame_timeout: FRAME_TIMEOUT,
        shutdown,
    }
}

/// Answers at once, but doesn't always say so: if it doesn't, the events model calls it in another thread.
struct Echo<const WAITS: bool>;

impl<const WAITS: bool> Handler for Echo<WAITS> {
    type Session = ();
    const WAITS: bool = WAITS;

    fn setup(&self, _: &shell::Peer<'_>) -> Result<(), Output> {
        Ok(())
    }

    fn handle(&self, (): &mut (), request: &[u8], _: &shell::Peer<'_>) -> Result<Reply, PeerGone> {
        let output = Output { stdout: request.to_vec(), ..Output::default() };
        Ok(Reply { output, last: false })
    }
}
