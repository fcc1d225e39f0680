//! How fast is a Unix socket compared with TCP over loopback? Measured as a ratio: the two in turn, many times.
//!
//! The same two threads do the same work over one and right afterwards over the other, and the ratio of the two times
//! counts: whatever slows the machine at that moment slows both. The experiment holds both ends itself, because the
//! programs of the course would measure their own printing.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::samples::Samples;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

pub const EXPERIMENT: Experiment = Experiment {
    name: "unix-speed",
    claim: "a Unix socket's round trip takes less than loopback TCP's, or about as long: measured as a ratio",
    prediction: Prediction {
        question: "a byte goes there and back, over a Unix socket and over TCP on this machine. How do the two \
                   times compare?",
        choices: &[
            wrong(
                "the Unix socket takes a tenth of TCP's time, or less",
                "TCP over loopback doesn't leave the machine either: both hand a byte to the kernel, which \
                 wakes the reader. The round trips took 3.70 µs and 5.59 µs in our run.",
            ),
            right(
                "the Unix socket takes somewhat less, or as long",
                "A Unix socket has no segments, acknowledgements or timers to handle, so it has less to do. How \
                 much less, your machine decides: 3.70 µs against 5.59 µs in our run.",
            ),
            wrong(
                "TCP takes clearly less",
                "TCP has more to do for the same byte: segments, acknowledgements, timers. Even when both ends \
                 are on one machine, it doesn't skip them.",
            ),
        ],
    },
    run,
};

/// Round trips over each in one trial.
const TRIPS: u32 = 100;
/// Bytes over each in one trial of throughput.
const AMOUNT: usize = 8 << 20;
/// "About as long": at most half as long again. A Unix socket has no segments, acknowledgements or timers to handle, so
/// there is no reason for more. A trial takes turns between the two after each byte and compares medians, and the median
/// of the trials decides: whatever else the machine does affects both alike. In 150 runs, some with both cores busy, it
/// was 0.65 to 0.94.
const BOUND: f64 = 1.5;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let trials = scene.trials(21);
    let (unix, tcp): (Vec<f64>, Vec<f64>) =
        round_trips(trials).map_err(SetupError::peer("measuring round trips"))?.into_iter().unzip();
    let ratio = unix.iter().zip(&tcp).map(|(unix, tcp)| unix / tcp).collect();
    let ratio = Samples::new(ratio, " times");
    scene.blank()?;
    scene.measured("a byte there and back, Unix", &Samples::new(unix, " µs"))?;
    scene.measured("a byte there and back, TCP", &Samples::new(tcp, " µs"))?;
    scene.measured("Unix socket's time is TCP's", &ratio)?;
    for (size, what) in [
        (4 << 10, "throughput is TCP's, 4 KiB each"),
        (64 << 10, "throughput is TCP's, 64 KiB each"),
    ] {
        let gains = gains(trials, size).map_err(SetupError::peer("measuring throughput"))?;
        scene.measured(what, &Samples::new(gains, " times"))?;
    }
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    scene.text(&format!(
        "Measured in a {build} build, by two threads, over the one and the other in turn. Your machine \
         decides the numbers. What no machine changes: a Unix socket is a file with an owner and permissions, \
         and nobody reaches it from another machine.\n"
    ))?;
    scene.came(match ratio.median() {
        ..=0.1 => "the Unix socket takes a tenth of TCP's time, or less",
        0.1..BOUND => "the Unix socket takes somewhat less, or as long",
        _ => "TCP takes clearly less",
    });

    let mut findings = Findings::default();
    findings.holds(
        ratio.median() < BOUND,
        "a median ratio of round trips below 1.5",
        ratio.median(),
    );
    Ok(findings.verdict(format!(
        "the Unix socket's round trip took {:.2} times TCP's, less than 1.5",
        ratio.median()
    )))
}

/// For each trial, how long a byte took over the Unix socket and over TCP, in microseconds: the medians of a hundred.
fn round_trips(trials: u32) -> io::Result<Vec<(f64, f64)>> {
    let (mut unix, mut far_unix) = UnixStream::pair()?;
    let (mut tcp, mut far_tcp) = tcp_pair()?;
    thread::scope(|scope| {
        // The same two threads serve both in turn, so both run on the same one or two cores.
        scope.spawn(move || -> io::Result<()> {
            loop {
                echo(&mut far_unix)?;
                echo(&mut far_tcp)?;
            }
        });
        let mut medians = Vec::new();
        for _ in 0..trials {
            let (mut over_unix, mut over_tcp) = (Vec::new(), Vec::new());
            for _ in 0..TRIPS {
                over_unix.push(round_trip(&mut unix)?);
                over_tcp.push(round_trip(&mut tcp)?);
            }
            let median = |times| Samples::new(times, " µs").median();
            medians.push((median(over_unix), median(over_tcp)));
        }
        // The other ends read the end of the stream, and their thread ends.
        drop((unix, tcp));
        Ok(medians)
    })
}

fn round_trip(near: &mut (impl Read + Write)) -> io::Result<f64> {
    let start = Instant::now();
    near.write_all(b"x")?;
    near.read_exact(&mut [0])?;
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn echo(far: &mut (impl Read + Write)) -> io::Result<()> {
    let mut byte = [0];
    far.read_exact(&mut byte)?;
    far.write_all(&byte)
}

/// For each trial, how many times as much went through the Unix socket in the same time, in writes of `size` bytes.
fn gains(trials: u32, size: usize) -> io::Result<Vec<f64>> {
    let (mut unix, mut far_unix) = UnixStream::pair()?;
    let (mut tcp, mut far_tcp) = tcp_pair()?;
    thread::scope(|scope| {
        scope.spawn(move || -> io::Result<()> {
            loop {
                take(&mut far_unix)?;
                take(&mut far_tcp)?;
            }
        });
        let data = vec![b'x'; size];
        let mut gains = Vec::new();
        for _ in 0..trials {
            let over_unix = give(&mut unix, &data)?;
            let over_tcp = give(&mut tcp, &data)?;
            gains.push(over_tcp / over_unix);
        }
        drop((unix, tcp));
        Ok(gains)
    })
}

/// How long it takes until the other end has read everything.
fn give(near: &mut (impl Read + Write), data: &[u8]) -> io::Result<f64> {
    let start = Instant::now();
    for _ in 0..AMOUNT / data.len() {
        near.write_all(data)?;
    }
    near.read_exact(&mut [0])?;
    Ok(start.elapsed().as_secs_f64())
}

fn take(far: &mut (impl Read + Write)) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut left = AMOUNT;
    while left > 0 {
        match far.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    far.write_all(b"!")
}

fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}
