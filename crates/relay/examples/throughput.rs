//! How much does an idle relay cost? The same bytes, direct and through a relay, in turns.
//!
//! ```text
//! $ cargo run --release -p relay --example throughput
//! ```
//!
//! Prints each pair and the median of the ratios. 1 GB through the relay in all; every byte is compared.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use relay::{Relay, Schedule};

const PAIRS: usize = 5;
const EACH: usize = 200 << 20;
/// A block that differs at every offset from its neighbours, so that a lost or repeated piece shows.
const BLOCK: usize = 1 << 20;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "throughput: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let block: Vec<u8> =
        (0..BLOCK as u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = TcpListener::bind(anywhere)?;
    let server = listener.local_addr()?;
    let relay = Relay::start(anywhere, server, Schedule::default())?;
    let through: SocketAddr = relay.address().to_string().parse()?;

    let mut ratios = Vec::new();
    for pair in 1..=PAIRS {
        let direct = transfer(&listener, server, &block)?;
        let relayed = transfer(&listener, through, &block)?;
        let speed = |took: Duration| EACH as f64 / took.as_secs_f64() / 1e6;
        let ratio = direct.as_secs_f64() / relayed.as_secs_f64();
        ratios.push(ratio);
        writeln!(
            io::stdout(),
            "{pair}: direct {:5.0} MB/s, relayed {:5.0} MB/s, ratio {ratio:.2}",
            speed(direct),
            speed(relayed)
        )?;
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(PAIRS / 2).copied().unwrap_or_default();
    writeln!(
        io::stdout(),
        "median ratio {median:.2}; {} MB relayed, byte-exact",
        PAIRS * EACH / 1_000_000
    )?;
    Ok(())
}

/// How long it takes until the last byte has arrived.
fn transfer(listener: &TcpListener, to: SocketAddr, block: &[u8]) -> io::Result<Duration> {
    let mut client = TcpStream::connect(to)?;
    let (mut conn, _) = listener.accept()?;
    let before = Instant::now();
    thread::scope(|scope| {
        let sender =
            scope.spawn(move || (0..EACH / BLOCK).try_for_each(|_| client.write_all(block)));
        let mut buffer = vec![0; 256 << 10];
        let mut came = 0;
        loop {
            let n = conn.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            let mut got = &buffer[..n];
            while !got.is_empty() {
                let at = came % BLOCK;
                let same = got.len().min(BLOCK - at);
                if got[..same] != block[at..at + same] {
                    return Err(io::Error::other(format!("a wrong byte near {came}")));
                }
                (got, came) = (&got[same..], came + same);
            }
        }
        if came != EACH {
            return Err(io::Error::other(format!("{came} of {EACH} bytes came")));
        }
        sender.join().map_err(|_| io::Error::other("the sender panicked"))??;
        Ok(before.elapsed())
    })
}
