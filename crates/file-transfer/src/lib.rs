//! A file over a stream: what the two programs agree on, and what each does with its file. No socket is in here: those
//! are in `src/bin/server.rs` and `src/bin/client.rs`.
//!
//! ```text
//! client                                                     server
//! [length]{"name":"a.bin","size":1000,"sha256":"5c48…"}  -->
//!                                                       <--  [length]{"offset":300}       this much is there already
//! 700 bytes                                             -->
//!                                                       <--  [length]{"done":true}        the checksum fits
//! [length]{"name":"b.bin", …                            -->  and so on, until the client ends the stream
//! ```
//!
//! `[length]` is that of the JSON text: `i32`, little-endian, as in fix 3. The bytes of the file have no length of their
//! own: `size` and `offset` say how many come. Instead of an offset or of `done`, the server may answer
//! `{"error":"why"}`, and closes.

mod access;
mod checksum;
mod folder;
mod local;
mod message;
mod name;
mod progress;

pub use access::{may_listen, may_send};
pub use checksum::checksum_of;
pub use folder::{Folder, FolderArgs, Incoming};
pub use local::look_at;
pub use message::{MAX_HEADER, Offer, Reply, decode, encode, ended, header_len, refused};
pub use name::{MAX_NAME, check_name};
pub use progress::Progress;
