//! The three kinds of Unix socket.

use clap::ValueEnum;
use socket2::Type;

use crate::NameError;

/// What a Unix socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A stream of bytes, like TCP
    Stream,
    /// Messages without a connection, like UDP
    Datagram,
    /// Messages over a connection (only on Linux)
    Seqpacket,
}

impl TryFrom<Kind> for Type {
    type Error = NameError;

    fn try_from(kind: Kind) -> Result<Type, NameError> {
        match kind {
            Kind::Stream => Ok(Type::STREAM),
            Kind::Datagram => Ok(Type::DGRAM),
            Kind::Seqpacket if cfg!(target_os = "linux") => Ok(Type::SEQPACKET),
            Kind::Seqpacket => Err(NameError::NoSuchKind),
        }
    }
}
