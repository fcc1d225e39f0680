//! Many clients at once: the server of fix 3, in five models.
//!
//! ```text
//! terminal 1                                    terminals 2, 3, …
//! $ cargo run -q --bin threaded-server          $ cargo run -q --bin threaded-client
//! listening on 127.0.0.1:9999                   >>: sleep 5; echo hi
//! from 127.0.0.1:51412                          hi
//! from 127.0.0.1:51414
//! ```
//!
//! With `--model serial` the third terminal waits for the second.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use observe::{Failure, LogArgs, Socket, never_wait_for_readers, report, show};
use proto::request::RequestForm;
use proto::{MAX_FRAME, agreed};
use shell::{ServerArgs, Stop};
use socket2::{Domain, SockAddr, Type};
use threaded_server::{Service, events, pool, processes, serial, threads};

/// Runs the commands of many clients at once.
///
/// The lesson: what a server does with a connection that it has accepted. Serves it before it accepts
/// the next (serial); gives it a thread, a place in a pool, or a process of its own; or keeps it in a
/// list and waits for all at once (events). The protocol is that of fix-json-header.
#[derive(Parser)]
#[command(
    version,
    after_help = "Three terminals:\n  1$ threaded-server --model serial\n  2$ threaded-client\n  3$ threaded-client -c 'echo hi'\n\nThe third waits until the second quits. With any other model it does not."
)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = agreed::THREADED_ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// What a connection gets
    #[arg(long, value_enum, default_value_t = Model::Threads)]
    model: Model,
    /// How many connections may be open at once; a further one is told so
    #[arg(long, value_name = "N", default_value = "256", value_parser = clap::value_parser!(u16).range(1..=4096))]
    max_connections: u16,
    /// How requests come: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: RequestForm,
    /// The longest request that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = MAX_FRAME)]
    max_frame: usize,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
    /// For the processes model itself: serve the connection on standard input
    #[arg(long, hide = true)]
    inherited: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    /// its turn: one client after another
    Serial,
    /// a thread
    Threads,
    /// one of 64 threads, or a place in the queue
    Pool,
    /// a process
    Processes,
    /// a place in one thread's list
    Events,
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| run(&args)))
}

fn run(args: &Args) -> Result<(), Failure> {
    let gate = args.server.gate(args.listen, args.requests)?;
    let stop = Stop::on_signals().map_err(Failure::listen(args.listen))?;
    if args.inherited {
        never_wait_for_readers();
        let failed = |error| Failure::talking("stdin", "serving")(error);
        let service = service(args, processes::with_permit(gate).map_err(failed)?, stop);
        return processes::serve_inherited(&service).map_err(failed);
    }
    let service = service(args, gate, stop);
    let listener = listen(args.listen).map_err(Failure::listen(args.listen))?;
    let address = listener.local_addr().map_err(Failure::listen(args.listen))?;
    writeln!(io::stdout(), "listening on {}", show(&address)).map_err(Failure::Stdout)?;
    match args.model {
        Model::Serial => serial::serve(&listener, &service),
        Model::Threads => threads::serve(&listener, &service),
        Model::Pool => pool::serve(&listener, &service),
        Model::Processes => processes::serve(&listener, &service, "--inherited"),
        Model::Events => events::serve(&listener, &service),
    }
    .map_err(Failure::listen(args.listen))
}

fn service<H>(args: &Args, handler: H, stop: Stop) -> Service<H> {
    Service {
        handler,
        form: args.requests,
        max_frame: args.max_frame,
        max_connections: args.max_connections.into(),
        patience: Duration::from_secs(30),
        stop,
    }
}

fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&SockAddr::from(address))?;
    // How many may wait to be accepted. With 5, as in many examples, a crowd of 100 waits for seconds.
    listener.listen(128)?;
    Ok(listener)
}
