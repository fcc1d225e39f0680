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
//! | a client that is refused, and sends on, a byte now and then | `a_refused_client_is_not_waited_for` |
//! | another user's clients, one after the other | `another_user_is_told_and_not_waited_for` |
//! | a client that resets before it hears why | `a_client_that_resets_does_not_end_the_server` |
//! | two servers, one folder | `one_server_a_folder` |
//! | the part, or the name, changes on the disk meanwhile | `what_is_in_the_part_counts`, `a_name_made_meanwhile_stays` |
//! | links, pipes and folders that have the name | `links_pipes_and_folders_are_refused` |
//! | a disk that is full | `a_full_disk_is_said` |
//! | a header that JSON allows and nobody expects | `what_only_json_can_hold_ends_no_server` |
//! | another file of that name, and endless | `lengths_are_compared_first` |
//! | files that take long to look at | `all_files_are_looked_at_before_connect` |
//! | a stderr that nobody reads | `progress_is_not_waited_for` |
//! | a file that isn't one, or can't be read twice | `only_regular_files_are_sent` |
//! | a server that reads no more | `one_timeout_and_not_two` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{FileExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use file_transfer::{MAX_NAME, Offer, encode, look_at};
use rustix::fs::OFlags;
use socket2::SockRef;
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
            assert!(is_error(&answer), "{side:?}: {name:?}: {}", answer.escape_ascii());
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
        (header(r#"["a",0,""]"#), "an object in JSON, got ["),
        (header(&format!(r#"{{"name":"{}"}}"#, "x".repeat(4000))), "missing field"),
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
fn what_only_json_can_hold_ends_no_server() {
    let deep = format!(r#"{{"name":"a","x":{}"#, "[".repeat(4000));
    let long = format!(r#"{{"name":"{}","size":0,"sha256":""}}"#, r"\u0001".repeat(600));
    let twice = r#"{"name":"a","name":"b","size":0,"sha256":""}"#;
    let half = r#"{"name":"\ud800","size":0,"sha256":""}"#;
    for side in sides() {
        let place = Place::new(side);
        for said in [&deep, &long, twice, half, r#"["a",0,""]"#, "7"] {
            let mut conn = place.connect();
            let length = i32::try_from(said.len()).unwrap().to_le_bytes();
            conn.write_all(&[&length, said.as_bytes()].concat()).unwrap();
            assert!(is_error(&read_to_end(&mut conn)), "{side:?}: {said}");
        }
        assert_eq!(place.send(Side::Rust, &[place.file("a", 10)]).code, Some(0), "{side:?}");
    }
}

/// It would take 17 minutes if each of its bytes were given a second.
#[test]
fn a_refused_client_is_not_waited_for() {
    for side in sides() {
        let place = Place::new(side);
        let mut dripping = place.connect();
        dripping.write_all(&[255; 4]).unwrap();
        let drips = thread::spawn(move || {
            while dripping.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        });
        // It waits for 30 seconds at most.
        let done = place.send(Side::Rust, &[place.file("a", 10)]);
        assert_eq!(done.code, Some(0), "{side:?}: {}", text(&done.stderr));
        drips.join().unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn another_user_is_told_and_not_waited_for() {
    if !rustix::process::geteuid().is_root() {
        return stage::skip("UNSTUCK_REQUIRE_ROOT", "only root can become another user");
    }
    let place = Place::new(Side::Rust);
    let port = place.address.rsplit(':').next().unwrap();
    // A second for each of the 60 would be more than the owner waits.
    let script = "for i in $(seq 10 69); do eval \"exec $i<>/dev/tcp/127.0.0.1/$0\"; done
echo connected; head -c 60 <&10 | tail -c +5; echo; read";
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65533", "--regid=65533", "--clear-groups", "bash", "-c", script, port]);
    let stranger = Program::start("stranger", &mut command).unwrap();
    stranger.wait_for_line(Stream::Stdout, "connected", LONG).unwrap();
    let done = place.send(Side::Rust, &[place.file("a", 10)]);
    assert_eq!(done.code, Some(0), "{}", text(&done.stderr));
    let told = stranger.wait_for_line(Stream::Stdout, "{", LONG).unwrap();
    assert!(told.contains("another user's"), "{told}");
}

#[test]
fn a_client_that_resets_does_not_end_the_server() {
    for side in sides() {
        let place = Place::new(side);
        // While this one is served, the others wait, and are reset before the server reads what they sent.
        let first = place.connect();
        for _ in 0..3 {
            let mut conn = place.connect();
            conn.write_all(&[255; 4]).unwrap();
            SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(first);
        let done = place.send(Side::Rust, &[place.file("a", 10)]);
        assert_eq!(done.code, Some(0), "{side:?}: {}", text(&done.stderr));
    }
}

#[test]
fn one_server_a_folder() {
    for first in sides() {
        let place = Place::new(first);
        for second in sides() {
            let mut command = server(second, &place.received());
            let refused = Program::start("second", &mut command).unwrap().wait(LONG).unwrap();
            let said = text(&refused.stderr);
            let code = if second == Side::Rust { 3 } else { 1 };
            assert_eq!(refused.code, Some(code), "{first:?}, {second:?}: {said}");
            assert!(said.contains("another server has "), "{first:?}, {second:?}: {said}");
        }
    }
}

#[test]
fn what_is_in_the_part_counts() {
    for side in sides() {
        let place = Place::new(side);
        let file = place.file("a.bin", 100_000);
        let part = place.received().join("a.bin.part");
        let answer = place.send_with_a_pause(&file, || {
            let part = fs::OpenOptions::new().read(true).write(true).open(&part).unwrap();
            let mut byte = [0];
            // The server needs a moment to store it.
            while part.read_at(&mut byte, 123).unwrap() == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            part.write_at(&[byte[0] ^ 1], 123).unwrap();
        });
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains("what came is deleted, send it again"), "{side:?}: {answer}");
        assert_eq!(fs::read_dir(place.received()).unwrap().count(), 0, "{side:?}");
    }
}

#[test]
fn a_name_made_meanwhile_stays() {
    for side in sides() {
        let place = Place::new(side);
        let file = place.file("a.bin", 100_000);
        let whole = place.received().join("a.bin");
        let answer = place.send_with_a_pause(&file, || fs::write(&whole, "my own").unwrap());
        assert!(is_error(&answer), "{side:?}: {}", answer.escape_ascii());
        assert_eq!(fs::read(&whole).unwrap(), b"my own", "{side:?}");
        // Nothing was lost, either.
        let part = fs::read(place.received().join("a.bin.part")).unwrap();
        assert_eq!(part, fs::read(&file).unwrap(), "{side:?}");
    }
}

#[test]
fn links_pipes_and_folders_are_refused() {
    for side in sides() {
        let place = Place::new(side);
        let precious = place.file("precious", 1000);
        let nowhere = place.scratch.path().join("nowhere");
        let file = place.file("a.bin", 10);
        for name in ["a.bin", "a.bin.part"] {
            let path = place.received().join(name);
            let make: [(&str, &dyn Fn()); 4] = [
                ("a link", &|| symlink(&precious, &path).unwrap()),
                ("a link that leads nowhere", &|| symlink(&nowhere, &path).unwrap()),
                ("a pipe", &|| mkfifo(&path)),
                ("a folder", &|| fs::create_dir(&path).unwrap()),
            ];
            for (what, make) in make {
                make();
                let done = place.send(Side::Rust, &[&file]);
                let said = text(&done.stderr);
                assert_eq!(done.code, Some(5), "{side:?}: {name} is {what}: {said}");
                fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
            }
        }
        assert_eq!(fs::metadata(&precious).unwrap().len(), 1000, "{side:?}");
        assert!(!nowhere.exists(), "{side:?}");
        assert_eq!(place.send(Side::Rust, &[&file]).code, Some(0), "{side:?}");
    }
}

/// A limit on the size of files stands for the disk. (Our server would be ended by the signal that Python ignores.)
#[test]
fn a_full_disk_is_said() {
    let Some(python) = stage::python() else { return };
    let scratch = Scratch::new().unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 100; exec \"$0\" \"$@\""]).arg(python);
    limited.args(server(Side::Python, scratch.path()).get_args());
    let place = Place::of(limited, scratch);
    let done = place.send(Side::Rust, &[place.file("a.bin", 1_000_000)]);
    let said = text(&done.stderr);
    assert!(done.code == Some(5) && said.contains("the server says: [Errno "), "{said}");
    assert_eq!(place.send(Side::Rust, &[place.file("b.bin", 10)]).code, Some(0));
}

/// What has the length of another file isn't read to its end: that would take longer than the client waits.
#[test]
fn lengths_are_compared_first() {
    let place = Place::new(Side::Rust);
    let endless = fs::File::create(place.received().join("a.bin")).unwrap();
    endless.set_len(1 << 40).unwrap();
    let done = place.send(Side::Rust, &[place.file("a.bin", 10)]);
    assert!(text(&done.stderr).contains("another file"), "{}", text(&done.stderr));
}

#[test]
fn progress_is_not_waited_for() {
    let scratch = Scratch::new().unwrap();
    let pipe = scratch.path().join("stderr");
    mkfifo(&pipe);
    // It stays open here, full, and nobody reads it.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let mut unread = fs::OpenOptions::new();
    let mut unread = unread.read(true).write(true).custom_flags(nonblocking).open(&pipe).unwrap();
    while unread.write(&[b'x'; 512]).is_ok() {}

    let mut command = Command::new("sh");
    let folder = scratch.path().join("received");
    command.args(["-c", "exec \"$0\" \"$@\" 2>\"$STDERR\""]).env("STDERR", &pipe);
    let server = server(Side::Rust, &folder);
    let place = {
        command.arg(server.get_program()).args(server.get_args());
        Place::of(command, scratch)
    };
    let file = place.file("a.bin", 10);
    // After a second, progress is shown.
    let answer = place.send_with_a_pause(&file, || thread::sleep(Duration::from_millis(1100)));
    assert_eq!(answer.split_at(4).1, b"{\"done\":true}");
    assert_eq!(place.send(Side::Rust, &[place.file("b.bin", 10)]).code, Some(0));
}

#[test]
fn only_regular_files_are_sent() {
    let place = Place::new(Side::Rust);
    let pipe = place.scratch.path().join("pipe");
    mkfifo(&pipe);
    for side in sides() {
        for path in [Path::new("/dev/zero"), &pipe, place.scratch.path()] {
            let done = place.send(side, &[path]);
            let said = text(&done.stderr);
            let code = if side == Side::Rust { 2 } else { 1 };
            assert_eq!(done.code, Some(code), "{side:?}: {}: {said}", path.display());
            assert!(said.contains("expected a regular file"), "{said}");
        }
    }
}

/// A server waits 30 seconds for a header, and a checksum can take longer.
#[test]
fn all_files_are_looked_at_before_connect() {
    let place = Place::new(Side::Rust);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (good, bad) = (place.file("a.bin", 10), place.scratch.path().join("nothing"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-client"));
    command.arg("--connect").arg(listener.local_addr().unwrap().to_string());
    let client = Program::start("client", command.args([good, bad])).unwrap();
    assert_eq!(client.wait(LONG).unwrap().code, Some(2));
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// After a write that took too long, it isn't waited for an answer as well.
#[test]
fn one_timeout_and_not_two() {
    let place = Place::new(Side::Rust);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let trace = place.scratch.path().join("trace");
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-client"));
    command.args(["--connect", &address, "--timeout", "2", "--trace"]).arg(&trace);
    let large = place.file("large.bin", 20_000_000);
    let client = Program::start("client", command.arg(large)).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    conn.write_all(b"\x0c\0\0\0{\"offset\":0}").unwrap();
    assert_eq!(client.wait(LONG).unwrap().code, Some(6));
    let trace = fs::read_to_string(&trace).unwrap();
    let events: Vec<serde_json::Value> =
        trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Each event has the time at which the call returned.
    let last = |call: &str| {
        let event = events.iter().rfind(|event| event["call"] == call).unwrap();
        event["t_us"].as_u64().unwrap()
    };
    let waited = last("recv").saturating_sub(last("send"));
    assert!(waited < 1_500_000, "{waited} us");
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
fn each_client_says_what_went_wrong() {
    let place = Place::new(Side::Rust);
    let done = place.send(Side::Rust, &[place.scratch.path().join("nothing")]);
    let said = text(&done.stderr);
    assert!(done.code == Some(2) && said.contains("No such file"), "{said}");

    // A server that answers nonsense, one that says too much, and one that leaves.
    let offset = b"\x0c\0\0\0{\"offset\":0}";
    let done = b"\x0d\0\0\0{\"done\":true}";
    for (answer, code, reason) in [
        (b"\x0f\0\0\0{\"offset\":1000}".to_vec(), 5, "expected an offset within the file"),
        (b"\x0e\0\0\0{\"offset\":\"1\"}".to_vec(), 5, "expected "),
        (b"\x03\0\0\0[0]".to_vec(), 5, "object in JSON"),
        (b"HTTP/1.1 400".to_vec(), 5, "expected a header's length"),
        ([&offset[..], b"\x02\0\0\0{}"].concat(), 5, "the file is done"),
        ([&offset[..], done, b"x"].concat(), 5, "expected nothing"),
        (b"\x19\0\0\0{\"error\":\"\\u001b[31mred\"}".to_vec(), 5, "says: "),
        (b"".to_vec(), 4, "closed before it had the file"),
    ] {
        for side in sides() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let answer = answer.clone();
            let server = thread::spawn(move || {
                let (mut conn, _) = listener.accept().unwrap();
                conn.read_exact(&mut [0; 4]).unwrap();
                conn.write_all(&answer).unwrap();
                // A client that has given up resets the connection.
                let _ = conn.shutdown(Shutdown::Write);
                read_to_end(&mut conn);
            });
            let mut client = client(side, &address);
            client.arg(place.file("small", 10));
            let ended = Program::start("client", &mut client).unwrap().wait(LONG).unwrap();
            let said = text(&ended.stderr);
            let code = if side == Side::Rust { code } else { 1 };
            assert!(ended.code == Some(code) && said.contains(reason), "{side:?}: {said}");
            assert!(said.lines().count() == 1 && !said.contains('\x1b'), "{side:?}: {said:?}");
            server.join().unwrap();
        }
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
        let scratch = Scratch::new().unwrap();
        let mut command = server(side, &scratch.path().join("received"));
        command.args(args);
        Place::of(command, scratch)
    }

    /// With the server that this command starts.
    fn of(mut command: Command, scratch: Scratch) -> Place {
        let server = Program::start("server", &mut command).unwrap();
        let address = server.address().unwrap();
        Place { server, address, scratch, files: Scratch::new().unwrap() }
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
        let mut command = client(side, &self.address);
        command.args(files.iter().map(AsRef::as_ref));
        Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
    }

    /// A client that ends after so many bytes of the file, and waits until the server has noticed.
    fn send_part(&self, file: &Path, size: usize) {
        let mut conn = self.offer(file);
        conn.write_all(&fs::read(file).unwrap()[..size]).unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        read_to_end(&mut conn);
    }

    /// A client that sends all of the file but its last byte, and that after something has happened; and the answer.
    fn send_with_a_pause(&self, file: &Path, happens: impl FnOnce()) -> Vec<u8> {
        let mut conn = self.offer(file);
        let bytes = fs::read(file).unwrap();
        let (last, most) = bytes.split_last().unwrap();
        conn.write_all(most).unwrap();
        happens();
        conn.write_all(&[*last]).unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        read_to_end(&mut conn)
    }

    /// A client that has heard from where on to send.
    fn offer(&self, file: &Path) -> TcpStream {
        let mut conn = self.connect();
        conn.write_all(&encode(&look_at(file).unwrap()).unwrap()).unwrap();
        let mut answer = [0; 16];
        conn.read_exact(&mut answer[..4]).unwrap();
        let length = usize::from(answer[0]);
        conn.read_exact(&mut answer[..length]).unwrap();
        conn
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

fn server(side: Side, folder: &Path) -> Command {
    match side {
        Side::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-server"));
            command.args(["--listen", "127.0.0.1:0", "--folder"]).arg(folder);
            command
        }
        Side::Python => peer("server.py", &["127.0.0.1:0", folder.to_str().unwrap()]),
    }
}

fn client(side: Side, address: &str) -> Command {
    match side {
        Side::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_file-transfer-client"));
            command.args(["--connect", address]);
            command
        }
        Side::Python => peer("client.py", &[address]),
    }
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

fn is_error(answer: &[u8]) -> bool {
    answer.windows(9).any(|part| part == b"{\"error\":")
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
