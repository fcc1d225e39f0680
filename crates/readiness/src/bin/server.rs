//! One thread for many clients: ask the kernel who is ready, and never wait for anybody else.
//!
//! ```text
//! 1$ cargo run -q --bin readiness-server
//! listening on 127.0.0.1:8888
//! from 127.0.0.1:51412
//!
//! 2$ cargo run -q --bin readiness-client
//! hello
//! HELLO
//! ```
//!
//! Start clients in a third and a fourth terminal: none waits for another. `-v` shows each call as it happens.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use observe::{Backoff, Failure, Socket, report, say, show};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Type};

/// When this many bytes of answers wait for a client, we stop reading from it until it has taken some.
const MAX_QUEUE: usize = 64 << 10;
/// With this many clients we stop accepting: a further one waits in the kernel's accept queue.
const MAX_CLIENTS: usize = 256;

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_told();
    report(run(&args))
}

fn listen(args: &Args) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(args.listen), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&args.listen.into())?;
    listener.listen(128)?;
    // A client that poll told us of may be gone when we accept it. A blocking accept would then wait for the next one.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let listener = listen(args).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = Backoff::default();
    let mut clients: Vec<Client> = Vec::new();
    // Until then we don't ask for newcomers: accept failed, and would fail again.
    let mut pause: Option<Instant> = None;
    loop {
        let now = Instant::now();
        pause = pause.filter(|end| *end > now);
        // What we're waiting for: somebody new, and of each client what `wants` says.
        let mut newcomers = PollFlags::empty();
        newcomers.set(PollFlags::IN, pause.is_none() && clients.len() < MAX_CLIENTS);
        let mut list = vec![PollFd::new(&listener, newcomers)];
        list.extend(clients.iter().map(|client| PollFd::new(&client.conn, client.wants())));
        let timeout = pause.and_then(|end| Timespec::try_from(end - now).ok());
        // The only call in this program that waits.
        rustix::io::retry_on_intr(|| poll(&mut list, timeout.as_ref()))
            .map_err(|error| Failure::system("waiting in poll")(error.into()))?;
        let ready: Vec<PollFlags> = list.iter().map(PollFd::revents).collect();

        // First the clients, because the list has them in this order.
        let mut of_clients = ready[1..].iter();
        clients.retain_mut(|client| match of_clients.next() {
            Some(ready) if !ready.is_empty() => client.serve(*ready),
            _ => true,
        });
        if !ready[0].is_empty() {
            match listener.accept() {
                Ok((conn, peer)) => {
                    backoff.reset();
                    say(format_args!("from {}", show(&peer)));
                    clients.extend(Client::new(conn, show(&peer)));
                }
                // No descriptor is free, for example. To sleep here would stop everybody.
                Err(error) => match backoff.after(&error) {
                    Some(wait) => pause = Some(Instant::now() + wait),
                    None => return Err(Failure::system("accepting connections")(error)),
                },
            }
        }
    }
}

/// What a thread would keep on its stack: which client it serves, and how far it has got.
struct Client {
    conn: Socket,
    peer: String,
    /// Answers that the kernel hasn't taken yet.
    queue: Vec<u8>,
    /// The client has ended its side of the stream.
    ended: bool,
}

impl Client {
    /// None if it's gone already: some systems then refuse the setting. That is this client's end, not the server's.
    fn new(conn: Socket, peer: String) -> Option<Client> {
        // accept doesn't pass the listener's setting on (Linux).
        conn.set_nonblocking(true).ok()?;
        Some(Client { conn, peer, queue: Vec::new(), ended: false })
    }

    fn wants(&self) -> PollFlags {
        let mut wants = PollFlags::empty();
        wants.set(PollFlags::IN, !self.ended && self.queue.len() < MAX_QUEUE);
        // Only with something to send: there's nearly always room, and poll would return at once, again and again.
        wants.set(PollFlags::OUT, !self.queue.is_empty());
        wants
    }

    // ANCHOR: steps
    /// Does what can be done without waiting. False: this connection is over.
    fn serve(&mut self, ready: PollFlags) -> bool {
        match self.receive(ready).and_then(|()| self.send()) {
            Ok(()) => !(self.ended && self.queue.is_empty()),
            // Nothing there, or no room, after all. poll tells us when that changes.
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            // One client's error is that client's end, not the server's.
            Err(error) => {
                report(Err(Failure::talking(&self.peer, "serving")(error)));
                false
            }
        }
    }

    fn receive(&mut self, ready: PollFlags) -> io::Result<()> {
        // ERR and HUP are always reported: recv or send says what they mean.
        let readable = ready.intersects(PollFlags::IN | PollFlags::ERR | PollFlags::HUP);
        if readable && self.wants().contains(PollFlags::IN) {
            let mut buffer = [0; 4096];
            // Once, not until nothing is left: if something is, poll returns again at once.
            match self.conn.recv(&mut buffer)? {
                0 => self.ended = true,
                n => self.queue.extend(buffer[..n].to_ascii_uppercase()),
            }
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        if !self.queue.is_empty() {
            // send may take only a part. The rest stays until poll says that there's room for more.
            let sent = self.conn.send(&self.queue)?;
            self.queue.drain(..sent);
        }
        Ok(())
    }
    // ANCHOR_END: steps
}

/// Answers each client in capital letters, all of them in one thread.
///
/// The lesson: poll waits for many sockets at once. Then no call may wait for a single one: recv takes what is there, send
/// takes what fits, and what doesn't fit is kept until poll says that there is room.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    #[command(flatten)]
    log: observe::LogArgs,
}
