//! Asks this machine's kernel about a connection: [whose its other end is](whose), what its reader
//! has not read yet ([`Kernel`]), and [in which state](connection()) each end is.
//!
//! An address doesn't say who is using it. Loopback is shared by everybody on the machine, and a client
//! may bind its own end to any address the machine has before it connects to 127.0.0.1. The kernel,
//! on the other hand, knows the user of every socket it holds. So wherever it matters who a peer is,
//! the kernel is asked, and the addresses only tell it which socket is meant.
//!
//! This is Linux's `sock_diag(7)`, the interface behind `ss`. Other systems have nothing like it for
//! TCP: there [`whose`] answers [`Whose::NotTold`], and [`connection()`] is an error.

mod connection;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod table;
mod whose;

pub use connection::{Connection, State, connection};
#[cfg(target_os = "linux")]
pub use kernel::{Kernel, Received};
pub use whose::{Whose, is_overflow_uid, whose};
