//! Requests and answers of lab shell, as its page defines them.

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::OUTPUT;
use crate::labs::framed::Order;
use crate::labs::header::receive_header;
use crate::play::{Patience, Peer};
use crate::verdict::{CaseFailure, Fault};

/// The longest valid body: everything that is kept from both pipes.
const BODY: usize = 2 * OUTPUT;
/// The earliest moment at which a command whose time is over may be killed.
pub(super) const EARLIEST: Duration = Duration::from_millis(1900);
/// How many times we try something in all, if it may have been the machine that was late.
pub(super) const MOST: usize = 6;

/// Sends a command and expects its whole output.
pub(super) fn ask(
    peer: &mut Peer,
    command: impl AsRef<[u8]>,
    expected: impl AsRef<[u8]>,
) -> Result<(), CaseFailure> {
    Answer::of(peer, command)?.is(expected)
}

/// A request: the length, and the command.
pub(super) fn frame(command: impl AsRef<[u8]>) -> Vec<u8> {
    Order::Little.frame(command.as_ref())
}

/// What came back for one command.
pub(super) struct Answer {
    header: Value,
    body: Vec<u8>,
    /// When its header had arrived. The body may take longer: a program may write it a byte at a time.
    pub begun: Instant,
}

impl Answer {
    /// Sends a command that doesn't need all its time, and receives the answer.
    pub fn of(peer: &mut Peer, command: impl AsRef<[u8]>) -> Result<Answer, CaseFailure> {
        let patience = Rc::clone(&peer.patience);
        unhurried(&patience, || {
            peer.send(&frame(&command))?;
            Answer::receive(peer)
        })
    }

    pub fn receive(peer: &mut Peer) -> Result<Answer, CaseFailure> {
        let header = receive_header(peer)?;
        let begun = Instant::now();
        let form = |what| CaseFailure::new(Fault::Form, what);
        let Some(data_len) = header.get("data_len") else {
            return Err(form(format!("the header has no data_len: {header}")));
        };
        let Some(body) = data_len.as_u64() else {
            return Err(form(format!("data_len is {data_len}: expected a number of bytes")));
        };
        if body > BODY as u64 {
            return Err(form(format!(
                "the header announces {body} bytes, but no answer has more than {BODY}"
            )));
        }
        let body = peer.receive(&format!("the body, as {header} says"), body as usize)?;
        Ok(Answer { header, body, begun })
    }

    /// Complete, with this body.
    pub fn is(&self, expected: impl AsRef<[u8]>) -> Result<(), CaseFailure> {
        self.says("timed_out", false)?;
        self.says("truncated", false)?;
        self.body_is(expected)
    }

    /// To a command that wrote too much: this much was kept.
    pub fn is_truncated(&self, expected: impl AsRef<[u8]>) -> Result<(), CaseFailure> {
        self.says("truncated", true)?;
        self.says("timed_out", false)?;
        self.body_is(expected)
    }

    /// To a command that took too long: this is what it had written.
    pub fn is_timed_out(&self, expected: impl AsRef<[u8]>) -> Result<(), CaseFailure> {
        self.says("timed_out", true)?;
        self.says("truncated", false)?;
        self.body_is(expected)
    }

    /// Whether the command took too long.
    pub fn has_timed_out(&self) -> bool {
        self.flag("timed_out") == &Value::Bool(true)
    }

    fn says(&self, key: &str, expected: bool) -> Result<(), CaseFailure> {
        let said = self.flag(key);
        if *said != Value::Bool(expected) {
            let expected = if expected { "true" } else { "false, or absent" };
            let what = format!("`{key}` should be {expected}, and the header is {}", self.header);
            return Err(CaseFailure::new(Fault::Form, what));
        }
        Ok(())
    }

    /// What the header says under this key; false if the key is missing.
    fn flag(&self, key: &str) -> &Value {
        self.header.get(key).unwrap_or(&Value::Bool(false))
    }

    fn body_is(&self, expected: impl AsRef<[u8]>) -> Result<(), CaseFailure> {
        let expected = expected.as_ref();
        if self.body == expected {
            return Ok(());
        }
        let (came, due) = (self.body.len(), expected.len());
        let what = match came == due {
            true => "the body is not the expected one".to_owned(),
            false => format!("the body has {came} bytes, not {due}"),
        };
        Err(CaseFailure::differs(Fault::Wrong, what, expected, &self.body))
    }
}

/// The answer to a command that doesn't need all its time. If the 2 s ran out anyway, and the program had to wait for a
/// processor meanwhile, it was the machine's fault, and the command is run again.
pub(super) fn unhurried(
    patience: &Patience,
    mut attempt: impl FnMut() -> Result<Answer, CaseFailure>,
) -> Result<Answer, CaseFailure> {
    for _ in 1..MOST {
        let sent = Instant::now();
        let answer = attempt()?;
        let late = answer.has_timed_out() && sent.elapsed() >= EARLIEST;
        if !late || patience.wait(Duration::ZERO).is_over() {
            return Ok(answer);
        }
    }
    attempt()
}
