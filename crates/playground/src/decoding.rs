//! What the receiver makes of its `recv`s, in words and in bytes.

use crate::messages::escape;
use serde::Serialize;

/// A longer message is quoted up to here, and up to there in the list of messages.
const QUOTED: usize = 120;
const LISTED: usize = 1000;
/// Of the bytes that it keeps, so many are shown.
const SHOWN: usize = 64;
/// More messages of one `recv` are counted.
const NAMED: usize = 3;

/// What the receiver of one picture makes of each of its `recv`s, in their order.
#[derive(Default, Serialize)]
pub struct Decoding {
    pub recvs: Vec<Told>,
    #[serde(skip)]
    then: String,
}

/// What it makes of one.
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
    /// A datagram, and how long it was.
    Datagram(Took, usize),
    /// The call failed.
    Failed(String),
    /// The end of the stream, and what is wrong with it.
    End(Option<String>),
    /// The program has given up before.
    After,
}

/// What the program made of some bytes.
#[derive(Clone, Default)]
pub struct Took {
    /// The messages that are whole now.
    pub messages: Vec<Vec<u8>>,
    /// What it keeps for the next `recv`.
    pub held: Vec<u8>,
    /// If it is inside a message, what it has of it: `3 of 5 bytes of the body`.
    pub has: Option<String>,
    /// It has said `OK`.
    pub ok: bool,
    /// Why it gave up.
    pub error: Option<String>,
}

impl Decoding {
    /// Adds the next `recv`.
    pub fn push(&mut self, outcome: Outcome) {
        let mut says = Vec::new();
        let took =
            match outcome {
                Outcome::Took(took) => {
                    says.extend(took.ok.then(|| {
                        "It takes these bytes for the whole length, and says OK.".to_owned()
                    }));
                    says.extend(complete(&took.messages));
                    took
                }
                Outcome::EachRecv(bytes) => {
                    let count = count(bytes.len());
                    says.push(format!("It takes these {count} for a message: {}.", quote(&bytes)));
                    Took { messages: vec![bytes], ..Took::default() }
                }
                Outcome::Datagram(took, of) => {
                    says.extend(complete(&took.messages));
                    let len = took.messages.iter().map(Vec::len).sum::<usize>();
                    let lost = of > len && took.held.is_empty() && took.error.is_none();
                    says.extend(lost.then(|| {
                    format!(
                        "Only {len} of the {of} bytes of this datagram had room. The rest is lost."
                    )
                }));
                    took
                }
                Outcome::Failed(error) => {
                    says.push(format!("This call failed: {error}."));
                    return self.recvs.push(self.told(Took::default(), &says));
                }
                Outcome::After => {
                    says.push("It has given up, and looks at nothing any more.".to_owned());
                    return self.recvs.push(self.told(Took::default(), &says));
                }
                Outcome::End(error) => {
                    says.extend(
                        error.is_none().then(|| {
                            "The stream ends here, and no message is under way.".to_owned()
                        }),
                    );
                    self.then = "The stream has ended.".to_owned();
                    Took { error, ..Took::default() }
                }
            };
        says.extend(took.error.as_ref().map(|error| format!("It gives up: {error}.")));
        match &took.has {
            Some(has) if took.held.is_empty() => says.push(format!("It waits: it has {has}.")),
            Some(has) => {
                let kept = count(took.held.len());
                says.push(format!("It keeps {kept}, and waits: it has {has}."));
            }
            None => {}
        }
        if took.error.is_some() {
            self.then = "It has given up.".to_owned();
        } else if let Some(has) = &took.has {
            self.then = format!("It waits: it has {has}.");
        } else if self.then != "The stream has ended." {
            self.then = "It waits for the next bytes.".to_owned();
        }
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
