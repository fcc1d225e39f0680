//! unix: an echo server whose address is a file. Echoing is easy; what may be at the path before the server starts is
//! not.

mod cases;
mod paths;
mod peers;
mod place;
mod rules;

use super::lab::{Lab, texts};

pub(super) const LAB: Lab = Lab {
    name: "unix",
    task: "an echo server on a Unix socket that replaces a dead server's file, and never anything else",
    rules: rules::RULES,
    cases: cases::CASES,
    texts: texts!("unix"),
};
