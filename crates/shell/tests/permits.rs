//! How many commands run at once. Alone in its process, because the whole process shares the permits.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use observe::Socket;
use proto::json::Status;
use shell::{Limits, MAX_RUNNING, Peer, PeerGone, run};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), max_output: 1 << 20 };

#[test]
fn one_too_many_waits_for_a_permit() {
    let dir =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("permits-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let fifo = |name: String| {
        let path = dir.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path.to_str().unwrap().to_owned()
    };

    // Each holds its permit until something is written for it.
    let held: Vec<_> = (0..MAX_RUNNING)
        .map(|number| {
            let (started, go) = (fifo(format!("started-{number}")), fifo(format!("go-{number}")));
            let command = format!("echo >'{started}'; cat '{go}'");
            let handler = thread::spawn(move || answer(command.as_bytes(), &LIMITS));
            fs::read(started).unwrap();
            (handler, go)
        })
        .collect();

    let busy =
        answer(b"echo hi", &Limits { timeout: Duration::from_millis(50), ..LIMITS }).unwrap();
    assert_eq!((busy.stdout.as_slice(), busy.status), (b"".as_slice(), Some(Status::Exit(126))));
    assert!(busy.stderr.starts_with(b"busy: 8 commands"), "{:?}", busy.stderr.escape_ascii());

    let (client, server) = connection();
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    let peer = Peer::of(&server);
    drop(client);
    assert_eq!(
        run(b"echo hi", &LIMITS, &peer),
        Err(PeerGone),
        "who leaves the queue is not served"
    );

    let waiting = thread::spawn(|| answer(b"echo hi", &LIMITS));
    for (number, (handler, go)) in held.into_iter().enumerate() {
        std::io::Write::write_all(&mut File::create(go).unwrap(), number.to_string().as_bytes())
            .unwrap();
        assert_eq!(handler.join().unwrap().unwrap().stdout, number.to_string().as_bytes());
    }
    assert_eq!(waiting.join().unwrap().unwrap().stdout, b"hi\n");
    fs::remove_dir_all(dir).unwrap();
}

fn answer(command: &[u8], limits: &Limits) -> Result<shell::Output, PeerGone> {
    let (_client, server) = connection();
    run(command, limits, &Peer::of(&server))
}

fn connection() -> (TcpStream, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, Socket::inherited(listener.accept().unwrap().0.into()))
}
