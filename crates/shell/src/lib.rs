//! A shell on a socket, and what must protect it.
//!
//! The remote-command programs of this course hand what a peer sends to `/bin/sh`. That is a good
//! way to see where one message ends and the next begins, and a dangerous thing to leave running.
//! Two kinds of uninvited peers can reach it, even on 127.0.0.1:
//!
//! - **A web page.** `<img src="http://127.0.0.1:8888/;touch$IFS/tmp/x;">` makes your own browser
//!   connect and send `GET /;touch$IFS/tmp/x; HTTP/1.1`. A shell runs the middle of that. So raw
//!   requests are [screened](Session::run): what looks like HTTP or TLS, spans lines or is too
//!   long never reaches the shell.
//! - **Another local user.** Loopback is shared by everybody on the machine. So a [`Gate`] asks
//!   the kernel who owns the peer's socket, and refuses everybody but you. For a peer on another machine
//!   the kernel can't know, so such a peer needs a token.
//!
//! And a command must not take the server down with it. [`run`] gives each one limits:
//!
//! | a command that… | would… | so |
//! |---|---|---|
//! | fills one pipe while the server reads the other | deadlock both | both pipes are read at once |
//! | never ends | hold the connection | it is killed at a deadline |
//! | never stops writing | eat the memory | it is cut off and killed at a limit of bytes |
//! | reads its input | wait for somebody to type | its input is empty |
//! | leaves a child running (`sleep 60 &`) | outlive the answer | its whole process group is killed |
//! | has no client waiting for it any longer | run for nothing | it is killed when its peer is gone |
//! | is one of very many | exhaust the machine | [`MAX_RUNNING`] run at once, others wait |
//!
//! [`Shutdown`] ends a server cleanly, and in limited time. [`PromptArgs`] is the other end: where the
//! client's user types.
//!
//! One thing escapes all this: a command that leaves its process group (`setsid`) or becomes
//! another user (`sudo`) can't be killed with the group. The server doesn't wait for it: the answer says that it is
//! still running. To contain such a command, a server needs a container, and that's beyond this crate.

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
