//! What every remote-command client promises, whatever its protocol: each promise once, for all of them.
//!
//! | promise | test |
//! |---|---|
//! | a peer that closes, resets or says nothing: one line that names it, an exit code, no part of an answer | `ends::a_peer_that_ends_or_is_silent` |
//! | a promised length costs no memory | `ends::a_promise_costs_nothing` |
//! | nobody listens: an exit code of its own | `ends::nobody_listens` |
//! | nobody accepts: its timeout limits the connecting, too | `ends::nobody_accepts` |
//! | bytes that nobody announced are an error, even while the user types | `ends::bytes_that_nobody_announced` |
//! | …and if they are a whole message, as a refusal is, the error shows it | `ends::a_refusal_before_the_command` |
//! | Ctrl-C ends it while it waits | `ends::interrupted_while_it_waits` |
//! | a reader who has seen enough ends it | `ends::a_reader_who_has_seen_enough` |
//! | commands from standard input, and where they end | `commands::commands_from_standard_input` |
//! | the prompt is shown where it's asked for | `commands::the_prompt_where_it_is_asked_for` |
//! | the client says how a command ended, if the answer tells it | `commands::how_a_command_ended_is_said` |
//! | with our servers and Python's, the same commands give the same bytes | `pairs::each_pair_brings_the_same_bytes` |
//! | …over IPv6 too | `pairs::over_ipv6_too` |
//! | no request and no answer waits for an ACK | `pace::no_answer_waits_for_an_ack` |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod commands;
mod ends;
mod pace;
mod pairs;
mod peer;
#[path = "../rows/mod.rs"]
#[expect(dead_code, reason = "the tests of the servers need more of it")]
mod rows;
