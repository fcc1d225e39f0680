//! Many clients at once: the server of fix 3, in five models.
//!
//! ```text
//! 1$ cargo run -q --bin threaded-server
//! listening on 127.0.0.1:9999
//! from 127.0.0.1:51412
//! from 127.0.0.1:51414
//!
//! 2$ cargo run -q --bin threaded-client
//! >>: sleep 5; echo hi
//! hi
//! ```
//!
//! With `--model serial` a third terminal waits until the second quits.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};
use threaded_server::processes::Inherit;
use threaded_server::{Service, limits};

fn main() -> ExitCode {
    let args = Args::parse();
    report(run(&args))
}

fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&address.into())?;
    // How many may wait to be accepted. With 5, as in many examples, some of 100 clients wait for seconds.
    listener.listen(128)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let shutdown = shell::Shutdown::on_signals()?;
    if let Some(number) = args.inherited {
        return serve_inherited(number, args, shutdown);
    }
    let gate = args.server.gate(args.listen, args.requests, &shutdown)?;
    let service = service(args, gate, shutdown, max_connections(args));
    let listener = listen(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    serve(&listener, &service, args)
}

/// The first function in each model's file shows what the model does with a connection.
fn serve(listener: &Socket, service: &Service<shell::Gate>, args: &Args) -> Result<(), Failure> {
    match args.model {
        Model::Serial => threaded_server::serial::serve(listener, service),
        Model::Threads => threaded_server::threads::serve(listener, service),
        Model::Pool => threaded_server::pool::serve(listener, service),
        Model::Processes => {
            let (secret, permit_timeout) = (service.handler.token(), args.server.limits.timeout);
            let inherit = Inherit { flag: "--inherited", secret, permit_timeout };
            threaded_server::processes::serve(listener, service, inherit)
        }
        Model::Events => threaded_server::events::serve(listener, service),
    }
}

/// One connection of the processes model, in a process of its own.
fn serve_inherited(number: u64, args: &Args, shutdown: shell::Shutdown) -> Result<(), Failure> {
    observe::never_wait_for_readers();
    let gate = |token| args.server.gate_with(token, args.requests, &shutdown);
    let gate = threaded_server::processes::with_permit(gate)?;
    threaded_server::processes::serve_inherited(number, &service(args, gate, shutdown, 1))
}

/// The number of connections, or fewer if the system doesn't allow this model that many.
fn max_connections(args: &Args) -> usize {
    match args.model {
        Model::Threads => limits::with_threads(args.max_connections),
        Model::Processes => limits::with_processes(args.max_connections),
        Model::Serial | Model::Pool | Model::Events => {
            limits::with_descriptors(args.max_connections)
        }
    }
}

fn service<H>(
    args: &Args,
    handler: H,
    shutdown: shell::Shutdown,
    max_connections: usize,
) -> Service<H> {
    Service {
        handler,
        form: args.requests,
        max_frame: args.max_frame,
        length_key: args.length_key.clone(),
        max_connections,
        frame_timeout: shell::FRAME_TIMEOUT,
        shutdown,
    }
}

fn parse_connections(text: &str) -> Result<usize, &'static str> {
    let expected =
        "expected a number from 1 on; the server prints at its start how many the system allows";
    text.parse().ok().filter(|number| *number > 0).ok_or(expected)
}

/// Runs the commands of many clients at once.
///
/// The lesson: what a server does with a connection that it has accepted. Serves it before it accepts
/// the next (serial); gives it a thread, a place in a pool, or a process of its own; or keeps it in a
/// list and waits for all at once (events). The protocol is that of fix-json-header.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::THREADED_ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// What a connection gets
    #[arg(long, value_enum, default_value_t = Model::Threads)]
    model: Model,
    /// How many connections may be open at once; any more get an error reply
    #[arg(long, value_name = "N", default_value = "256", value_parser = parse_connections)]
    max_connections: usize,
    /// How requests arrive: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: proto::request::RequestForm,
    /// The longest request that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = proto::MAX_FRAME, value_parser = observe::parse_number::<usize>)]
    max_frame: usize,
    /// What the header calls the length of the body; both sides need the same
    #[arg(long, value_name = "NAME", default_value = proto::json::LENGTH_KEY, value_parser = observe::parse_length_key)]
    length_key: String,
    #[command(flatten)]
    server: shell::ServerArgs,
    #[command(flatten)]
    log: observe::LogArgs,
    /// For the processes model itself: serve the connection on standard input, which has this number in the log
    #[arg(long, value_name = "CONN", hide = true)]
    inherited: Option<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
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
