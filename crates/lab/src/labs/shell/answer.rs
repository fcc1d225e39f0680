//! Requests and answers of lab shell, as its page defines them.

use serde_json::Value;

use crate::labs::framed::Order;
use crate::labs::header::receive_header;
use crate::{Broken, Fault, Peer};

/// The longest body that can be right: all that is kept of both pipes.
const BODY: u64 = 2 << 20;

/// Sends a command and expects its whole output.
pub(super) fn ask(
    peer: &mut Peer,
    command: impl AsRef<[u8]>,
    expected: impl AsRef<[u8]>,
) -> Result<(), Broken> {
    peer.send(&frame(command))?;
    Answer::receive(peer)?.is(expected)
}

/// A request: the length, and the command.
pub(super) fn frame(command: impl AsRef<[u8]>) -> Vec<u8> {
    Order::Little.frame(command.as_ref())
}

/// What came back for one command.
pub(super) struct Answer {
    header: Value,
    body: Vec<u8>,
}

impl Answer {
    pub fn receive(peer: &mut Peer) -> Result<Answer, Broken> {
        let header = receive_header(peer)?;
        let Some(body) = header.get("data_len").and_then(Value::as_u64) else {
            return Err(Broken::new(
                Fault::Rule,
                format!("the header has no number data_len: {header}"),
            ));
        };
        if body > BODY {
            return Err(Broken::new(
                Fault::Rule,
                format!(
                    "the header promises {body} bytes, and no answer may have more than {BODY}"
                ),
            ));
        }
        let body = peer.receive(&format!("the body, as {header} says"), body as usize)?;
        Ok(Answer { header, body })
    }

    /// Whole, and this.
    pub fn is(&self, expected: impl AsRef<[u8]>) -> Result<(), Broken> {
        self.says("timed_out", false)?;
        self.says("truncated", false)?;
        self.body_is(expected)
    }

    /// What the header says under this key; false where it does not have it.
    pub fn says(&self, key: &str, expected: bool) -> Result<(), Broken> {
        let said = self.header.get(key).unwrap_or(&Value::Bool(false));
        if *said != Value::Bool(expected) {
            return Err(Broken::new(
                Fault::Rule,
                format!("the header should say \"{key}\": {expected}, and is {}", self.header),
            ));
        }
        Ok(())
    }

    pub fn body_is(&self, expected: impl AsRef<[u8]>) -> Result<(), Broken> {
        let expected = expected.as_ref();
        if self.body != expected {
            let what = format!(
                "the body of {} bytes is not the one of {} bytes that was expected",
                self.body.len(),
                expected.len()
            );
            return Err(Broken::differs(Fault::Wrong, what, expected, &self.body));
        }
        Ok(())
    }
}
