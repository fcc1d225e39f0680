//! A shell on a socket, and what must stand around it.
//!
//! The remote-command programs of this course hand what a peer sends to `/bin/sh`. That is a fine
//! way to see where one message ends and the next begins, and a dangerous thing to leave listening.
//! Two kinds of peers that nobody invited can reach it, even on 127.0.0.1:
//!
//! - **A web page.** `<img src="http://127.0.0.1:8888/;touch$IFS/tmp/x;">` makes your own browser
//!   connect and send `GET /;touch$IFS/tmp/x; HTTP/1.1`. A shell runs the middle of that. So raw
//!   requests are [screened](Session::run): what looks like HTTP or TLS, spans lines or is too
//!   long never reaches the shell.
//! - **The other local user.** Loopback is shared by everybody on the machine. So a [`Gate`] asks
//!   the kernel whose socket the peer is, and refuses all but yours. Of a peer on another machine
//!   nobody can know: there a token is asked for.
//!
//! Then the command itself must not take the server with it. [`run`] gives each one bounds:
//!
//! | a command that… | would… | so |
//! |---|---|---|
//! | fills one pipe while the server reads the other | stop both for ever | both are drained at once |
//! | never ends | hold the connection | it is killed at a deadline |
//! | never stops talking | eat the memory | it is cut and killed at a limit of bytes |
//! | reads its input | wait for somebody to type | its input is empty |
//! | leaves a child behind (`sleep 60 &`) | outlive the answer | its whole process group is killed |
//! | nobody waits for any more | run for nothing | it is killed when its peer is gone |
//! | comes in a crowd | exhaust the machine | [`MAX_RUNNING`] run at once, others wait |
//!
//! [`Shutdown`] ends a server in order, and in bounded time. [`PromptArgs`] is the other end: where the
//! client's user types.
//!
//! One thing escapes all this: a command that leaves its process group (`setsid`) or becomes
//! another user (`sudo`) cannot be killed with the group. It holds nothing: the answer says that it
//! runs on. To keep it in, a server needs a container; this crate says so and stops here.

mod answer;
mod deadline;
mod gate;
mod line;
mod lingering;
mod output;
mod peer;
mod permit;
mod prompt;
mod prompt_error;
mod refusal;
mod run;
mod session;
mod shutdown;
mod token;

pub use answer::Answer;
pub use deadline::{
    Deadline, FRAME_TIMEOUT, FrameDeadline, left_unread, poll, still_missing, wait_readable,
    write_with_timeout, write_within,
};
pub use gate::{AccessError, Gate, ServerArgs};
pub use lingering::LingeringClose;
pub use output::Output;
pub use peer::{Peer, PeerGone, RECHECK};
pub use permit::MAX_RUNNING;
pub use prompt::{Command, Commands, PromptArgs, PromptWhen};
pub use prompt_error::PromptError;
pub use refusal::{MAX_RAW_REQUEST, Refusal, check_length};
pub use run::{Limits, MAX_COMMAND, run};
pub use session::{Session, SessionEnd, WELCOME, keep_secret};
pub use shutdown::{Connection, GRACE, Hold, LINGER, Shutdown};
pub use token::TokenError;
