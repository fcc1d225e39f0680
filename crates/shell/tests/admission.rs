//! Who is let in, on real connections.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, Permissions};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use observe::Socket;
use proto::request::RequestForm;
use shell::{Caller, Limits, PromptArgs, PromptWhen, ServerArgs, WELCOME};

fn args(token_file: Option<PathBuf>) -> ServerArgs {
    let limits = Limits { timeout: Duration::from_secs(30), max_output: 1024 };
    ServerArgs { limits, allow_remote: false, token_file }
}

/// The next connection, as a server has it.
fn accept(listener: &TcpListener) -> Socket {
    Socket::inherited(listener.accept().unwrap().0.into())
}

#[test]
fn a_refused_request_is_answered_and_is_the_last() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = args(None).gate(listener.local_addr().unwrap(), RequestForm::Raw).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let conn = accept(&listener);
    let caller = Caller::of(&conn);
    let mut visitor = gate.judge(&caller).unwrap();
    for request in [b"GET / HTTP/1.1".as_slice(), b"echo hi"] {
        let reply = visitor.answer(request, &caller).unwrap();
        assert!(reply.last && reply.output.stderr.starts_with(b"refused: this looks like HTTP"));
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
        let gate = args(None).gate(address, RequestForm::Raw).unwrap();
        let client = TcpStream::connect(format!("{connect}:{}", address.port())).unwrap();
        let server = accept(&listener);
        let caller = Caller::of(&server);
        let mut visitor =
            gate.judge(&caller).unwrap_or_else(|refusal| panic!("{listen} {connect}: {refusal}"));
        let reply = visitor.answer(b"echo hi", &caller).unwrap();
        assert_eq!((reply.output.stdout.as_slice(), reply.last), (b"hi\n".as_slice(), false));
        drop(client);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_has_closed_proves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = args(None).gate(listener.local_addr().unwrap(), RequestForm::Raw).unwrap();
    for reset in [false, true] {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        if reset {
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        let server = accept(&listener);
        assert_eq!(gate.judge(&Caller::of(&server)).err(), Some(shell::Refusal::Gone));
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
    let caller = Caller::of(&server);
    let access = args(Some(file.clone()));
    let prompt =
        PromptArgs { command: vec![], prompt: PromptWhen::Auto, token_file: Some(file.clone()) };

    for end in ["", "\n", "\r\n"] {
        fs::write(&file, format!("0123456789abcdef{end}")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let token = prompt.token().unwrap().unwrap();
        assert_eq!(token, b"0123456789abcdef", "{end:?}");
        let mut visitor = access.gate(address, RequestForm::Raw).unwrap().judge(&caller).unwrap();
        let reply = visitor.answer(&token, &caller).unwrap();
        assert_eq!((reply.output.stdout.as_slice(), reply.last), (WELCOME, false), "{end:?}");
    }
    for (bad, why) in
        [("0123456789abcde\n".to_owned(), "has 15 bytes"), ("x".repeat(1025), "more than 1024")]
    {
        fs::write(&file, bad).unwrap();
        let error = access.gate(address, RequestForm::Raw).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    fs::remove_file(&file).unwrap();
    let error = access.gate(address, RequestForm::Raw).err().unwrap().to_string();
    assert!(error.starts_with("cannot read the token file"), "{error}");
    drop(client);
}

#[test]
fn who_is_admitted_gets_its_connection_back_and_who_has_left_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = args(None).gate(listener.local_addr().unwrap(), RequestForm::Raw).unwrap();
    for in_turns in [false, true] {
        let admit = |conn| {
            let frame = |refusal: shell::Output| Ok([refusal.stdout, refusal.stderr]);
            if in_turns { gate.admit_in_turns(conn, frame) } else { gate.admit(conn, frame) }
        };
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (conn, mut visitor) = admit(accept(&listener)).unwrap();
        let reply = visitor.answer(b"echo hi", &Caller::of(&conn)).unwrap();
        conn.send(&reply.output.stdout).unwrap();
        let mut answer = [0; 3];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hi\n");

        drop(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let gone = accept(&listener);
        if cfg!(target_os = "linux") {
            assert!(admit(gone).is_none());
        }
    }
}

/// Both sides read it by the same rules: ssh's, for a private key.
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
        assert_eq!(access.gate(here, RequestForm::Raw).is_ok(), private, "server, {mode:o}");
        assert_eq!(prompt.token().is_ok(), private, "client, {mode:o}");
    }
    let error = access.gate(here, RequestForm::Raw).err().unwrap().to_string();
    assert!(error.contains("mode 0660") && error.contains("chmod 600"), "{error}");
    // Only root can give a file away, and only as root does it prove anything that it is refused.
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
        let error = access.gate(here, RequestForm::Raw).err().unwrap().to_string();
        assert!(error.contains("belongs to another user"), "{error}");
    }
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let error = access.gate(here, RequestForm::Raw).err().unwrap().to_string();
    assert!(error.contains("isn't a regular file"), "nobody waits for a FIFO: {error}");
    fs::remove_file(&file).unwrap();
}

/// A stranger in everything but its address: it is not asked how it came, only whose it is.
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
    let caller = Caller::of(&server);
    let open = args(None).gate(address, RequestForm::Raw).unwrap().judge(&caller).unwrap();
    assert_eq!(open.deadline(), None);
    let mut visitor =
        args(Some(file.clone())).gate(address, RequestForm::Raw).unwrap().judge(&caller).unwrap();
    assert!(visitor.deadline().is_some());
    visitor.answer(b"0123456789abcdef", &caller).unwrap();
    assert_eq!(visitor.deadline(), None);
    fs::remove_file(&file).unwrap();
    drop(client);
}
