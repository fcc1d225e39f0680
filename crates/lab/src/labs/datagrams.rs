//! datagrams: a UDP server with numbered requests. It carries out each one once, however often it arrives.
//!
//! The cases by theme, each with what it plays: [`answers`], [`nonsense`], [`again`], [`who`]. What a program has to do
//! is in [`rules`].

mod again;
mod answers;
mod ledger;
mod nonsense;
mod rules;
mod who;

use super::lab::{Lab, texts};

pub(super) const LAB: Lab = Lab {
    name: "datagrams",
    task: "a UDP server with numbered requests: each is carried out once, however often it comes",
    rules: rules::RULES,
    // From easy to difficult: if several fail, the first one is explained in full.
    cases: &[
        answers::FIRST,
        answers::TOTALS,
        answers::SIZES,
        answers::LARGEST_PAYLOAD,
        nonsense::EMPTY_DATAGRAM,
        nonsense::GARBAGE,
        nonsense::EVERY_OPERATION,
        nonsense::MUCH_GARBAGE,
        answers::IDLE,
        answers::SILENCE,
        answers::BURST,
        again::DUPLICATE,
        again::ANSWER_LOST,
        again::DUPLICATES_WAITING,
        again::REMEMBERS,
        again::REMEMBERS_ALL_PEERS,
        again::FORGETS_THE_OLDEST,
        who::TWO_PEERS,
        who::TWO_HOSTS,
        who::PEER_IS_GONE,
        who::ANY_ORDER,
        who::EVERY_NUMBER,
        again::UNKIND_NETWORK,
    ],
    texts: texts!("datagrams"),
};
