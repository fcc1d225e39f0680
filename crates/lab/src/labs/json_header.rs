//! json-header: a TCP server for requests with a JSON header and a body.
//!
//! The cases by theme, each with what it plays: [`framing`], [`header`], [`strict`], [`data_len`], [`bodies`],
//! [`partings`]. What a program has to do is in [`rules`].

mod bodies;
mod data_len;
mod framing;
mod header;
mod partings;
mod rules;
mod strict;

use super::lab::{Lab, texts};

pub(super) const LAB: Lab = Lab {
    name: "json-header",
    task: "a TCP server for requests with a JSON header, {\"data_len\": N, \"op\": …}, and a body of N bytes",
    rules: rules::RULES,
    // From easy to difficult: if several fail, the first one is explained in full.
    cases: &[
        framing::ONE_REQUEST,
        framing::CUT_EVERYWHERE,
        framing::PIPELINED,
        framing::MANY_AT_ONCE,
        header::ORDER_AND_SPACES,
        header::UNKNOWN_MEMBERS,
        header::EVERY_VALUE,
        header::ESCAPES,
        header::NON_ASCII_HEADER,
        bodies::UPPER,
        bodies::REVERSE,
        bodies::COUNT,
        bodies::EDGE_CHARACTERS,
        bodies::EMPTY_BODY,
        bodies::LARGE_BODY,
        bodies::LARGEST_BODY,
        framing::HEADER_AT_LIMIT,
        bodies::CANNOT_DO,
        bodies::NOT_TEXT,
        framing::HEADER_LENGTH,
        strict::HEADER_NO_OBJECT,
        strict::STRICT_FORM,
        strict::STRICT_NUMBERS,
        strict::STRICT_STRINGS,
        strict::STRICT_ENCODING,
        data_len::DATA_LEN,
        strict::DEEP,
        framing::SILENCE,
        framing::SILENCE_IN_HEADER,
        framing::SILENCE_IN_BODY,
        framing::SILENCE_BEFORE_ERROR,
        partings::END_BETWEEN,
        partings::END_INSIDE,
        partings::LATE_END,
        partings::SLOW_READER,
        partings::PEER_LEAVES,
        partings::RESET,
        partings::MANY_BROKEN_PEERS,
    ],
    texts: texts!("json-header", "json.rs"),
};
