//! The two TLS programs of chapter 16: what each recv returns. In Python each recv returns one record, and more than 16 KiB
//! take two records.

use stage::{Program, Scratch, Signal, Stream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn each_tls_record_is_one_recv_in_python() {
    let Some(python) = stage::python() else { return };
    let folder = Scratch::new().unwrap();
    if !certificate(folder.path()) {
        stage::skip("UNSTUCK_REQUIRE_OPENSSL", "no openssl");
        return;
    }
    let peer = |name: &str, port: &str| {
        let mut command = Command::new(&python);
        let script = format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"));
        command.args([&script, port]).current_dir(folder.path());
        Program::start(name, &mut command).unwrap()
    };
    let server = peer("tls_server.py", "0");
    let line = server.wait_for_line(Stream::Stdout, "listening on 127.0.0.1:", LONG).unwrap();
    let port = line.rsplit(':').next().unwrap().to_owned();
    // A relay in between records the server's bytes and cuts them: TLS puts its records back together.
    let mut relay = Command::new(stage::binary("relay").unwrap());
    relay.current_dir(folder.path()).args(["--listen", "127.0.0.1:0", "--cut", "1000"]);
    relay.args(["--to", &format!("127.0.0.1:{port}"), "--trace", "relay.trace"]);
    let relay = Program::start("relay", &mut relay).unwrap();
    let through = relay.address().unwrap().rsplit(':').next().unwrap().to_owned();
    let client = peer("tls_client.py", &through).wait(LONG).unwrap();

    let said = String::from_utf8(client.stdout).unwrap();
    let lines: Vec<&str> = said.lines().skip(1).collect(); // the first one is TLS's version
    assert_eq!(
        lines,
        ["5 b'hello'", "2 b'hi'", "16384 b'xxxxxxxxxx'", "3616 b'xxxxxxxxxx'"],
        "{}",
        String::from_utf8_lossy(&client.stderr)
    );
    assert_eq!((client.code, server.wait(LONG).unwrap().code), (Some(0), Some(0)));
    relay.signal(Signal::TERM);
    relay.wait(LONG).unwrap();
    let records = peer("tls_records.py", "relay.trace").wait(LONG).unwrap();
    let records = String::from_utf8(records.stdout).unwrap();
    let lengths: Vec<&str> = records.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    // The programs' own records are five: hello, hi, two for the 20,000 letters, and "that was all".
    assert!(lengths.ends_with(&["22", "19", "16401", "3633", "19"]), "{records}");
}

/// A certificate for `localhost`, signed by its own key, as the chapter makes it; false without openssl.
fn certificate(folder: &Path) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(folder);
    openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    openssl.status().is_ok_and(|status| status.success())
}
