//! How a client sends a command: framed like the answers, or raw like the tutorial's programs.
//!
//! The tutorial frames its answers but not its requests: the server assumes that one `recv` returns
//! exactly one command. That is the sticky packet problem in the other direction: `echo a` and
//! `echo b`, sent one right after the other, can run as `echo aecho b`.

use std::fmt;
use std::str::FromStr;

use crate::prefix::{self, PrefixFraming};
use crate::{EncodeError, FrameError, Framing, Parsed, Part, Progress};

/// Whether requests have boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestForm {
    /// A 4-byte length, then the command.
    #[default]
    Framed,
    /// The command's bytes and nothing else: what the tutorial's programs speak.
    Raw,
}

impl FromStr for RequestForm {
    type Err = NotARequestForm;

    fn from_str(text: &str) -> Result<Self, NotARequestForm> {
        match text {
            "framed" => Ok(RequestForm::Framed),
            "raw" => Ok(RequestForm::Raw),
            _ => Err(NotARequestForm),
        }
    }
}

impl fmt::Display for RequestForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestForm::Framed => "framed",
            RequestForm::Raw => "raw",
        })
    }
}

/// The text was not the name of a [`RequestForm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARequestForm;

impl fmt::Display for NotARequestForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected framed or raw")
    }
}

impl std::error::Error for NotARequestForm {}

/// Requests of either form as a [`Framing`].
///
/// A raw request ends where the last read happened to end. That isn't really a framing. Here, where it
/// is written as one, you can see why: it has no head, and its body is whatever has arrived.
#[derive(Clone, Copy, Debug)]
pub struct RequestFraming {
    form: RequestForm,
    prefix: PrefixFraming,
}

impl RequestFraming {
    /// Requests of this form; a framed one of more than `max_frame` bytes is refused.
    pub fn new(form: RequestForm, max_frame: usize) -> Self {
        RequestFraming { form, prefix: PrefixFraming { max_frame } }
    }
}

impl Framing for RequestFraming {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        match self.form {
            RequestForm::Framed => self.prefix.head(bytes),
            RequestForm::Raw if bytes.is_empty() => {
                Ok(Parsed::NeedMore(Progress { part: Part::Body, got: 0, want: 1 }))
            }
            RequestForm::Raw => Ok(Parsed::Head { head: (), head_len: 0, body_len: bytes.len() }),
        }
    }
}

/// What goes before a command of `length` bytes: its prefix, or nothing.
///
/// # Errors
/// When a framed command is longer than `i32::MAX` bytes.
pub fn encode_head(form: RequestForm, length: usize) -> Result<Vec<u8>, EncodeError> {
    match form {
        RequestForm::Framed => Ok(prefix::encode_head(length)?.to_vec()),
        RequestForm::Raw => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;

    #[test]
    fn a_raw_request_is_what_one_read_brought() {
        let mut requests = Decoder::new(RequestFraming::new(RequestForm::Raw, 10));
        assert_eq!(requests.decode(), Ok(None));
        for read in [b"echo a".as_slice(), b"echo becho c"] {
            assert!(requests.space().len() > 1024, "a read has to show that a request is too long");
            requests.space()[..read.len()].copy_from_slice(read);
            requests.filled(read.len());
            let Ok(Some(frame)) = requests.decode() else { panic!("one read, one request") };
            assert_eq!(frame.body, read);
            assert_eq!(requests.decode(), Ok(None));
        }
        assert_eq!(requests.check_end(), Ok(()));
    }

    #[test]
    fn forms_print_and_parse() {
        for form in [RequestForm::Framed, RequestForm::Raw] {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert_eq!("frame".parse::<RequestForm>(), Err(NotARequestForm));
        assert_eq!(encode_head(RequestForm::Framed, 3), Ok(vec![3, 0, 0, 0]));
        assert_eq!(encode_head(RequestForm::Raw, 3), Ok(vec![]));
    }
}
