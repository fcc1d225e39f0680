//! Who may run commands.
//!
//! Three questions, each asked in one place: may this server listen there ([`ServerArgs::gate`], at the
//! start)? May this peer come in ([`Gate::admit`], after accept)? May this request run
//! ([`Session::run`], for each one)?

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use diag::{Whose, is_overflow_uid};
use observe::{Failure, Socket, report, say, show};
use proto::request::RequestForm;
use rustix::process::geteuid;
use socket2::SockAddr;

use crate::lingering::LingeringClose;
use crate::output::Output;
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::run::Limits;
use crate::session::{Session, SessionEnd, keep_secret};
use crate::shutdown::Shutdown;
use crate::token::{self, TokenError};

/// What every server of remote commands lets its user decide: the limits of a command, and who may
/// come in.
#[derive(clap::Args, Clone, Debug)]
pub struct ServerArgs {
    /// The limits of each command.
    #[command(flatten)]
    pub limits: Limits,

    /// Listen beyond this machine too. Anybody who has the token then has your shell: needs
    /// --token-file
    #[arg(long)]
    pub allow_remote: bool,

    /// Ask each client for the token in this file, of 16 bytes at least, before its first command.
    /// Keep the file to yourself (chmod 600): it protects your account. The token travels
    /// unencrypted
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The gate of a server that listens at `listen`, takes requests of this form, and ends when `shutdown` says so.
    /// Warns about what it can't prevent.
    ///
    /// # Errors
    /// An address beyond loopback without both options; a token file that can't be used.
    pub fn gate(
        &self,
        listen: SocketAddr,
        form: RequestForm,
        shutdown: &Shutdown,
    ) -> Result<Gate, AccessError> {
        let remote = !listen.ip().to_canonical().is_loopback();
        if remote && !(self.allow_remote && self.token_file.is_some()) {
            return Err(AccessError::Remote(listen));
        }
        let token =
            self.token_file.as_deref().map(token::read).transpose().map_err(AccessError::Token)?;
        let user = geteuid();
        if remote {
            tracing::warn!(
                %listen,
                "beyond this machine: anybody who has the token, or can watch the network, has your shell"
            );
        }
        if user.is_root() {
            tracing::warn!("running as root: so does every command");
        }
        if is_overflow_uid(user.as_raw()) && token.is_none() {
            tracing::warn!(
                "this user has no number of its own here, as in a container without a mapping: \
                 users can't be told apart, and everybody is refused (try --token-file)"
            );
        }
        if cfg!(not(target_os = "linux")) && token.is_none() {
            tracing::warn!(
                "this system does not say who owns a connection: \
                 every local user can run commands as you (try --token-file)"
            );
        }
        Ok(self.gate_with(token.unwrap_or_default(), form, shutdown))
    }

    /// The gate in another process of the same server, with the token that was read when the server started
    /// ([`Gate::token`]): no file is read, and nothing is checked again.
    pub fn gate_with(&self, token: Vec<u8>, form: RequestForm, shutdown: &Shutdown) -> Gate {
        Gate {
            user: geteuid().as_raw(),
            token: self.token_file.as_ref().map(|_| Arc::from(token)),
            form,
            limits: self.limits.clone(),
            shutdown: shutdown.clone(),
            lingering: LingeringClose::default(),
        }
    }
}

/// Decides who may come in, and ends each connection properly.
#[derive(Clone)]
pub struct Gate {
    /// Read once: the token must not change while the server runs.
    user: u32,
    token: Option<Arc<[u8]>>,
    form: RequestForm,
    limits: Limits,
    shutdown: Shutdown,
    lingering: LingeringClose,
}

impl Gate {
    /// Serves one accepted connection: asks whether its peer may come in, has `client` do what the protocol does, and
    /// closes it.
    ///
    /// A peer that is refused, at once or because of a request, is told why in the protocol's `frame`, by a thread: the
    /// next client doesn't wait for that. If something goes wrong with one client, a line on stderr says so, and only
    /// that connection ends. When the server is told to end, `recv` returns 0 here.
    pub fn serve<const N: usize, E>(
        &self,
        conn: Socket,
        peer: &SockAddr,
        frame: impl FnOnce(Output) -> Result<[Vec<u8>; N], E>,
        client: impl FnOnce(&Socket, &mut Session) -> Result<(), SessionEnd>,
    ) {
        self.serve_in_turns(conn, peer, |refusal| Ok::<_, E>([frame(refusal)?.concat()]), client);
    }

    /// As [`serve`](Self::serve), for a protocol where the peer says `OK` before each piece of an answer but the first: the
    /// ack handshake.
    pub fn serve_in_turns<const N: usize, E>(
        &self,
        conn: Socket,
        peer: &SockAddr,
        frame: impl FnOnce(Output) -> Result<[Vec<u8>; N], E>,
        client: impl FnOnce(&Socket, &mut Session) -> Result<(), SessionEnd>,
    ) {
        say(format_args!("from {}", show(peer)));
        let Some(conn) = self.shutdown.watch(conn) else { return };
        let served = self.admit(&Peer::of(&conn)).map_err(SessionEnd::from);
        match served.and_then(|session| client(&conn, &mut session.on(&conn))) {
            // The peer has ended the stream: nothing is unread, so it can simply be closed.
            Ok(()) if !self.shutdown.told() => {}
            // There's nobody left to answer.
            Err(SessionEnd::PeerGone) if !self.shutdown.told() => {}
            Err(SessionEnd::Refused(Refusal::Gone)) => {}
            Err(SessionEnd::Refused(refusal)) => {
                tracing::warn!(peer = show(peer), "{refusal}");
                // This fails only for an answer of gigabytes.
                self.lingering.close(conn, frame(refusal.into()).into_iter().flatten());
            }
            Err(SessionEnd::Failed(error)) if !self.shutdown.told() => {
                let error = keep_secret(error, &conn);
                report(Err(Failure::talking(show(peer), "serving")(error)));
                self.lingering.close(conn, []);
            }
            Ok(()) | Err(SessionEnd::Failed(_) | SessionEnd::PeerGone | SessionEnd::Told) => {
                self.lingering.close(conn, []);
            }
        }
    }

    /// The token that each client needs; empty if it needs none.
    pub fn token(&self) -> &[u8] {
        self.token.as_deref().unwrap_or_default()
    }

    /// Lets a peer in, or says why not. Ask right after accept, before the peer costs anything: this never
    /// blocks.
    ///
    /// # Errors
    /// The peer is on this machine, and isn't provably the user who started this server: it may not run anything.
    pub fn admit(&self, peer: &Peer<'_>) -> Result<Session, Refusal> {
        let whose = peer.whose(self.user).map_err(|error| {
            tracing::warn!(%error, "cannot look up who owns a connection");
        });
        policy(whose, self.token.is_some())?;
        peer.mask(self.token.is_some());
        let (limits, token) = (self.limits.clone(), self.token.clone());
        Ok(Session::new(self.form, limits, token, self.shutdown.clone()))
    }
}

/// The policy: a local peer must provably be this user. If that can't be known, a token proves it.
/// Peers on other machines always need one: without a token, the server doesn't listen there.
fn policy(whose: Result<Whose, ()>, has_token: bool) -> Result<(), Refusal> {
    match whose {
        Ok(Whose::ThisUser | Whose::Elsewhere | Whose::NotTold) => Ok(()),
        Ok(Whose::Unmapped) | Err(()) if has_token => Ok(()),
        Ok(Whose::AnotherUser) => Err(Refusal::Stranger),
        Ok(Whose::Nobody) => Err(Refusal::Gone),
        Ok(Whose::Unmapped) => Err(Refusal::Unmapped),
        Err(()) => Err(Refusal::Unknown),
    }
}

/// Why a server refuses to start.
#[derive(Debug)]
pub enum AccessError {
    /// It would listen beyond loopback, but doesn't have the two options that this needs.
    Remote(SocketAddr),
    /// The token file cannot be used.
    Token(TokenError),
}

impl fmt::Display for AccessError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(listen) => write!(
                out,
                "listening at {listen} would give your shell to the network: \
                 add --allow-remote and --token-file FILE, or listen at 127.0.0.1"
            ),
            Self::Token(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for AccessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Remote(_) => None,
            Self::Token(error) => error.source(),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Failure {
        Failure::Usage(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_loopback_needs_no_options() {
        let gate = |listen: &str, allow_remote, token_file: Option<&str>| {
            let limits = Limits { timeout: Duration::from_secs(1), max_output: 1 };
            ServerArgs { limits, allow_remote, token_file: token_file.map(PathBuf::from) }.gate(
                listen.parse().unwrap(),
                RequestForm::Raw,
                &Shutdown::on_signals().unwrap(),
            )
        };
        for here in ["127.0.0.1:8888", "127.9.9.9:0", "[::1]:8888", "[::ffff:127.0.0.1]:8888"] {
            assert!(gate(here, false, None).is_ok(), "{here}");
        }
        for beyond in ["0.0.0.0:8888", "[::]:8888", "192.0.2.1:8888", "[::ffff:192.0.2.1]:8888"] {
            assert!(matches!(gate(beyond, false, None), Err(AccessError::Remote(_))), "{beyond}");
            assert!(
                matches!(gate(beyond, true, None), Err(AccessError::Remote(_))),
                "{beyond} without a token"
            );
            assert!(
                matches!(gate(beyond, false, Some("/t")), Err(AccessError::Remote(_))),
                "{beyond} not allowed"
            );
            assert!(
                matches!(gate(beyond, true, Some("/")), Err(AccessError::Token(_))),
                "{beyond} with a bad token"
            );
        }
    }

    #[test]
    fn a_local_peer_is_let_in_only_if_it_is_provably_this_user() {
        for has_token in [false, true] {
            for admitted in [Whose::ThisUser, Whose::Elsewhere, Whose::NotTold] {
                assert_eq!(policy(Ok(admitted), has_token), Ok(()), "{admitted:?}");
            }
            assert_eq!(policy(Ok(Whose::AnotherUser), has_token), Err(Refusal::Stranger));
            assert_eq!(policy(Ok(Whose::Nobody), has_token), Err(Refusal::Gone));
        }
        assert_eq!(policy(Ok(Whose::Unmapped), false), Err(Refusal::Unmapped));
        assert_eq!(policy(Err(()), false), Err(Refusal::Unknown));
    }

    #[test]
    fn where_a_user_cannot_be_known_a_token_proves_it() {
        assert_eq!(policy(Ok(Whose::Unmapped), true), Ok(()));
        assert_eq!(policy(Err(()), true), Ok(()));
    }
}
