//! Each client with each server, ours and Python's; cuts, wrong bytes, and names that lead elsewhere.
//!
//! | fault | test |
//! |---|---|
//! | the connection ends in the middle of a file | `after_a_cut_only_the_rest_is_sent` |
//! | a byte of what was kept is another one | `a_wrong_byte_is_refused_and_the_next_try_is_whole` |
//! | the answer got lost | `what_is_there_already_is_not_sent_again` |
//! | names that leave the folder | `names_that_lead_elsewhere_are_refused` |
//! | a length, a header, a size that makes no sense | `nonsense_is_refused_with_a_reason` |
//! | a client that ends or is silent inside a header | `the_end_inside_a_header`, `a_silent_client_is_given_up` |
//! | an address beyond this machine | `only_this_machine_unless_told` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use file_transfer::{MAX_NAME, Offer, encode, look_at};
use stage::{Finished, Program, Scratch, Stream};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[test]
fn each_client_with_each_server() {
    for server_side in sides() {
        for client_side in sides() {
            let place = Place::new(server_side);
            // Not one, one byte, one whole buffer, and some.
            let sizes = [0, 1, 65536, 1_000_003];
            let files: Vec<PathBuf> =
                sizes.iter().map(|size| place.file(&format!("f{size} ü.bin"), *size)).collect();
            let done = place.send(client_side, &files);
            let pair = format!("{server_side:?} server, {client_side:?} client");
            assert_eq!((done.code, text(&done.stderr)), (Some(0), ""), "{pair}");
            for file in &files {
                assert!(place.has(file), "{pair}: {}", file.display());
            }
            assert_eq!(fs::read_dir(place.received()).unwrap().count(), sizes.len(), "{pair}");
            let said = text(&done.stdout);
            assert!(said.contains("f1000003 ü.bin: sent 1000003 of 1000003 bytes"), "{said}");
        }
    }
}

#[test]
fn after_a_cut_only_the_rest_is_sent() {
    for server_side in sides() {
        for client_side in sides() {
            let place = Place::new(server_side);
            let file = place.file("big.bin", 1_000_000);
            place.send_part(&file, 300_000);
            let part = place.received().join("big.bin.part");
            assert_eq!(fs::metadata(&part).unwrap().len(), 300_000);
            assert!(!place.received().join("big.bin").exists());

            let done = place.send(client_side, &[&file]);
            let pair = format!("{server_side:?} server, {client_side:?} client");
            let said = text(&done.stdout);
            assert!(said.starts_with("big.bin: sent 700000 of 1000000 bytes"), "{pair}: {said}");
            assert!(place.has(&file) && !part.exists(), "{pair}");
        }
    }
}

#[test]
fn a_wrong_byte_is_refused_and_the_next_try_is_whole() {
    for server_side in sides() {
        for client_side in sides() {
            let place = Place::new(server_side);
            let file = place.file("big.bin", 1_000_000);
            place.send_part(&file, 300_000);
            let part = place.received().join("big.bin.part");
            let mut bytes = fs::read(&part).unwrap();
            bytes[12_345] ^= 1;
            fs::write(&part, bytes).unwrap();

            let refused = place.send(client_side, &[&file]);
            let pair = format!("{server_side:?} server, {client_side:?} client");
            let code = if client_side == Side::Rust { 5 } else { 1 };
            let said = text(&refused.stderr);
            assert_eq!(refused.code, Some(code), "{pair}: {said}");
            assert!(said.contains("what came is deleted, send it again"), "{pair}: {said}");
            assert!(!part.exists() && !place.received().join("big.bin").exists(), "{pair}");

            assert_eq!(place.send(client_side, &[&file]).code, Some(0), "{pair}");
            assert!(place.has(&file), "{pair}");
        }
    }
}

#[test]
fn what_is_there_already_is_not_sent_again() {
    let place = Place::new(Side::Rust);
    let file = place.file("a.bin", 100_000);
    assert_eq!(place.send(Side::Rust, &[&file]).code, Some(0));
    let again = place.send(Side::Rust, &[&file]);
    assert_eq!((again.code, text(&again.stderr)), (Some(0), ""));
    assert!(text(&again.stdout).starts_with("a.bin: sent 0 of 100000 bytes"));

    // Another file of that name is not put in its place.
    fs::write(&file, "other").unwrap();
    let refused = place.send(Side::Rust, &[&file]);
    assert_eq!(refused.code, Some(5));
    assert!(text(&refused.stderr).contains("there is another file called \"a.bin\""));
    assert_eq!(fs::metadata(place.received().join("a.bin")).unwrap().len(), 100_000);
}

#[test]
fn a_longer_rest_of_another_file_is_no_beginning() {
    for side in sides() {
        let place = Place::new(side);
        let file = place.file("a.bin", 1000);
        fs::write(place.received().join("a.bin.part"), vec![0; 2000]).unwrap();
        let done = place.send(Side::Rust, &[&file]);
        assert!(text(&done.stdout).starts_with("a.bin: sent 1000 of 1000 bytes"), "{side:?}");
        assert!(place.has(&file), "{side:?}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for side in sides() {
        let place = Place::new(side);
        let long = "x".repeat(MAX_NAME + 1);
        for name in ["../x", "/tmp/x", "a/../../x", "a\0b", "", ".", "..", ".x", "x.part", &long] {
            let offer = Offer { name: name.into(), size: 1, sha256: "00".into() };
            let mut conn = place.connect();
            conn.write_all(&encode(&offer).unwrap()).unwrap();
            let answer = read_to_end(&mut conn);
            let error = answer.windows(9).any(|part| part == b"{\"error\":");
            assert!(error, "{side:?}: {name:?}: {}", answer.escape_ascii());
        }
        assert_eq!(fs::read_dir(place.received()).unwrap().count(), 0, "{side:?}");
        assert_eq!(fs::read_dir(place.scratch.path()).unwrap().count(), 1, "{side:?}");
    }
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    let place = Place::new(Side::Rust);
    let header = |text: &str| [&(text.len() as i32).to_le_bytes()[..], text.as_bytes()].concat();
    let huge = Offer { name: "a".into(), size: u64::MAX, sha256: String::new() };
    for (said, reason) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "expected a header's length from 1 to 4096"),
        (vec![0; 4], "got 0"),
        (vec![255; 4], "got -1"),
        (header("{"), "expected a header, got EOF"),
        (header(r#"{"name":"a","size":-1,"sha256":""}"#), "expected a header, got invalid value"),
        (encode(&huge).unwrap(), "are too many: at most 1073741824 are taken"),
    ] {
        let mut conn = place.connect();
        conn.write_all(&said).unwrap();
        let answer = String::from_utf8(read_to_end(&mut conn).split_off(4)).unwrap();
        assert!(answer.contains(reason), "{answer}");
    }
    // The server is still there.
    assert_eq!(place.send(Side::Rust, &[place.file("a", 10)]).code, Some(0));
}

#[test]
fn the_end_inside_a_header() {
    for side in sides() {
        let place = Place::new(side);
        for said in [&b"\x20\0"[..], b"\x20\0\0\0{\"name\""] {
            let mut conn = place.connect();
            conn.write_all(said).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
            read_to_end(&mut conn);
        }
        let what = |lines: &[stage::Line]| {
            let of = |what: &str| {
                lines.iter().any(|line| String::from_utf8_lossy(&line.text).contains(what))
            };
            (of("2 of 4 bytes of a header's length came") && of("7 of 32 bytes of a header came"))
                .then_some(())
        };
        place.server.wait_until("two complaints", LONG, what).unwrap();
    }
}

#[test]
fn a_silent_client_is_given_up() {
    let place = Place::with(Side::Rust, &["--timeout", "0.2"]);
    let _silent = place.connect();
    assert_eq!(place.send(Side::Rust, &[place.file("a", 10)]).code, Some(0));
    let said = place.server.wait_for_line(Stream::Stderr, "file-transfer-server: ", LONG).unwrap();
    assert!(said.contains("nothing happened for too long"), "{said}");
}

#[test]
fn only_this_machine_unless_told() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-server"));
    let server = Program::start("server", command.args(["--listen", "0.0.0.0:0"])).unwrap();
    let ended = server.wait(LONG).unwrap();
    assert_eq!(ended.code, Some(2));
    assert!(text(&ended.stderr).contains("--allow-remote"), "{}", text(&ended.stderr));
}

/// What the chapter begins with: the name and the bytes come in one recv.
#[test]
fn the_naive_pair_takes_the_file_for_its_name() {
    if stage::python().is_none() {
        return;
    }
    let scratch = Scratch::new().unwrap();
    fs::write(scratch.path().join("notes.txt"), "buy milk\n").unwrap();
    let start = |name, args: &[&str]| {
        Program::start(name, peer(name, args).current_dir(scratch.path())).unwrap()
    };
    let mut receiver = start("naive_receive.py", &["0"]);
    let address = receiver.address().unwrap();
    let port = address.rsplit(':').next().unwrap();
    assert_eq!(start("naive_send.py", &[port, "notes.txt"]).wait(LONG).unwrap().code, Some(0));
    receiver.write(b"\n").unwrap();
    assert_eq!(receiver.wait(LONG).unwrap().code, Some(0));
    let inbox = fs::read_dir(scratch.path().join("inbox")).unwrap();
    let came: Vec<_> = inbox.map(|entry| entry.unwrap()).collect();
    assert_eq!(came.len(), 1);
    assert_eq!(came[0].file_name(), "notes.txtbuy milk\n");
    assert_eq!(came[0].metadata().unwrap().len(), 0);
}

#[test]
fn our_client_says_what_went_wrong() {
    let run = |address: &str, file: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-client"));
        let client = command.args(["--connect", address]).arg(file);
        let ended = Program::start("client", client).unwrap().wait(LONG).unwrap();
        (ended.code, text(&ended.stderr).to_owned())
    };
    let place = Place::new(Side::Rust);
    let (code, said) = run(&place.address, &place.scratch.path().join("nothing"));
    assert!(code == Some(2) && said.contains("No such file"), "{said}");

    // A server that answers nonsense, and one that leaves.
    for (answer, code, reason) in [
        (&b"\x0f\0\0\0{\"offset\":1000}"[..], 5, "expected an offset within the file"),
        (b"HTTP/1.1 400", 5, "expected a header's length"),
        (b"\x0c\0\0\0{\"offset\":0}\x02\0\0\0{}", 5, "expected the news that the file is done"),
        (b"", 4, "closed before it had the file"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let file = place.file("small", 10);
        let server = std::thread::spawn(move || {
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut [0; 4]).unwrap();
            conn.write_all(answer).unwrap();
            // A client that has given up resets the connection.
            let _ = conn.shutdown(Shutdown::Write);
            read_to_end(&mut conn);
        });
        let (came, said) = run(&address, &file);
        assert!(came == Some(code) && said.contains(reason), "{came:?}: {said}");
        server.join().unwrap();
    }
}

/// A server and its folder.
struct Place {
    server: Program,
    address: String,
    scratch: Scratch,
    files: Scratch,
}

impl Place {
    fn new(side: Side) -> Place {
        Place::with(side, &[])
    }

    fn with(side: Side, args: &[&str]) -> Place {
        let (scratch, files) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        let folder = scratch.path().join("received");
        let mut command = match side {
            Side::Rust => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-server"));
                command.args(["--listen", "127.0.0.1:0", "--folder"]).arg(folder);
                command
            }
            Side::Python => peer("server.py", &["127.0.0.1:0", folder.to_str().unwrap()]),
        };
        let server = Program::start("server", command.args(args)).unwrap();
        let address = server.address().unwrap();
        Place { server, address, scratch, files }
    }

    fn received(&self) -> PathBuf {
        self.scratch.path().join("received")
    }

    /// Makes a file to send. 251 is prime: a piece that is lost or doubled shows.
    fn file(&self, name: &str, size: usize) -> PathBuf {
        let path = self.files.path().join(name);
        fs::write(&path, (0..size).map(|at| (at % 251) as u8).collect::<Vec<u8>>()).unwrap();
        path
    }

    /// Whether it has come as it was.
    fn has(&self, file: &Path) -> bool {
        let came = fs::read(self.received().join(file.file_name().unwrap()));
        came.is_ok_and(|came| came == fs::read(file).unwrap())
    }

    fn send(&self, side: Side, files: &[impl AsRef<Path>]) -> Finished {
        let mut command = match side {
            Side::Rust => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-client"));
                command.args(["--connect", &self.address]);
                command
            }
            Side::Python => peer("client.py", &[&self.address]),
        };
        command.args(files.iter().map(AsRef::as_ref));
        Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
    }

    /// A client that ends after so many bytes of the file, and waits until the server has noticed.
    fn send_part(&self, file: &Path, size: usize) {
        let (_, offer) = look_at(file).unwrap();
        let mut conn = self.connect();
        conn.write_all(&encode(&offer).unwrap()).unwrap();
        let mut answer = [0; 16];
        conn.read_exact(&mut answer[..4]).unwrap();
        let length = usize::from(answer[0]);
        conn.read_exact(&mut answer[..length]).unwrap();
        conn.write_all(&fs::read(file).unwrap()[..size]).unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        read_to_end(&mut conn);
    }

    fn connect(&self) -> TcpStream {
        let conn = TcpStream::connect(&self.address).unwrap();
        conn.set_read_timeout(Some(LONG)).unwrap();
        conn
    }
}

fn sides() -> Vec<Side> {
    if stage::python().is_some() { vec![Side::Rust, Side::Python] } else { vec![Side::Rust] }
}

fn peer(name: &str, args: &[&str]) -> Command {
    let mut python = Command::new(stage::python().unwrap());
    python.arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))).args(args);
    python
}

fn read_to_end(conn: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset ends it, too.
    let _ = conn.read_to_end(&mut answer);
    answer
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
