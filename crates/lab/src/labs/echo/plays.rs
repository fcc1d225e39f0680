//! What the cases of lab echo do.

use std::time::Duration;

use crate::labs::framed::numbered;
use crate::labs::leaving::{LEAVINGS, leave_full, leave_owed};
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// More than fits between a peer with small buffers and a program that has stopped reading.
const LARGE: usize = 512 << 10;
/// How long a program may take for that: at 43,690 bytes a second, even a program that moves one byte with each call is
/// fast enough.
const LARGE_TAKES: Duration = Duration::from_secs(12);
/// A few more than twice the number of files that a program may have open. Half of these peers break the connection.
const PEERS: usize = 2_200;
/// How much a program can take while its peer reads nothing.
const UNREAD: usize = 32 << 10;

pub(super) fn hello(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn cut_everywhere(trial: &mut Trial) -> Result<(), CaseFailure> {
    let message = trial.text(40);
    send_and_expect(trial, "cut=1", &message)
}

pub(super) fn cut_at_random(trial: &mut Trial) -> Result<(), CaseFailure> {
    let message = trial.text(400);
    send_and_expect(trial, "cut=random:1..9", &message)
}

pub(super) fn every_byte(trial: &mut Trial) -> Result<(), CaseFailure> {
    // The most difficult bytes first, so that a failure is short; é is cut in two; then all values.
    let mut message = b"\0\r\n\xff\xfe\x80 \x1a\x04 \xc3\xa9\n".to_vec();
    message.extend(0..=u8::MAX);
    message.extend(trial.bytes(200));
    send_and_expect(trial, "cut=9,*", &message)
}

fn send_and_expect(trial: &mut Trial, schedule: &str, message: &[u8]) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect(schedule)?;
    peer.send(message)?;
    peer.expect(message)?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn turn_by_turn(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for _ in 0..4 {
        line_and_empty_line(trial, &mut peer)?;
    }
    // In any encoding, some of these are half a character.
    let bytes = (0..=u8::MAX).rev();
    peer.quietly("sends one byte, 255, and expects it; then 254, and so on to 0", |peer| {
        bytes.map(|byte| [byte]).try_for_each(|byte| {
            peer.send(&byte)?;
            peer.expect(&byte)
        })
    })?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn silence(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    line_and_empty_line(trial, &mut peer)?;
    peer.keep_silent()?;
    line_and_empty_line(trial, &mut peer)?;
    peer.end()?;
    peer.expect_end()
}

fn line_and_empty_line(trial: &mut Trial, peer: &mut Peer) -> Result<(), CaseFailure> {
    let length = trial.number(1, 30) as usize;
    for message in [[&trial.text(length)[..], b"\n"].concat(), b"\n".to_vec()] {
        peer.send(&message)?;
        peer.expect(&message)?;
    }
    Ok(())
}

pub(super) fn half_close(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=random:1..6")?;
    let mut all = Vec::new();
    for _ in 0..4 {
        // The last byte is a newline. It goes missing if the program holds it back or strips it.
        let line = [&trial.text(10)[..], b"\n"].concat();
        peer.send(&line)?;
        all.extend(line);
    }
    peer.end()?;
    peer.expect(&all)?;
    peer.expect_end()
}

pub(super) fn late_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (mut peer, message) = begin_large(trial)?;
    let sent = peer.fill(&message);
    peer.end()?;
    peer.stay_away()?;
    peer.expect_back(&message[..sent])?;
    peer.expect_end()
}

pub(super) fn empty(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn reads_later(trial: &mut Trial) -> Result<(), CaseFailure> {
    // Twice this fits into the buffers of both sides, so a program that writes before it reads again doesn't get stuck.
    let message = trial.bytes(UNREAD);
    send_and_expect(trial, "idle", &message)
}

pub(super) fn both_ways(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (mut peer, message) = begin_large(trial)?;
    peer.exchange(&message, &message)?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn slow_reader(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (mut peer, message) = begin_large(trial)?;
    peer.exchange_late(&message, &message)?;
    peer.end()?;
    peer.expect_end()
}

fn begin_large(trial: &mut Trial) -> Result<(Peer, Vec<u8>), CaseFailure> {
    let message = trial.bytes(LARGE);
    trial.start_tcp_server()?;
    trial.allow(LARGE_TAKES);
    Ok((trial.connect_narrow()?, message))
}

pub(super) fn peer_leaves(trial: &mut Trial) -> Result<(), CaseFailure> {
    let unread = trial.bytes(UNREAD / 2);
    let mut peer = begin(trial)?;
    peer.end()?;
    peer.expect_end()?;
    let serves_on = serves_or_ends(trial)?;
    if !serves_on {
        trial.start_tcp_server()?;
    }
    for leaving in LEAVINGS {
        let peer = hello_again(trial)?;
        leave_owed(trial, peer, &unread, leaving)?;
        match (serves_or_ends(trial)?, serves_on) {
            (false, true) => {
                let what =
                    "the program has served one peer after another, and ended after one that left";
                return Err(CaseFailure::new(Fault::Ended, what));
            }
            (false, false) => trial.start_tcp_server()?,
            (true, _) => {}
        }
    }
    trial.expect_idle()
}

pub(super) fn reset(trial: &mut Trial) -> Result<(), CaseFailure> {
    begin(trial)?.reset();
    if !serves_or_ends(trial)? {
        trial.start_tcp_server()?;
    }
    let unread = trial.bytes(LARGE);
    leave_full(trial, &unread)?;
    if serves_or_ends(trial)? {
        trial.expect_idle()?;
    }
    Ok(())
}

pub(super) fn goes_on_or_ends(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    peer.end()?;
    peer.expect_end()?;
    match trial.serves_or_ends(b"again", b"again")? {
        Some(finished) if finished.code != Some(0) => {
            let code = finished.code.unwrap_or_default();
            Err(CaseFailure::new(
                Fault::Ended,
                format!("the program ended with exit code {code}, not 0"),
            ))
        }
        _ => Ok(()),
    }
}

pub(super) fn many_peers(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut first = begin(trial)?;
    first.end()?;
    first.expect_end()?;
    if !serves_or_ends(trial)? {
        return Ok(());
    }
    let visit = |trial: &mut Trial, number: usize| -> Result<(), CaseFailure> {
        let mut peer = hello_again(trial)?;
        match number % 2 {
            0 => peer.reset(),
            _ => peer.end().and_then(|()| peer.expect_end())?,
        }
        Ok(())
    };
    let what = "says hello, is answered, and resets or ends";
    trial.quietly(format!("{PEERS} peers, one after another: each {what}"), |trial| {
        (0..PEERS).try_for_each(|number| {
            visit(trial, number).map_err(|failure| numbered(number, failure))
        })
    })
}

/// Starts the program; a first peer says hello, and stays.
fn begin(trial: &mut Trial) -> Result<Peer, CaseFailure> {
    trial.start_tcp_server()?;
    hello_again(trial)
}

fn hello_again(trial: &mut Trial) -> Result<Peer, CaseFailure> {
    let mut peer = trial.connect("idle")?;
    peer.send(b"hello")?;
    peer.expect(b"hello")?;
    Ok(peer)
}

/// Whether the program serves the next peer. If it doesn't, it must have ended without crashing.
fn serves_or_ends(trial: &mut Trial) -> Result<bool, CaseFailure> {
    Ok(trial.serves_or_ends(b"again", b"again")?.is_none())
}
