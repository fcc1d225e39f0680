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

/// What the receiver of one picture makes of each of its `recv`s, in their order.
#[derive(Default, Serialize)]
pub struct Decoding {
    pub recvs: Vec<Told>,
    /// All messages, uncut.
    #[serde(skip)]
    pub messages: Vec<Vec<u8>>,
    #[serde(skip)]
    then: String,
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

impl Decoding {
    /// Adds the next `recv`.
    pub fn push(&mut self, outcome: Outcome) {
        let mut says = Vec::new();
        let waits = match outcome {
            Outcome::Datagram { .. } | Outcome::FramedDatagram { .. } => {
                "It waits for the next datagram."
            }
            _ => "It waits for more bytes.",
        };
        let took = match outcome {
            Outcome::Took(took) => {
                says.extend(took.ok.then(|| {
                    "It treats what it got as the whole length, and answers OK.".to_owned()
                }));
                says.extend(complete(&took.messages));
                took
            }
            Outcome::EachRecv(bytes) => {
                let these = match bytes.len() {
                    1 => "this byte".to_owned(),
                    len => format!("these {len} bytes"),
                };
                says.push(format!("It treats {these} as a message: {}.", quote(&bytes)));
                Took { messages: vec![bytes], ..Took::default() }
            }
            Outcome::Datagram { bytes, of } => {
                says.push(format!("It treats this datagram as a message: {}.", quote(&bytes)));
                says.extend(lost(bytes.len(), of));
                Took { messages: vec![bytes], ..Took::default() }
            }
            Outcome::FramedDatagram { took, len, of } => {
                says.extend(complete(&took.messages));
                let rest = !took.held.is_empty() || took.messages.is_empty();
                says.extend((rest && took.error.is_none()).then(|| {
                    let part = if took.messages.is_empty() { "This" } else { "The rest of this" };
                    format!("{part} datagram isn't a whole message.")
                }));
                says.extend(lost(len, of));
                Took { messages: took.messages, error: took.error, ..Took::default() }
            }
            Outcome::Failed { error, would_block } => {
                let (held, kept) = self
                    .recvs
                    .last()
                    .map_or((String::new(), 0), |last| (last.held.clone(), last.kept));
                says.push(match would_block {
                    true => format!("Nothing has arrived yet, so this call failed: {error}."),
                    false => format!("This call failed: {error}."),
                });
                if !would_block {
                    self.then = "Its last recv failed.".to_owned();
                }
                let told = self.told(Took::default(), &says);
                return self.recvs.push(Told { held, kept, ..told });
            }
            Outcome::After => {
                says.push("It has given up, so it ignores this.".to_owned());
                return self.recvs.push(self.told(Took::default(), &says));
            }
            Outcome::End(error) => {
                says.extend(
                    error
                        .is_none()
                        .then(|| "The stream ends here, with nothing left over.".to_owned()),
                );
                self.then = "The stream has ended.".to_owned();
                Took { error, ..Took::default() }
            }
        };
        says.extend(took.error.as_ref().map(|error| format!("It gives up: {error}.")));
        match &took.has {
            Some(has) if took.held.is_empty() => {
                says.push(format!("It waits: so far, it has {has}."));
            }
            Some(has) => {
                let kept = count(took.held.len());
                says.push(format!("It keeps {kept} and waits: so far, it has {has}."));
            }
            None => {}
        }
        if took.error.is_some() {
            self.then = "It has given up.".to_owned();
        } else if let Some(has) = &took.has {
            self.then = format!("It waits: so far, it has {has}.");
        } else if self.then != "The stream has ended." {
            self.then = waits.to_owned();
        }
        self.messages.extend(took.messages.iter().cloned());
        self.recvs.push(self.told(took, &says));
    }

    fn told(&self, took: Took, says: &[String]) -> Told {
        let text = |message: &Vec<u8>| columns::cut(&escape(message), LISTED);
        Told {
            messages: took.messages.iter().map(text).collect(),
            held: hex(&took.held[..took.held.len().min(SHOWN)]),
            kept: took.held.len(),
            says: says.join(" "),
            then: self.then.clone(),
            gives_up: took.error.is_some(),
        }
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
