//! Why a case failed.

/// A rule the program broke: what happened, and the bytes where bytes decide.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What happened, as a sentence without a full stop: `the stream ended after 3 of 5 bytes`.
    pub what: String,
    /// What should have come, and what came, from the same place of the stream.
    pub bytes: Option<Difference>,
    /// What to think about, where that is another matter than the rule of the case.
    pub hint: Option<&'static str>,
}

/// Two runs of bytes that should have been the same.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What should have come.
    pub expected: Vec<u8>,
    /// What came. It may be the beginning only.
    pub received: Vec<u8>,
}

impl Broken {
    /// A failure in which no bytes have to be compared.
    pub fn new(what: impl Into<String>) -> Broken {
        Broken { what: what.into(), bytes: None, hint: None }
    }

    /// A failure that bytes show.
    pub fn differs(what: impl Into<String>, expected: &[u8], received: &[u8]) -> Broken {
        let bytes = Difference { expected: expected.to_vec(), received: received.to_vec() };
        Broken { what: what.into(), bytes: Some(bytes), hint: None }
    }

    /// A program that did not come as far as the rule of the case.
    pub(crate) fn early(what: impl Into<String>, hint: &'static str) -> Broken {
        Broken { hint: Some(hint), ..Broken::new(what) }
    }

    /// A program that ended before there was anything to do.
    pub(crate) fn ended(what: impl Into<String>) -> Broken {
        Broken::early(what, "It came to an end by itself. What it printed last may say why.")
    }

    /// A failure of the machine rather than of the program: no descriptor, no thread.
    pub(crate) fn machine(what: &str, error: impl std::fmt::Display) -> Broken {
        Broken::new(format!("the checker could not {what}: {error}"))
    }
}
