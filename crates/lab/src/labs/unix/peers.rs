//! The peers of the server: which ones are served, and what happens when one leaves.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::labs::leaving::{Leaving, leave_owed};
use crate::play::{Buffers, Connection, PATIENCE, SharedRecording, Trial, dial, wait_readable};
use crate::verdict::{CaseFailure, Fault};

/// More than the buffers of both directions hold: 208 KiB each on Linux, `net.core.wmem_default`.
const LARGE: usize = 1 << 20;
/// How long a program may take for that: at 64 KiB a second, even a program that moves one byte with each call is fast
/// enough.
const LARGE_TAKES: Duration = Duration::from_secs(16);
/// More peers than any pool has workers, and more than a program has descriptors.
const MANY: usize = 1_100;

pub(super) fn first(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    serves(trial)
}

pub(super) fn any_bytes(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    for schedule in ["cut=1", "cut=random:1..40"] {
        // é is cut in two; then all values, and at the end, bytes that programs often strip.
        let mut message = b"\0\r\n\xff\xfe\x80 \x1a\x04 \xc3\xa9\n".to_vec();
        message.extend(0..=u8::MAX);
        message.extend(b" \n");
        let mut peer = trial.connect(schedule)?;
        peer.send(&message)?;
        peer.expect(&message)?;
        peer.end()?;
        peer.expect_end()?;
    }
    Ok(())
}

pub(super) fn next_peer(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    serves(trial)?;
    let mut silent = trial.connect("idle")?;
    silent.end()?;
    silent.expect_end()?;
    trial.connect("idle")?.close();
    serves(trial)
}

pub(super) fn silence(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    let mut peer = trial.connect("idle")?;
    let (before, after) = (trial.text(20), trial.text(20));
    peer.send(&before)?;
    peer.expect(&before)?;
    peer.keep_silent()?;
    peer.send(&after)?;
    peer.expect(&after)?;
    peer.end()?;
    peer.expect_end()
}

pub(super) fn nobody_comes(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    serves(trial)?;
    trial.keep_silent("no peer comes")?;
    serves(trial)
}

pub(super) fn late_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    let message = trial.bytes(LARGE);
    start(trial)?;
    trial.allow(LARGE_TAKES);
    let mut peer = trial.connect("idle")?;
    let sent = peer.fill(&message);
    peer.end()?;
    peer.stay_away()?;
    peer.expect_back(&message[..sent])?;
    peer.expect_end()
}

pub(super) fn peer_leaves(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    let (hello, owed) = (trial.text(10), trial.text(4_000));
    let mut peer = trial.connect("idle")?;
    peer.send(&hello)?;
    peer.expect(&hello)?;
    // On a Unix socket, even the first write fails after the peer has closed.
    leave_owed(trial, peer, &owed, Leaving::Closes)?;
    serves(trial)?;
    trial.expect_idle()
}

pub(super) fn leaves_full(trial: &mut Trial) -> Result<(), CaseFailure> {
    let message = trial.bytes(LARGE);
    start(trial)?;
    let mut peer = trial.connect("idle")?;
    peer.fill(&message);
    peer.close();
    serves(trial)?;
    trial.expect_idle()
}

pub(super) fn many_leave(trial: &mut Trial) -> Result<(), CaseFailure> {
    start(trial)?;
    let step = format!(
        "{MANY} peers, one after another, send a byte, leave what comes back unread, and close"
    );
    let left = trial.quietly(step, |trial| (1..=MANY).try_for_each(|number| leave(trial, number)));
    left.map_err(|failure| trial.or_ended(failure))?;
    serves(trial)
}

/// A peer that closes without reading its answer: the program's next read fails with ECONNRESET, whichever of them is
/// faster.
fn leave(trial: &Trial, number: usize) -> Result<(), CaseFailure> {
    let failure =
        |what: String| CaseFailure::new(Fault::Silent, format!("peer {number} of {MANY} {what}"));
    let address = trial.address.as_ref();
    let address =
        address.ok_or_else(|| CaseFailure::machine("connect", "no server was started"))?;
    let socket = dial(address, Buffers::Usual)
        .map_err(|error| failure(format!("could not connect: {error}")))?;
    let mut peer = Connection::new(socket, Rc::clone(&trial.patience), SharedRecording::default());
    peer.send(b"x")?;
    if wait_readable(&peer.socket, PATIENCE) {
        return Ok(());
    }
    Err(failure(format!("got nothing back within {} s", PATIENCE.as_secs())))
}

/// Starts the program at a path of its own.
pub(super) fn start(trial: &mut Trial) -> Result<PathBuf, CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path.clone())?;
    Ok(path)
}

/// A peer connects, and is served until it ends the stream.
pub(super) fn serves(trial: &mut Trial) -> Result<(), CaseFailure> {
    let text = trial.text(30);
    trial.next_peer(|peer| {
        peer.send(&text)?;
        peer.expect(&text)?;
        peer.end()?;
        peer.expect_end()
    })
}
