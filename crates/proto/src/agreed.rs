//! The addresses of the tutorial's pairs.

/// Where the TCP and UDP servers listen unless told otherwise.
pub const ADDRESS: &str = "127.0.0.1:8888";
/// Where the threaded server listens unless told otherwise.
pub const THREADED_ADDRESS: &str = "127.0.0.1:9999";
