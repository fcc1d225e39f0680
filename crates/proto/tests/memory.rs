//! When memory runs out, the connection ends, not the process.

use std::env;
use std::process::Command;

use proto::prefix::PrefixFraming;
use proto::{Decoder, FrameError};

/// In a process of its own, which may have 200 MB of address space.
#[test]
fn a_failed_allocation_ends_the_stream_and_not_the_process() {
    let name = "a_failed_allocation_ends_the_stream_and_not_the_process";
    if env::var_os(name).is_none() {
        let mut limited = Command::new("/bin/sh");
        limited
            .args(["-c", "ulimit -v 200000; exec \"$@\"", "sh"])
            .arg(env::current_exe().unwrap());
        limited.args(["--exact", name, "--nocapture"]).env(name, "1");
        assert!(limited.status().unwrap().success());
        return;
    }
    let mut decoder = Decoder::new(PrefixFraming { max_frame: i32::MAX as usize });
    decoder.space()[..4].copy_from_slice(&i32::MAX.to_le_bytes());
    decoder.filled(4);
    let error = loop {
        match decoder.decode() {
            Ok(Some(_)) => unreachable!("two gigabytes in 200 megabytes"),
            Ok(None) => {}
            Err(error) => break error,
        }
        let n = decoder.space().len();
        assert_ne!(n, 0);
        decoder.filled(n);
    };
    assert!(matches!(error, FrameError::NoMemory { wanted } if wanted > 1 << 20), "{error}");
    // The error stays, whatever arrives later.
    let n = decoder.space().len();
    decoder.filled(n);
    assert_eq!(decoder.decode(), Err(error.clone()));
    assert_eq!(decoder.check_end(), Err(error));
}
