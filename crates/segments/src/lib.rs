//! TCP segments, where they can be seen: on Linux, in a network of the run's own.
//!
//! A `send` is not a segment, and a segment is not a `recv`. To see what travels between the two calls you have to look
//! at the network itself, and on most machines only root may do that. So the run moves into a network namespace: a
//! network of its own, with nothing in it but a loopback. There it may look, and it sees nothing but its own traffic.
//! You can do the same by hand:
//!
//! ```text
//! $ unshare --user --map-root-user --net
//! # ip link set lo up
//! ```
//!
//! ```no_run
//! // First thing in main: restarts this program inside. Where that isn't allowed, the run goes on without it.
//! let capture = segments::enter().and_then(|()| segments::Capture::start());
//! if let Err(why) = &capture {
//!     eprintln!("segments not seen: {why}");
//! }
//! // … connections on 127.0.0.1 …
//! if let Ok(capture) = capture {
//!     let recording = capture.stop();
//!     let traffic = segments::Traffic::of(&recording);
//!     print!("{}", traffic.listing(80)); // SYN, SYN ACK, ACK, the bytes, FIN
//!     let middle_lane: Vec<observe::Event> = traffic.events();
//!     recording.write_pcapng(&mut std::fs::File::create("run.pcapng")?)?; // for Wireshark
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

mod capture;
mod command;
mod error;
mod listing;
mod namespace;
mod pcapng;
mod recording;
mod segment;
mod traffic;

pub use capture::Capture;
pub use command::run;
pub use error::CaptureError;
pub use namespace::{enter, is_inside};
pub use recording::{Packet, Recording};
pub use segment::{Flags, Segment};
pub use traffic::{Direction, Gap, PlacedSegment, Traffic};
