//! How a client sends a command: framed like the answers, or raw like the tutorial's programs.
//!
//! The tutorial frames its answers and leaves its requests raw: the server takes what one `recv`
//! brings for one command. That is the sticky packet in the other direction. `echo a` and `echo b`,
//! sent close together, run as `echo aecho b`.

use std::fmt;
use std::str::FromStr;

use crate::prefix::{self, Prefix};
use crate::{EncodeError, FrameError, Framing, Parsed, Part};

/// Whether requests have boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A 4-byte length, then the command.
    #[default]
    Framed,
    /// The command's bytes and nothing else: what the tutorial's programs speak.
    Raw,
}

impl FromStr for Form {
    type Err = NotAForm;

    fn from_str(text: &str) -> Result<Self, NotAForm> {
        match text {
            "framed" => Ok(Form::Framed),
            "raw" => Ok(Form::Raw),
            _ => Err(NotAForm),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Framed => "framed",
            Form::Raw => "raw",
        })
    }
}

/// The text was not the name of a [`Form`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAForm;

impl fmt::Display for NotAForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected framed or raw")
    }
}

impl std::error::Error for NotAForm {}

/// Requests of either form as a [`Framing`].
///
/// A raw request ends where the last read happened to end. That is no framing at all, and here is
/// how it looks: no head, and a body of whatever has come.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    form: Form,
    prefix: Prefix,
}

impl Request {
    /// Requests of this form; a framed one of more than `max_frame` bytes is refused.
    pub fn new(form: Form, max_frame: usize) -> Self {
        Request { form, prefix: Prefix { max_frame } }
    }
}

impl Framing for Request {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        match self.form {
            Form::Framed => self.prefix.head(bytes),
            Form::Raw if bytes.is_empty() => {
                Ok(Parsed::NeedMore { part: Part::Body, got: 0, want: 1 })
            }
            Form::Raw => Ok(Parsed::Head { head: (), head_len: 0, body_len: bytes.len() }),
        }
    }
}

/// What goes before a command of `length` bytes: its prefix, or nothing.
///
/// # Errors
/// When a framed command is longer than `i32::MAX` bytes.
pub fn encode_head(form: Form, length: usize) -> Result<Vec<u8>, EncodeError> {
    match form {
        Form::Framed => Ok(prefix::encode_length(length)?.to_vec()),
        Form::Raw => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, Step};

    #[test]
    fn a_raw_request_is_what_one_read_brought() {
        let mut requests = Decoder::new(Request::new(Form::Raw, 10));
        assert_eq!(requests.decode(), Ok(Step::NeedMore));
        for read in [b"echo a".as_slice(), b"echo becho c"] {
            requests.space()[..read.len()].copy_from_slice(read);
            requests.filled(read.len());
            let Ok(Step::Frame(frame)) = requests.decode() else { panic!("one read, one request") };
            assert_eq!(frame.body, read);
            assert_eq!(requests.decode(), Ok(Step::NeedMore));
        }
        assert_eq!(requests.finish(), Ok(()));
    }

    #[test]
    fn forms_print_and_parse() {
        for form in [Form::Framed, Form::Raw] {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert_eq!("frame".parse::<Form>(), Err(NotAForm));
        assert_eq!(encode_head(Form::Framed, 3), Ok(vec![3, 0, 0, 0]));
        assert_eq!(encode_head(Form::Raw, 3), Ok(vec![]));
    }
}
