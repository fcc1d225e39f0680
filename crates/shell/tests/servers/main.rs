//! What every remote-command server promises, whatever its protocol: each promise once, for all of them.
//!
//! | promise | test |
//! |---|---|
//! | nobody but this user runs commands, whatever address it comes from | `who_gets_in::a_stranger_is_refused_from_every_local_address` |
//! | …with a token as well | `who_gets_in::a_stranger_who_has_the_token_is_still_a_stranger` |
//! | the owner is served from each of those addresses | `who_gets_in::the_owner_is_served_from_every_local_address` |
//! | a user without a number proves nothing | `who_gets_in::without_a_mapped_user_nobody_is_let_in_but_by_a_token` |
//! | beyond this machine it listens only with both options | `who_gets_in::beyond_loopback_only_with_a_token` |
//! | if there is a token, it comes first | `who_gets_in::a_token_comes_first` |
//! | …and it is the one that was read at the start | `who_gets_in::a_token_is_read_once_and_seen_nowhere` |
//! | a token is in no log and no trace | `who_gets_in::a_token_is_in_no_log_and_no_trace` |
//! | a web page, TLS, line breaks, NUL, too long a request never run | `who_gets_in::what_is_no_command_never_runs` |
//! | …however the request is cut | `who_gets_in::a_web_page_runs_nothing_however_its_request_is_cut` |
//! | a request may arrive in any pieces | `answers::a_request_may_be_cut_anywhere` |
//! | garbage, a negative, a huge or a cut length ends one connection | `answers::a_framing_error_ends_one_connection` |
//! | a client that only stops sending gets its answer | `answers::the_answer_arrives_though_nothing_more_is_sent` |
//! | so does one whose input is unread: lingering close | `answers::the_answer_arrives_though_input_is_unread` |
//! | an answer cut short says so | `answers::an_answer_that_is_cut_short_says_so` |
//! | a status is right, whoever started the server | `answers::a_command_s_status_is_known_whoever_started_the_server` |
//! | unread lines stop nobody | `kept_out::unread_stdout_stops_nobody`, `unread_stderr_stops_nobody` |
//! | strangers cost the owner nothing | `kept_out::strangers_who_hold_on_cost_the_owner_nothing` |
//! | what can't be killed blocks nothing | `kept_out::a_command_that_cannot_be_killed_holds_nobody` |
//! | no command starts for a client that has left | `kept_out::a_command_of_a_client_that_has_left_does_not_start` |
//! | memory comes back | `kept_out::the_memory_of_large_messages_comes_back` |
//! | without a descriptor it waits, and neither spins nor floods its log | `descriptors::without_a_descriptor_it_waits` |
//! | …and goes on when clients leave | `descriptors::a_crowd_gives_its_descriptors_back` |
//! | restarted, it gets its port again at once | `start_and_stop::restarted_at_once` |
//! | two servers never share a port | `start_and_stop::one_port_one_server` |
//! | told to stop, it finishes what runs, within the grace period | `start_and_stop::told_to_stop_while_nobody_is_there`, `told_to_stop_it_finishes_what_runs`, `what_does_not_finish_is_killed` |
//! | …and what it has answered arrives, whatever the client sends meanwhile | `start_and_stop::told_to_stop_its_last_answer_arrives_though_the_client_asks_on` |
//! | …and no later than the last answer | `start_and_stop::told_to_stop_it_ends_once_all_have_their_answers` |
//! | …including the answer to what was still running | `start_and_stop::told_to_stop_the_answer_to_what_ran_arrives_too` |
//! | told twice, it ends at once | `start_and_stop::told_twice_it_ends_at_once` |
//! | a command ends with its client | `left_behind::a_command_ends_with_its_client` |
//! | a command has no terminal | `left_behind::a_command_has_no_terminal` |
//! | many clients leave no descriptor, thread or process | `left_behind::many_clients_leave_nothing` |
//! | nothing is left, however the server ends | `left_behind::nothing_is_left_however_the_server_ends` |
//! | a stalled client is given up after the frame timeout | `demos/tests/frame_timeout.rs`, `threaded-server/tests/handler.rs` |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod answers;
mod descriptors;
mod held;
mod kept_out;
mod left_behind;
mod process;
#[path = "../rows/mod.rs"]
#[expect(dead_code, reason = "the tests of the clients need more of it")]
mod rows;
mod start_and_stop;
mod users;
mod who_gets_in;
