//! The addresses and messages of the tutorial's pairs.

/// Where the TCP and UDP servers listen unless told otherwise.
pub const ADDRESS: &str = "127.0.0.1:8888";
/// Where the threaded server listens unless told otherwise.
pub const THREADED_ADDRESS: &str = "127.0.0.1:9999";
/// What the TCP client says.
pub const HELLO: &[u8] = b"hello";
/// What the TCP server answers.
pub const HI: &[u8] = b"hi";
/// What the UDP client says.
pub const FROM_UDP_CLIENT: &str = "from udp client";
/// What the UDP server answers, in UTF-8: two characters, six bytes.
pub const NI_HAO: &str = "你好";
