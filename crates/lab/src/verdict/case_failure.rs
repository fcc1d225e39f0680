//! Why a case failed.

/// A rule that the program broke: what happened, and the bytes if the rule is about bytes.
#[derive(Clone, Debug)]
pub struct CaseFailure {
    /// What was observed, as a sentence without a full stop: `the stream ended after 3 of 5 bytes`.
    pub what: String,
    /// The kind of failure, which decides which question helps.
    pub fault: Fault,
    /// What should have arrived, and what did, starting at the same place in the stream.
    pub bytes: Option<Difference>,
    /// What to think about, if neither the case nor the fault has a fitting question.
    pub hint: Option<&'static str>,
}

/// Two sequences of bytes that should have been the same.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What should have arrived.
    pub expected: Vec<u8>,
    /// What arrived. It may be only the beginning.
    pub received: Vec<u8>,
}

/// A kind of failure. The hint of a case is about one or two of them (its `fits`). The others have questions of their
/// own, so that a student with a decoding error isn't told about partial writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes arrived, but not the expected ones.
    Wrong,
    /// More arrived than was due.
    Extra,
    /// The program closed the connection before everything had arrived.
    Short,
    /// The program closed the connection, or sent something, while the peer was silent.
    Impatient,
    /// Nothing more arrived, and the peer has not ended its side.
    Silent,
    /// Nothing more arrived, and the peer has ended its side.
    SilentAfterEnd,
    /// The connection was reset where it should have ended.
    Reset,
    /// The program did not close the connection.
    Open,
    /// The program isn't reading, and the peer has more to send.
    Full,
    /// Bytes were still moving when the time of the case was over.
    Slow,
    /// The program ended, or crashed.
    Ended,
    /// The program kept the processor busy with nothing to do.
    Spins,
    /// An answer that doesn't have the form that the page describes.
    Form,
    /// Something that only this case looks at, so its hint fits.
    Rule,
}

impl Fault {
    /// What to think about when nothing more is known.
    pub(crate) fn question(self) -> &'static str {
        match self {
            Fault::Wrong => {
                "Compare the two rows: was something changed, left out, or sent twice? Then look for the line that did it."
            }
            Fault::Extra => {
                "Nothing was due. Which line sent this, and in answer to which of the peer's bytes?"
            }
            Fault::Short => {
                "Which line closes the connection, or ends the program? Had everything been sent by then?"
            }
            Fault::Impatient => {
                "Silence means nothing: only the end of the stream is the end. Where does your program limit how long \
                 it waits?"
            }
            Fault::Silent => {
                "The peer hasn't ended its side: it is waiting for you, too. What is your program waiting for, and can \
                 it ever come?"
            }
            Fault::SilentAfterEnd => {
                "The peer has sent everything and is still reading. Which bytes has your program received and not \
                 answered?"
            }
            Fault::Reset => {
                "The kernel resets a connection if you close it while unread bytes are waiting in it, or if your \
                 program dies. Which was it?"
            }
            Fault::Open => {
                "Which line of your program closes this connection, and does your program get there?"
            }
            Fault::Full => {
                "Your program has stopped reading. What is it waiting for instead? If it is stuck in a write, the peer \
                 isn't reading either: which of you has to go first?"
            }
            Fault::Slow => {
                "The result may be right, but it takes too long. How many bytes does each of your reads and writes move?"
            }
            Fault::Ended => {
                "Your program failed. What it printed last, above, may say in which line."
            }
            Fault::Spins => {
                "A loop is spinning. Which call in it returns at once, again and again, and what does its result say?"
            }
            Fault::Form => "Compare the answer with the protocol on the lab's page, byte by byte.",
            Fault::Rule => "",
        }
    }
}

impl CaseFailure {
    /// A failure of a kind in which there are no bytes to compare.
    pub fn new(fault: Fault, what: impl Into<String>) -> CaseFailure {
        CaseFailure { what: what.into(), fault, bytes: None, hint: None }
    }

    /// A failure that the bytes show.
    pub fn differs(
        fault: Fault,
        what: impl Into<String>,
        expected: &[u8],
        received: &[u8],
    ) -> CaseFailure {
        let bytes = Difference { expected: expected.to_vec(), received: received.to_vec() };
        CaseFailure { bytes: Some(bytes), ..CaseFailure::new(fault, what) }
    }

    /// A program that never got as far as the rule of the case.
    pub(crate) fn early(what: impl Into<String>, hint: &'static str) -> CaseFailure {
        CaseFailure { hint: Some(hint), ..CaseFailure::new(Fault::Ended, what) }
    }

    /// A program that ended before there was anything to do.
    pub(crate) fn ended(what: impl Into<String>) -> CaseFailure {
        CaseFailure::early(what, "It ended by itself. What it printed last may say why.")
    }

    /// A failure of the machine rather than of the program: no descriptor, no thread.
    pub(crate) fn machine(what: &str, error: impl std::fmt::Display) -> CaseFailure {
        let hint = Some(
            "This isn't your program's fault. Is the machine out of memory, files or processes?",
        );
        CaseFailure {
            hint,
            ..CaseFailure::new(Fault::Rule, format!("the checker could not {what}: {error}"))
        }
    }
}
