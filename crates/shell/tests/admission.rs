//! Who is let in, on real connections.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use proto::request::Form;
use shell::{Caller, Limits, PromptArgs, PromptWhen, ServerArgs, WELCOME};

fn args(token_file: Option<PathBuf>) -> ServerArgs {
    let limits = Limits { timeout: Duration::from_secs(30), max_output: 1024 };
    ServerArgs { limits, allow_remote: false, token_file }
}

#[test]
fn a_refused_request_is_answered_and_is_the_last() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = args(None).gate(listener.local_addr().unwrap(), Form::Raw).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (conn, _) = listener.accept().unwrap();
    let caller = Caller::of(&conn).unwrap();
    let mut visitor = gate.admit(&caller).unwrap();
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
        let gate = args(None).gate(address, Form::Raw).unwrap();
        let client = TcpStream::connect(format!("{connect}:{}", address.port())).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let caller = Caller::of(&server).unwrap();
        assert_eq!(caller.peer(), peer);
        let mut visitor =
            gate.admit(&caller).unwrap_or_else(|refusal| panic!("{listen} {connect}: {refusal}"));
        let reply = visitor.answer(b"echo hi", &caller).unwrap();
        assert_eq!((reply.output.stdout.as_slice(), reply.last), (b"hi\n".as_slice(), false));
        drop(client);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_has_closed_proves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = args(None).gate(listener.local_addr().unwrap(), Form::Raw).unwrap();
    drop(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let (server, _) = listener.accept().unwrap();
    assert_eq!(gate.admit(&Caller::of(&server).unwrap()).err(), Some(shell::Refusal::Gone));
}

#[test]
fn both_sides_read_the_same_token() {
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("token-{}", std::process::id()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    let caller = Caller::of(&server).unwrap();
    let access = args(Some(file.clone()));
    let prompt =
        PromptArgs { command: vec![], prompt: PromptWhen::Auto, token_file: Some(file.clone()) };

    for end in ["", "\n", "\r\n"] {
        std::fs::write(&file, format!("0123456789abcdef{end}")).unwrap();
        let token = prompt.token().unwrap().unwrap();
        assert_eq!(token, b"0123456789abcdef", "{end:?}");
        let mut visitor = access.gate(address, Form::Raw).unwrap().admit(&caller).unwrap();
        let reply = visitor.answer(&token, &caller).unwrap();
        assert_eq!((reply.output.stdout.as_slice(), reply.last), (WELCOME, false), "{end:?}");
    }
    for (bad, why) in
        [("0123456789abcde\n".to_owned(), "has 15 bytes"), ("x".repeat(1025), "more than 1024")]
    {
        std::fs::write(&file, bad).unwrap();
        let error = access.gate(address, Form::Raw).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = access.gate(address, Form::Raw).err().unwrap().to_string();
    assert!(error.starts_with("cannot read the token file"), "{error}");
    drop(client);
}
