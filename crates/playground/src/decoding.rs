//! What the receiver makes of its `recv`s, in words and in bytes.

use crate::messages::escape;
use serde::Serialize;

/// How many columns of a message are quoted in a sentence.
const QUOTED: usize = 120;
/// How many are shown in the list of messages.
const LISTED: usize = 1000;
/// How many of the bytes that it keeps are shown.
const SHOWN: usize = 64;
/// How many of the messages of one `recv` are quoted; the others are only counted.
const NAMED: usize = 3;

/// What it does after a `recv`.
const WAITS: &str = "It waits for more bytes.";
const WAITS_FOR_DATAGRAM: &str = "It waits for the next datagram.";
const READS_NO_MORE: &str = "It has the messages that it asked for, and reads no more.";
const NOTHING_YET: &str = "It hasn't received anything yet.";

/// What the receiver of one picture makes of each of its `recv`s, in their order.
#[derive(Default, Serialize)]
pub struct Decoding {
    pub recvs: Vec<Told>,
    /// What it keeps for the next one.
    #[serde(skip)]
    held: Vec<u8>,
}

/// What it makes of one `recv`.
#[derive(Serialize)]
pub struct Told {
    /// The messages that are whole now.
    pub messages: Vec<String>,
    /// What it keeps for the next `recv`: the beginning in hex, and how many bytes.
    pub held: String,
    pub kept: usize,
    /// What it does now: a sentence or two.
    pub says: String,
    /// What it does afterwards, until the next one.
    pub then: String,
    /// Whether it gives up here.
    pub gives_up: bool,
}

/// What came of one `recv`.
pub enum Outcome {
    /// Bytes, of which the program made this.
    Took(Took),
    /// Bytes that the program treats as a message, because there is no framing.
    EachRecv(Vec<u8>),
    /// A datagram that the program treats as a message, because there is no framing.
    Datagram { bytes: Vec<u8>, of: usize },
    /// What the program made of a datagram of which it got `len` of `of` bytes. What is left over is not kept: the next
    /// datagram begins anew.
    FramedDatagram { took: Took, len: usize, of: usize },
    /// The call failed, or would have had to wait.
    Failed { error: String, would_block: bool },
    /// The end of the stream, and what is wrong with it.
    End(Option<String>),
    /// The program gave up at an earlier `recv`.
    After,
}

/// What the program made of some bytes.
#[derive(Clone, Default)]
pub struct Took {
    /// The messages that are whole now.
    pub messages: Vec<Vec<u8>>,
    /// What it keeps for the next `recv`.
    pub held: Vec<u8>,
    /// How much it has of a message that isn't whole yet: `3 of 5 bytes of the body`.
    pub has: Option<String>,
    /// Whether it answered `OK`.
    pub ok: bool,
    /// Why it gave up.
    pub error: Option<String>,
}

/// An outcome in words.
struct Account {
    says: Vec<String>,
    took: Took,
    /// What the receiver does afterwards; nothing else than before, if it isn't said.
    then: Option<&'static str>,
}

impl Outcome {
    /// The messages that are whole now.
    pub fn messages(&self) -> &[Vec<u8>] {
        match self {
            Outcome::Took(took) | Outcome::FramedDatagram { took, .. } => &took.messages,
            Outcome::EachRecv(bytes) | Outcome::Datagram { bytes, .. } => {
                std::slice::from_ref(bytes)
            }
            Outcome::Failed { .. } | Outcome::End(_) | Outcome::After => &[],
        }
    }

    fn account(self) -> Account {
        let mut says = Vec::new();
        let (took, then) = match self {
            Outcome::Took(took) => {
                says.extend(took.ok.then(|| {
                    "It treats what it got as the whole length, and answers OK.".to_owned()
                }));
                says.extend(complete(&took.messages));
                (took, Some(WAITS))
            }
            Outcome::EachRecv(bytes) => {
                let these = match bytes.len() {
                    1 => "this byte".to_owned(),
                    len => format!("these {len} bytes"),
                };
                says.push(format!("It treats {these} as a message: {}.", quote(&bytes)));
                (Took { messages: vec![bytes], ..Took::default() }, Some(WAITS))
            }
            Outcome::Datagram { bytes, of } => {
                says.push(format!("It treats this datagram as a message: {}.", quote(&bytes)));
                says.extend(lost(bytes.len(), of));
                (Took { messages: vec![bytes], ..Took::default() }, Some(WAITS_FOR_DATAGRAM))
            }
            Outcome::FramedDatagram { took, len, of } => {
                says.extend(complete(&took.messages));
                let rest = !took.held.is_empty() || took.messages.is_empty();
                says.extend((rest && took.error.is_none()).then(|| {
                    let part = if took.messages.is_empty() { "This" } else { "The rest of this" };
                    format!("{part} datagram isn't a whole message.")
                }));
                says.extend(lost(len, of));
                // What is left over isn't kept.
                let Took { messages, error, .. } = took;
                (Took { messages, error, ..Took::default() }, Some(WAITS_FOR_DATAGRAM))
            }
            Outcome::Failed { error, would_block: true } => {
                says.push(format!("Nothing has arrived yet, so this call failed: {error}."));
                (Took::default(), None)
            }
            Outcome::Failed { error, would_block: false } => {
                says.push(format!("This call failed: {error}."));
                (Took::default(), Some("Its last recv failed."))
            }
            Outcome::End(error) => {
                if error.is_none() {
                    says.push("The stream ends here, with nothing left over.".to_owned());
                }
                (Took { error, ..Took::default() }, Some("The stream has ended."))
            }
            Outcome::After => {
                says.push("It has given up, so it ignores this.".to_owned());
                (Took::default(), None)
            }
        };
        Account { says, took, then }
    }
}

impl Decoding {
    /// Adds the next `recv`.
    pub fn push(&mut self, outcome: Outcome) {
        let took_nothing = matches!(outcome, Outcome::Failed { .. });
        let Account { mut says, took, then } = outcome.account();
        if !took_nothing {
            self.held.clone_from(&took.held);
        }
        let waits = took.has.as_ref().map(|has| format!("so far, it has {has}."));
        says.extend(took.error.as_ref().map(|error| format!("It gives up: {error}.")));
        says.extend(waits.as_ref().map(|so_far| match took.held.len() {
            0 => format!("It waits: {so_far}"),
            held => format!("It keeps {} and waits: {so_far}", count(held)),
        }));
        let then = match (&took.error, waits, then) {
            (Some(_), ..) => "It has given up.".to_owned(),
            (None, Some(so_far), _) => format!("It waits: {so_far}"),
            (None, None, Some(then)) => then.to_owned(),
            (None, None, None) => {
                self.recvs.last().map_or_else(|| NOTHING_YET.to_owned(), |last| last.then.clone())
            }
        };
        let text = |message: &Vec<u8>| columns::cut(&escape(message), LISTED);
        self.recvs.push(Told {
            messages: took.messages.iter().map(text).collect(),
            held: hex(&self.held[..self.held.len().min(SHOWN)]),
            kept: self.held.len(),
            says: says.join(" "),
            then,
            gives_up: took.error.is_some(),
        });
    }

    /// Says that it reads no more after its last `recv`.
    pub fn stop(&mut self) {
        if let Some(last) = self.recvs.last_mut() {
            last.then = READS_NO_MORE.to_owned();
        }
    }

    /// Whether it gave up at its last `recv`.
    pub fn gave_up(&self) -> bool {
        self.recvs.last().is_some_and(|told| told.gives_up)
    }
}

/// What had no room in the buffer.
fn lost(len: usize, of: usize) -> Option<String> {
    (len < of)
        .then(|| format!("The buffer had room for only {len} of its {of} bytes. The rest is lost."))
}

/// Which messages are whole now.
fn complete(messages: &[Vec<u8>]) -> Option<String> {
    let mut quoted: Vec<String> = messages.iter().take(NAMED).map(|one| quote(one)).collect();
    if messages.len() > NAMED {
        quoted.push(format!("and {} more", messages.len() - NAMED));
    }
    match quoted.len() {
        0 => None,
        1 => Some(format!("A message is complete: {}.", quoted[0])),
        _ => Some(format!("{} messages are complete: {}.", messages.len(), quoted.join(", "))),
    }
}

fn quote(message: &[u8]) -> String {
    match message {
        [] => "an empty one".to_owned(),
        _ => format!("“{}”", columns::cut(&escape(message), QUOTED)),
    }
}

fn count(bytes: usize) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// Lowercase, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
