//! Who is let in, on real connections.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use observe::Socket;
use proto::request::RequestForm;
use shell::{
    Deadline, Gate, Limits, Peer, PromptArgs, PromptWhen, Refusal, ServerArgs, SessionEnd,
    Shutdown, WELCOME,
};

fn args(token_file: Option<PathBuf>) -> ServerArgs {
    let limits = Limits { timeout: Duration::from_secs(30), max_output: 1024 };
    ServerArgs { limits, allow_remote: false, token_file }
}

fn shutdown() -> Shutdown {
    Shutdown::on_signals().unwrap()
}

/// The next connection, as a server gets it.
fn accept(listener: &TcpListener) -> Socket {
    Socket::inherited(listener.accept().unwrap().0.into())
}

#[test]
fn a_refused_request_is_the_last() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate =
        args(None).gate(listener.local_addr().unwrap(), RequestForm::Raw, &shutdown()).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let conn = accept(&listener);
    let peer = Peer::of(&conn);
    let mut session = gate.admit(&peer).unwrap();
    for request in [b"GET / HTTP/1.1".as_slice(), b"echo hi"] {
        let end = session.run(request, peer).unwrap_err();
        assert!(matches!(end, SessionEnd::Refused(Refusal::Http)), "{end}");
    }
    drop(client);
}

#[test]
fn our_own_connection_is_let_in() {
    for (listen, connect) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "[::ffff:127.0.0.1]"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("[::1]", "[::1]"),
    ] {
        let Ok(listener) = TcpListener::bind(format!("{listen}:0")) else {
            eprintln!("skipped: no {listen} here");
            continue;
        };
        let address = listener.local_addr().unwrap();
        let gate = args(None).gate(address, RequestForm::Raw, &shutdown()).unwrap();
        let client = TcpStream::connect(format!("{connect}:{}", address.port())).unwrap();
        let server = accept(&listener);
        let peer = Peer::of(&server);
        let mut session =
            gate.admit(&peer).unwrap_or_else(|refusal| panic!("{listen} {connect}: {refusal}"));
        assert_eq!(session.run(b"echo hi", peer).unwrap().stdout, b"hi\n");
        drop(client);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_has_closed_proves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate =
        args(None).gate(listener.local_addr().unwrap(), RequestForm::Raw, &shutdown()).unwrap();
    for reset in [false, true] {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        if reset {
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        let server = accept(&listener);
        assert_eq!(gate.admit(&Peer::of(&server)).err(), Some(Refusal::Gone));
    }
}

#[test]
fn both_sides_read_the_same_token() {
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("token-{}", std::process::id()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let server = accept(&listener);
    let peer = Peer::of(&server);
    let access = args(Some(file.clone()));
    let prompt =
        PromptArgs { command: vec![], prompt: PromptWhen::Auto, token_file: Some(file.clone()) };

    for end in ["", "\n", "\r\n"] {
        fs::write(&file, format!("0123456789abcdef{end}")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let token = prompt.token().unwrap().unwrap();
        assert_eq!(token, b"0123456789abcdef", "{end:?}");
        let mut session =
            access.gate(address, RequestForm::Raw, &shutdown()).unwrap().admit(&peer).unwrap();
        assert_eq!(session.run(&token, peer).unwrap().stdout, WELCOME, "{end:?}");
    }
    for (bad, why) in
        [("0123456789abcde\n".to_owned(), "has 15 bytes"), ("x".repeat(1025), "more than 1024")]
    {
        fs::write(&file, bad).unwrap();
        let error = access.gate(address, RequestForm::Raw, &shutdown()).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    fs::remove_file(&file).unwrap();
    let error = access.gate(address, RequestForm::Raw, &shutdown()).err().unwrap().to_string();
    assert!(error.starts_with("cannot read the token file"), "{error}");
    drop(client);
}

/// What the gate does with a connection that `client` uses like this: the bytes that the client reads up to the end.
fn served(
    gate: &Gate,
    client: impl FnOnce(&Socket, &mut shell::Session) -> Result<(), SessionEnd>,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut conn = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // The server doesn't read it, so a plain close would be a reset.
    conn.write_all(b"more").unwrap();
    let peer = conn.local_addr().unwrap().into();
    let frame = |output: shell::Output| Ok::<_, io::Error>([output.stdout, output.stderr]);
    gate.serve(accept(&listener), &peer, frame, client);
    let mut heard = String::new();
    conn.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
fn however_a_session_ends_its_peer_reads_all_that_was_said() {
    let gate =
        args(None).gate("127.0.0.1:0".parse().unwrap(), RequestForm::Raw, &shutdown()).unwrap();
    let heard = served(&gate, |conn, session| {
        conn.send(&session.run(b"echo hi", conn)?.stdout)?;
        Err(session.run(b"GET / HTTP/1.1", conn).unwrap_err())
    });
    assert!(heard.starts_with("hi\nrefused: this looks like HTTP"), "{heard}");
    let heard = served(&gate, |conn, _| {
        conn.send(b"hi")?;
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    });
    assert_eq!(heard, "hi");
}

/// Both sides read it by the same rules, those of ssh for a private key.
#[test]
fn a_token_file_that_others_can_use_is_refused() {
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exposed-{}", std::process::id()));
    fs::write(&file, "0123456789abcdef").unwrap();
    let here = "127.0.0.1:0".parse().unwrap();
    let access = args(Some(file.clone()));
    let prompt =
        PromptArgs { command: vec![], prompt: PromptWhen::Auto, token_file: Some(file.clone()) };
    for (mode, private) in [
        (0o600, true),
        (0o400, true),
        (0o700, true),
        (0o604, false),
        (0o640, false),
        (0o620, false),
        (0o602, false),
        (0o601, false),
        (0o644, false),
        (0o660, false),
    ] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            access.gate(here, RequestForm::Raw, &shutdown()).is_ok(),
            private,
            "server, {mode:o}"
        );
        assert_eq!(prompt.token().is_ok(), private, "client, {mode:o}");
    }
    let error = access.gate(here, RequestForm::Raw, &shutdown()).err().unwrap().to_string();
    assert!(error.contains("mode 0660") && error.contains("chmod 600"), "{error}");
    // Only root can give a file away, so only as root does a refusal prove anything.
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
        let error = access.gate(here, RequestForm::Raw, &shutdown()).err().unwrap().to_string();
        assert!(error.contains("belongs to another user"), "{error}");
    }
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let error = access.gate(here, RequestForm::Raw, &shutdown()).err().unwrap().to_string();
    assert!(error.contains("isn't a regular file"), "nobody waits for a FIFO: {error}");
    fs::remove_file(&file).unwrap();
}

/// A stranger in everything but its address: what counts is who owns it, not where it comes from.
#[test]
fn who_awaits_a_token_may_not_think_as_long_as_it_likes() {
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("awaited-{}", std::process::id()));
    fs::write(&file, "0123456789abcdef").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let server = accept(&listener);
    let peer = Peer::of(&server);
    let open =
        args(None).gate(address, RequestForm::Raw, &shutdown()).unwrap().admit(&peer).unwrap();
    assert_eq!(open.deadline(), Deadline::NEVER);
    let mut session = args(Some(file.clone()))
        .gate(address, RequestForm::Raw, &shutdown())
        .unwrap()
        .admit(&peer)
        .unwrap();
    assert_ne!(session.deadline(), Deadline::NEVER);
    session.run(b"0123456789abcdef", peer).unwrap();
    assert_eq!(session.deadline(), Deadline::NEVER);
    fs::remove_file(&file).unwrap();
    drop(client);
}
