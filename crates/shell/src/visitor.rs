//! One connection that was let in, and what becomes of its requests.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::request::RequestForm;

use crate::caller::{Caller, CallerGone};
use crate::output::Output;
use crate::refusal::Refusal;
use crate::run::{Limits, run};
use crate::screen::Screen;

/// The answer to the right token.
pub const WELCOME: &[u8] = b"ok\n";

/// How long a peer may take to send its token. Until then it's a stranger that takes up a place.
const TOKEN_TIME: Duration = Duration::from_secs(30);

/// One connection that a [`Gate`](crate::Gate) let in.
pub struct Visitor {
    form: RequestForm,
    limits: Limits,
    state: State,
    screen: Screen,
}

enum State {
    /// The first request must be this token, and come before this moment.
    AtTheDoor(Arc<[u8]>, Instant),
    Inside,
    ShownOut(Refusal),
}

/// What to answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The command's output, [`WELCOME`] for the token, or the line of a refusal.
    pub output: Output,
    /// After a refusal: close the connection behind this answer.
    pub last: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Run,
    Welcome,
}

impl Visitor {
    pub(crate) fn new(form: RequestForm, limits: Limits, token: Option<Arc<[u8]>>) -> Visitor {
        let until = Instant::now() + TOKEN_TIME;
        let state = token.map_or(State::Inside, |token| State::AtTheDoor(token, until));
        Visitor { form, limits, state, screen: Screen::default() }
    }

    /// When its next request is due: a peer that still owes the token can't stay idle for as long as
    /// it likes.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::AtTheDoor(_, until) => Some(until),
            State::Inside | State::ShownOut(_) => None,
        }
    }

    /// Answers the next request of this connection, its payload if requests are framed, what one
    /// read brought if raw: runs it, if it may run, and waits for its end.
    ///
    /// After a refusal everything is refused: the bytes that follow a refused request are its
    /// continuation, or the next attempt, and must never run.
    ///
    /// # Errors
    /// [`CallerGone`]: nobody waits for the answer any more. The command was killed.
    pub fn answer(&mut self, request: &[u8], caller: &Caller<'_>) -> Result<Reply, CallerGone> {
        Ok(match self.judge(request) {
            Ok(Verdict::Run) => Reply { output: run(request, &self.limits, caller)?, last: false },
            Ok(Verdict::Welcome) => {
                // What was recorded until now may have held the token; commands don't.
                caller.mask(false);
                let output = Output { stdout: WELCOME.to_vec(), ..Output::default() };
                Reply { output, last: false }
            }
            Err(refusal) => Reply { output: refusal.into(), last: true },
        })
    }

    fn judge(&mut self, request: &[u8]) -> Result<Verdict, Refusal> {
        let verdict = match &self.state {
            State::AtTheDoor(token, _) if same_bytes(token, request) => Ok(Verdict::Welcome),
            State::AtTheDoor(..) => Err(Refusal::Token),
            State::Inside if self.form == RequestForm::Raw => {
                self.screen.check(request).map(|()| Verdict::Run)
            }
            State::Inside => Ok(Verdict::Run),
            State::ShownOut(refusal) => Err(*refusal),
        };
        match verdict {
            Ok(Verdict::Welcome) => self.state = State::Inside,
            Ok(Verdict::Run) => {}
            Err(refusal) => self.state = State::ShownOut(refusal),
        }
        verdict
    }
}

/// Compares in a time that does not depend on where the first difference is: guessing a token byte
/// by byte gains nothing.
fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |seen, (left, right)| black_box(seen | (left ^ right)))
            == 0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn visitor(form: RequestForm, token: Option<&Arc<[u8]>>) -> Visitor {
        let limits = Limits { timeout: Duration::from_secs(30), max_output: 1024 };
        Visitor::new(form, limits, token.cloned())
    }

    #[test]
    fn the_token_comes_first_and_a_refusal_is_final() {
        let token: Arc<[u8]> = b"0123456789abcdef".as_slice().into();

        let mut raw = visitor(RequestForm::Raw, Some(&token));
        assert_eq!(raw.judge(&token), Ok(Verdict::Welcome));
        assert_eq!(raw.judge(b"echo hi"), Ok(Verdict::Run));
        assert_eq!(raw.judge(b"GET / HTTP/1.1"), Err(Refusal::Http));
        assert_eq!(raw.judge(b"echo hi"), Err(Refusal::Http), "later bytes never run");

        for wrong in ["", "echo hi", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef\n"] {
            let mut framed = visitor(RequestForm::Framed, Some(&token));
            assert_eq!(framed.judge(wrong.as_bytes()), Err(Refusal::Token), "{wrong:?}");
            assert_eq!(framed.judge(&token), Err(Refusal::Token), "one attempt only");
        }
        // Two differences of the same kind must not cancel each other out.
        let mut twice = token.to_vec();
        twice[3] ^= 1;
        twice[9] ^= 1;
        let mut framed = visitor(RequestForm::Framed, Some(&token));
        assert_eq!(framed.judge(&twice), Err(Refusal::Token));

        let mut framed = visitor(RequestForm::Framed, None);
        assert_eq!(
            framed.judge(b"echo a\necho b"),
            Ok(Verdict::Run),
            "a frame says where a command ends"
        );
    }
}
