//! frames: a TCP server that answers each frame with the same text in capitals. The length is little-endian.

mod cases;

use super::framed::rules;
use super::lab::{Lab, texts};

pub(super) const LAB: Lab = Lab {
    name: "frames",
    task: "a TCP server that answers each frame (a length, and that many bytes) with the same bytes in capitals",
    rules: &[
        rules::CAPITALS,
        rules::AS_SOON,
        rules::CUTS,
        rules::EMPTY,
        rules::AHEAD,
        rules::LIMIT,
        rules::NEGATIVE,
        rules::PACE,
        rules::SILENCE,
        rules::END,
        rules::INSIDE,
        rules::RESET,
        rules::LEAVES,
        rules::IDLE,
        rules::NEXT,
    ],
    cases: cases::CASES,
    texts: texts!("frames"),
};
