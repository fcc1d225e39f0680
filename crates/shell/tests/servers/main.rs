//! What every remote-command server promises, whatever it speaks: each promise once, for all of them.
//!
//! | promise | test |
//! |---|---|
//! | nobody but this user runs commands, whatever address it comes from | `who_gets_in::a_stranger_is_refused_from_every_local_address` |
//! | …with a token as well | `who_gets_in::a_stranger_who_has_the_token_is_still_a_stranger` |
//! | the owner is served from each of those addresses | `who_gets_in::the_owner_is_served_from_every_local_address` |
//! | a user without a number proves nothing | `who_gets_in::without_a_mapped_user_nobody_is_let_in_but_by_a_token` |
//! | a raw request is screened however it is cut | `who_gets_in::a_web_page_runs_nothing_however_its_request_is_cut` |
//! | a token is in no log and no trace | `who_gets_in::a_token_is_in_no_log_and_no_trace` |
//! | unread lines stop nobody | `kept_out::unread_stdout_stops_nobody`, `unread_stderr_stops_nobody` |
//! | strangers cost the owner nothing | `kept_out::strangers_who_hold_on_cost_the_owner_nothing` |
//! | what can't be killed holds nothing | `kept_out::a_command_that_cannot_be_killed_holds_nobody` |
//! | an answer cut short says so | `kept_out::an_answer_that_is_cut_short_says_so` |
//! | a status is right, whoever started the server | `kept_out::a_command_s_status_is_known_whoever_started_the_server` |
//! | no command starts for a client that has left | `kept_out::a_command_of_a_client_that_has_left_does_not_start` |
//! | memory comes back | `kept_out::the_memory_of_large_messages_comes_back` |
//! | a command has no terminal | `left_behind::a_command_has_no_terminal` |
//! | nothing is left, however the server ends | `left_behind::nothing_is_left_however_the_server_ends` |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod kept_out;
mod left_behind;
mod rows;
mod users;
mod who_gets_in;
