//! A chat: what one client says, all others read. A client that doesn't read is disconnected, and holds up nobody.
//!
//! ```text
//! 1$ cargo run -q --bin chat-server
//! listening on 127.0.0.1:8888
//! * ann is here
//! * bob is here
//!
//! 2$ cargo run -q --bin chat-client ann
//! * welcome, ann: nobody else is here yet
//! * bob is here
//! bob: hello
//!
//! 3$ cargo run -q --bin chat-client bob
//! * welcome, bob: also here: ann
//! hello
//! ```
//!
//! The loop is that of readiness-server. New is the queue: others fill it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chat::{Member, Over, Room};
use clap::Parser;
use observe::{Backoff, Failure, Socket, report, say};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Type};

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
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let listener = listen(args).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = Backoff::default();
    // Until then we don't ask for newcomers: accept failed, and would fail again.
    let mut pause: Option<Instant> = None;
    // A connection and the member of the room with the same index are one client.
    let (mut conns, mut room) = (Vec::<Socket>::new(), Room::new(args.queue as usize));
    loop {
        let now = Instant::now();
        pause = pause.filter(|end| *end > now);
        let mut newcomers = PollFlags::empty();
        newcomers.set(PollFlags::IN, pause.is_none() && conns.len() < MAX_CLIENTS);
        let mut list = vec![PollFd::new(&listener, newcomers)];
        let clients = conns.iter().zip(room.members());
        list.extend(clients.map(|(conn, member)| PollFd::new(conn, wants(member))));
        // A line that has come already doesn't make its socket readable. So we wait until it's to be heard, at most.
        let wake = room.next_line().into_iter().chain(pause).min();
        let timeout =
            wake.and_then(|at| Timespec::try_from(at.saturating_duration_since(now)).ok());
        rustix::io::retry_on_intr(|| poll(&mut list, timeout.as_ref()))
            .map_err(|error| Failure::system("waiting in poll")(error.into()))?;
        let ready: Vec<PollFlags> = list.iter().map(PollFd::revents).collect();

        for ((conn, member), ready) in conns.iter().zip(room.members()).zip(&ready[1..]) {
            // Nothing there, or no room, after all: poll tells us when that changes.
            if let Err(error) = serve(conn, member, *ready)
                && error.kind() != ErrorKind::WouldBlock
            {
                member.over = Some(Over::Broken(error.to_string()));
            }
        }
        let now = Instant::now();
        (0..conns.len()).for_each(|index| room.hear(index, now));
        while let Some((index, member)) = room.next_to_leave() {
            close(conns.swap_remove(index), member);
        }
        room.news().for_each(|news| say(format_args!("{news}")));
        if !ready[0].is_empty() {
            match listener.accept() {
                Ok((conn, _)) if set_up(&conn).is_ok() => {
                    backoff.reset();
                    conns.push(conn);
                    room.enter(now);
                }
                // Some systems refuse settings to one that's gone already. That is its end, not the server's.
                Ok(_) => {}
                // No descriptor is free, for example. To sleep here would stop everybody.
                Err(error) => match backoff.after(&error) {
                    Some(wait) => pause = Some(now + wait),
                    None => return Err(Failure::system("accepting connections")(error)),
                },
            }
        }
    }
}

/// The kernel's send buffer is a queue, too, of megabytes if we let it grow. Small, so that ours is the one that counts.
const SEND_BUFFER: usize = 16 << 10;

fn set_up(conn: &Socket) -> io::Result<()> {
    conn.set_nonblocking(true)?;
    conn.set_send_buffer_size(SEND_BUFFER)
}

fn wants(member: &Member) -> PollFlags {
    let mut wants = PollFlags::empty();
    wants.set(PollFlags::IN, !member.lines.has_next());
    wants.set(PollFlags::OUT, !member.outbox.is_empty());
    wants
}

/// What poll says without being asked. The next call on the socket says what it means.
const TROUBLE: PollFlags = PollFlags::ERR.union(PollFlags::HUP);

/// Does for one client what can be done without waiting.
fn serve(conn: &Socket, member: &mut Member, ready: PollFlags) -> io::Result<()> {
    if let Some(message) = member.outbox.next()
        && ready.intersects(PollFlags::OUT | TROUBLE)
    {
        // It may take only a part.
        let sent = conn.send(message)?;
        member.outbox.sent(sent);
    }
    // Trouble even while a line of it is waiting: poll would report it again at once, until a call has taken it.
    if ready.intersects(PollFlags::IN | TROUBLE) {
        let mut buffer = [0; 4096];
        match conn.recv(&mut buffer)? {
            0 => member.end(),
            n => member.lines.push(&buffer[..n]),
        }
    }
    Ok(())
}

fn close(conn: Socket, mut member: Member) {
    if matches!(member.over, Some(Over::Slow(_))) {
        // A close would leave it to the kernel to deliver what it still has, for as long as that takes. So: a reset.
        let _ = conn.set_linger(Some(Duration::ZERO));
    } else {
        // What goes without waiting still goes: why it is over, for example.
        while !member.outbox.is_empty() && serve(&conn, &mut member, PollFlags::OUT).is_ok() {}
    }
}

/// Passes on what each client says to all others.
///
/// The lesson: one client that doesn't read must not hold up the others. What it hasn't read waits in a queue, a queue
/// needs a limit, and at the limit somebody has to decide. This server disconnects.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// How many messages may wait for a client; with one more it is disconnected
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    queue: u32,
    #[command(flatten)]
    log: observe::LogArgs,
}
