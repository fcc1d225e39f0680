//! The pictures of the course, and what must be true of every picture.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use timeline::{Framing, Message, Read, Stream, StreamError};
use unicode_width::UnicodeWidthStr;

/// The calls that move these pieces, one after the other.
fn calls(call: &str, pieces: &[impl AsRef<[u8]>]) -> Vec<Event> {
    let mut offset = 0;
    let event = |piece: &_| {
        let data = AsRef::<[u8]>::as_ref(piece).to_vec();
        let got = data.len() as u64;
        offset += got;
        let dir = if call == "send" { "out" } else { "in" };
        Event {
            call: call.into(),
            dir: Some(dir.into()),
            got: Some(got),
            offset: Some(offset - got),
            data: Some(data),
            ..Event::default()
        }
    };
    pieces.iter().map(event).collect()
}

fn stream(sends: &[&str], recvs: &[&[u8]]) -> Stream {
    Stream::from_events(&calls("send", sends), &calls("recv", recvs))
        .unwrap()
        .between("client", "server")
}

#[track_caller]
fn check(stream: &Stream, width: usize, expected: &str) {
    let drawn = stream.text(width);
    assert_eq!(drawn.trim_end(), expected.trim(), "drawn:\n{drawn}");
}

#[test]
fn case_1() {
    let expected = r#"
offset       0     5  7
             ┌─────┬──┐
client send  │hello│hi│
             ├─────┴──┤
server recv  │hello╎hi│
             └────────┘
             recv 1: 7 bytes = 2 messages glued: message 1 "hello" + message 2
                     "hi"
             recv 2: 0 bytes = end of stream
"#;
    check(&stream(&["hello", "hi"], &[b"hellohi", b""]), 80, expected);
}

/// Case 2 is the example of the crate's documentation; here the bytes are right and each recv takes one message.
#[test]
fn no_message_is_cut() {
    let expected = r#"
offset       0     5  7
             ┌─────┬──┐
client send  │hello│hi│
             ├─────┼──┤
server recv  │hello│hi│
             └─────┴──┘
             recv 1: 5 bytes = message 1 "hello"
             recv 2: 2 bytes = message 2 "hi"
"#;
    check(&stream(&["hello", "hi"], &[b"hello", b"hi"]), 80, expected);
}

#[test]
fn the_main_demo() {
    let answer = (1..=15).map(|line| format!("line {line:02} of answer one\n")).collect::<String>();
    let recvs: Vec<&[u8]> = answer.as_bytes().chunks(100).take(3).collect();
    let stream = stream(&[&answer], &recvs).between("server", "client");
    let expected = r"
offset       0                                100
             ┌──────────────────────────────────────────────────────────────────
server send  │line 01 of answer on…(100 bytes)╎nswer one\nline 06 o…(100 bytes)╎
             ├────────────────────────────────┬────────────────────────────────┐
client recv  │line 01 of answer on…(100 bytes)│nswer one\nline 06 o…(100 bytes)│
             └────────────────────────────────┴────────────────────────────────┘
offset       200                              300
             ──────────────────────────────────────────────────────────────────┐
server send  ╎ne 10 of answer one\…(100 bytes)╎wer one\nline 15 of answer one\n│
             ┌────────────────────────────────┬────────────────────────────────┘
client recv  │ne 10 of answer one\…(100 bytes)│
             └────────────────────────────────┘
             recv 1: the first 100 of 330 bytes of answer 1
             recv 2: the next 100 of 330 bytes of answer 1
             recv 3: the next 100 of 330 bytes of answer 1
             not received: 30 bytes, from offset 300 on
";
    check(&stream.with_messages(&[Message::new("answer 1", answer.len())]), 80, expected);
}

#[test]
fn an_empty_message_leaves_no_bytes_and_what_follows_the_last_is_unknown() {
    let messages = [Message::new("one", 2), Message::new("nothing", 0), Message::new("two", 3)];
    let stream = stream(&["aabbb?"], &[b"aabbb?"]).with_messages(&messages);
    let read = &stream.reads()[0];
    assert_eq!(read.pieces.iter().map(|piece| piece.message).collect::<Vec<_>>(), [0, 2]);
    assert_eq!((read.unknown, read.glued(), read.cut()), (1, true, false));
    let expected = "recv 1: 6 bytes = 2 messages glued: one + two + 1 byte of no known\n                     message\n";
    let picture = stream.text(80);
    assert!(picture.ends_with(expected), "{picture}");
}

#[test]
fn framing_is_in_hex_and_a_cut_character_too() {
    let framed = ["\u{5}\0\0\0hello", "\u{6}\0\0\0你好"];
    let bytes = framed.concat().into_bytes();
    let recvs = [&bytes[..4], &bytes[4..9], &bytes[9..14], &bytes[14..]];
    let messages = [Message::framed("request 1", 4, 5), Message::framed("request 2", 4, 6)];
    let expected = r"
offset       0           4     9           13   14         19
             ┌─────────────────┬───────────────────────────┐
client send  │05 00 00 00╎hello│06 00 00 00╎\xe4╎\xbd\xa0好│
             ├───────────┬─────┼────────────────┬──────────┤
server recv  │05 00 00 00│hello│06 00 00 00╎\xe4│\xbd\xa0好│
             └───────────┴─────┴────────────────┴──────────┘
             recv 1: the framing of request 1 (4 bytes)
             recv 2: the payload of request 1 (5 bytes)
             recv 3: the first 5 of 10 bytes of request 2
             recv 4: the last 5 of 10 bytes of request 2
";
    check(&stream(&framed, &recvs).with_messages(&messages), 80, expected);
}

/// A line's end is shown as text, and its CR belongs to the framing too; padding is in hex.
#[test]
fn what_comes_after_a_message_may_end_it() {
    let lines = stream(&["hi\r\nho\n"], &[b"hi\r", b"\nho\n"]).framed(&Framing::Lines);
    let expected = r#"
offset       0  2  3  4  6  7
             ┌──────────────┐
client send  │hi╎\r╎\n╎ho╎\n│
             ├─────┬────────┤
server recv  │hi╎\r│\n╎ho╎\n│
             └─────┴────────┘
             recv 1: the first 3 of 4 bytes of message 1 "hi"
             recv 2: 4 bytes = the last of 4 bytes of message 1 "hi" + message 2
                     "ho", glued
"#;
    check(&lines, 80, expected);
    let mut record = Message::framed("a record", 2, 2);
    record.parts.reverse();
    let records = stream(&["hi\0\0"], &[b"hi\0\0"]).with_messages(&[record]);
    assert!(records.text(80).contains("│hi╎00 00│"), "{}", records.text(80));
}

#[test]
fn what_was_not_recorded_is_not_drawn() {
    let expected = r"
offset       0  2
             ┌──┐
client recv  │he│
             └──┘
             recv 1: 2 bytes
             recv 2: failed: connection reset by peer
";
    let mut events = calls("recv", &["he"]);
    events.push(Event {
        call: "recv".into(),
        error: Some("connection reset by peer".into()),
        ..Event::default()
    });
    let alone = Stream::from_events(&[], &events).unwrap().between("server", "client");
    check(&alone, 80, expected);

    // A hole: the second of three recvs is missing.
    let mut events = calls("recv", &["ab", "cd", "ef"]);
    events.remove(1);
    let holed = Stream::from_events(&[], &events).unwrap();
    let expected = r"
offset         0  2
               ┌──┐
receiver recv  │ab│
               └──┘
offset         4  6
               ┌──┐
receiver recv  │ef│
               └──┘
               recv 1: 2 bytes
               recv 2: 2 bytes
";
    check(&holed, 80, expected);
    assert_eq!(Stream::from_events(&[], &[]).unwrap().text(80), "");
}

#[test]
fn what_nobody_received_is_blank_in_the_receivers_lane() {
    let mut sends = calls("send", &["hello", "hi"]);
    sends[1].asked = Some(9);
    let stream =
        Stream::from_events(&sends, &calls("recv", &["hel"])).unwrap().between("client", "server");
    let expected = r#"
offset       0   3  5  7
             ┌──────┬──┐
client send  │hel╎lo│hi│
             ├───┬──┴──┘
server recv  │hel│
             └───┘
             send 2: took 2 of the 9 bytes it was given
             recv 1: the first 3 of 5 bytes of message 1 "hello"
             not received: 4 bytes, from offset 3 on
"#;
    check(&stream, 80, expected);
}

#[test]
fn recordings_that_do_not_belong_together_are_refused() {
    let refuse = |sends: &[Event], recvs: &[Event]| Stream::from_events(sends, recvs).unwrap_err();
    let hello = calls("send", &["hello"]);
    assert_eq!(refuse(&hello, &calls("recv", &["hexlo"])), StreamError::Differs { offset: 2 });
    let mut two = calls("send", &["a", "b"]);
    two[1].conn = 7;
    assert_eq!(refuse(&two, &[]), StreamError::Mixed { call: "send".into() });
    let mut twice = hello.clone();
    twice.extend(hello.clone());
    assert_eq!(refuse(&twice, &[]), StreamError::Overlap { call: "send".into(), offset: 0 });
    for spoil in [|event: &mut Event| event.data = None, |event: &mut Event| event.offset = None] {
        let mut spoiled = hello.clone();
        spoil(&mut spoiled[0]);
        assert_eq!(refuse(&spoiled, &[]), StreamError::Incomplete { call: "send".into() });
    }
}

/// All ways to cut a text: bit n of `cuts` cuts after byte n.
fn pieces(text: &[u8], cuts: u32) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    for (at, byte) in text.iter().enumerate() {
        pieces.last_mut().unwrap().push(*byte);
        if at + 1 < text.len() && cuts & (1 << at) != 0 {
            pieces.push(Vec::new());
        }
    }
    pieces
}

/// How many bytes a lane shows or counts, and the text that it shows, read from the drawing alone.
fn drawn_in(lane: &str, picture: &str) -> (usize, String) {
    let (mut count, mut text) = (0, String::new());
    for line in picture.lines().filter_map(|line| line.strip_prefix(lane)) {
        for cell in line.split(['│', '╎']).map(str::trim) {
            text += cell;
            count += match cell.rsplit_once("…(") {
                Some((_, number)) => number.strip_suffix(" bytes)").unwrap().parse().unwrap(),
                None => cell.len(),
            };
        }
    }
    let left_out = picture.lines().filter_map(|line| line.trim().strip_prefix("(offsets "));
    for range in left_out.map(|line| line.strip_suffix(" are left out here)").unwrap()) {
        let (from, to) = range.split_once(" to ").unwrap();
        count += to.parse::<usize>().unwrap() - from.parse::<usize>().unwrap() + 1;
    }
    (count, text)
}

#[test]
fn all_cuts_of_a_small_stream_are_drawn_and_classified_as_a_naive_reader_would() {
    let text = b"abcdefg";
    for (send_cuts, recv_cuts) in (0..64).flat_map(|send| (0..64).map(move |recv| (send, recv))) {
        let (sends, recvs) = (pieces(text, send_cuts), pieces(text, recv_cuts));
        let stream = Stream::from_events(&calls("send", &sends), &calls("recv", &recvs)).unwrap();
        let picture = stream.text(80);
        for lane in ["sender send", "receiver recv"] {
            assert_eq!(
                drawn_in(lane, &picture).1,
                "abcdefg",
                "{lane}, cuts {send_cuts:b} {recv_cuts:b}:\n{picture}"
            );
        }

        // Which message each byte belongs to, byte by byte.
        let owner: Vec<usize> =
            sends.iter().enumerate().flat_map(|(at, send)| vec![at; send.len()]).collect();
        let whole = |message: usize| sends[message].len();
        for Read { offset, len, pieces, .. } in stream.reads() {
            let mut naive: Vec<(usize, usize)> = Vec::new();
            for message in &owner[offset..offset + len] {
                match naive.last_mut() {
                    Some((last, count)) if last == message => *count += 1,
                    _ => naive.push((*message, 1)),
                }
            }
            let read: Vec<_> = pieces.iter().map(|piece| (piece.message, piece.len)).collect();
            assert_eq!(read, naive, "cuts {send_cuts:b} {recv_cuts:b}");
            assert!(pieces.iter().all(|piece| piece.of == whole(piece.message)));
        }
        let naive_glued = recvs.iter().scan(0, |at, recv| {
            *at += recv.len();
            Some(owner[*at - recv.len()] != owner[*at - 1])
        });
        assert!(
            stream.reads().iter().map(Read::glued).eq(naive_glued),
            "cuts {send_cuts:b} {recv_cuts:b}"
        );
    }
}

#[test]
fn no_line_is_too_wide_and_no_byte_is_lost_whatever_the_stream() {
    // A small generator of our own (xorshift): the same streams in every run.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for round in 0..400 {
        let longest = [3, 40, 700][round % 3];
        let alphabet =
            [b"abcdefgh".as_slice(), "你好吗".as_bytes(), b"\0\x1b\n\xff\\"][round / 3 % 3];
        let text: Vec<u8> =
            alphabet.iter().copied().cycle().skip(next(9)).take(1 + next(2000)).collect();
        let mut cut = || {
            let (mut pieces, mut rest) = (Vec::new(), text.as_slice());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(1 + next(longest)));
                pieces.push(piece.to_vec());
                rest = after;
            }
            pieces
        };
        let (sends, recvs) = (cut(), cut());
        let sides = if next(2) == 0 {
            ("client", "server")
        } else {
            ("一个名字很长的客户端程序", "服务器")
        };
        let stream = Stream::from_events(&calls("send", &sends), &calls("recv", &recvs)).unwrap();
        let width = 48 + next(100);
        let picture = stream.between(sides.0, sides.1).text(width);
        for line in picture.lines() {
            assert!(line.width() <= width, "round {round}, width {width}: {line}\n{picture}");
        }
        if alphabet[0] == b'a' && sides.0 == "client" {
            for lane in ["client send", "server recv"] {
                assert_eq!(
                    drawn_in(lane, &picture).0,
                    text.len(),
                    "round {round}, {lane}\n{picture}"
                );
            }
        }
    }
}

#[test]
fn a_trace_is_read_line_by_line_and_a_bad_line_is_named() {
    let scratch = stage::Scratch::new().unwrap();
    let path = scratch.path().join("trace.jsonl");
    let events = calls("send", &["hello", "hi"]);
    let lines: Vec<String> =
        events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let trace = timeline::read_trace(&path).unwrap();
    assert_eq!((trace.events, trace.remarks), (events, Vec::new()));

    std::fs::write(&path, lines[0].clone() + "\n{\"t_us\":\n").unwrap();
    let error = timeline::read_trace(&path).unwrap_err().to_string();
    assert!(error.contains("line 2, is not an event"), "{error}");
    let error = timeline::read_trace(&scratch.path().join("none")).unwrap_err().to_string();
    assert!(error.starts_with("could not read the trace"), "{error}");
}

#[test]
fn what_travelled_has_a_lane_of_its_own() {
    let expected = r#"
offset       0  2  4 5  7
             ┌───────┬──┐
client send  │he╎ll╎o│hi│
             ├──┬────┴──┤
relay send   │he│ll╎o╎hi│
             ├──┴──┬────┤
server recv  │he╎ll│o╎hi│
             └─────┴────┘
             recv 1: the first 4 of 5 bytes of message 1 "hello"
             recv 2: 3 bytes = the last of 5 bytes of message 1 "hello" +
                     message 2 "hi", glued
"#;
    let stream = stream(&["hello", "hi"], &[b"hell", b"ohi"]);
    check(&stream.via("relay", &calls("send", &["he", "llohi"])).unwrap(), 80, expected);
}

#[test]
fn what_was_not_passed_on_is_said() {
    let stream = stream(&["hello", "hi"], &[b"he"]).via("relay", &calls("send", &["hel"])).unwrap();
    let drawn = stream.text(80);
    assert!(drawn.contains("not passed on: 4 bytes, from offset 3 on"), "{drawn}");
    assert!(drawn.contains("not received: 5 bytes, from offset 2 on"), "{drawn}");
}

#[test]
fn segments_may_come_again_and_overtake_each_other() {
    let sent = stream(&["hello", "hi"], &[b"hellohi"]);
    let all = calls("segment", &["he", "llo", "hi"]);
    let again = Event { data: Some(b"llohi".to_vec()), got: Some(5), ..all[1].clone() };
    let seen = [all[0].clone(), all[2].clone(), all[1].clone(), again];
    let drawn = sent.clone().via("wire", &seen).unwrap().text(80);
    assert!(drawn.contains("wire segment  │he│llo│hi│"), "{drawn}");
    assert!(drawn.contains("wire segment 4: 3 bytes from offset 2 on, sent again"), "{drawn}");
    assert!(drawn.contains("wire segment 4: 2 bytes from offset 5 on, sent again"), "{drawn}");

    let mut wrong = seen;
    wrong[3].data = Some(b"lloha".to_vec());
    let error = sent.via("wire", &wrong).unwrap_err();
    assert_eq!(error, StreamError::Differs { offset: 6 });
}

#[test]
fn a_middle_that_belongs_to_another_run_is_refused() {
    let sent = stream(&["hello"], &[]);
    let error = sent.clone().via("relay", &calls("send", &["help"])).unwrap_err();
    assert_eq!(error, StreamError::Differs { offset: 3 });
    let mut twice = calls("send", &["he"]);
    twice.extend(twice.clone());
    let error = sent.via("relay", &twice).unwrap_err();
    assert_eq!(error, StreamError::Overlap { call: "send".into(), offset: 0 });
}

#[test]
fn like_reads_are_one_sentence() {
    let sentences = |recvs: &[&[u8]]| -> Vec<String> {
        let text = stream(&["hello world"], recvs).text(120);
        text.lines()
            .filter_map(|line| Some(line.trim().strip_prefix("recv ")?.to_owned()))
            .collect()
    };
    let cut: Vec<&[u8]> = b"hello world".chunks(1).collect();
    assert_eq!(
        sentences(&[&cut, [b"".as_slice(), b""].as_slice()].concat()),
        [
            "1 to 11: 1 byte each, all 11 bytes of message 1 \"hello world\"",
            "12, 13: 0 bytes = end of stream"
        ]
    );
    let cut: Vec<&[u8]> = b"hello world".chunks(2).collect();
    assert_eq!(
        sentences(&cut),
        [
            "1 to 5: 2 bytes each, the first 10 of 11 bytes of message 1 \"hello world\"",
            "6: the last of 11 bytes of message 1 \"hello world\""
        ]
    );
    // Three are short enough to read one by one.
    assert_eq!(sentences(&[b"he", b"ll", b"o ", b"world"]).len(), 4);
}

/// A note on a socket that no call of the test was made on, unless the test says so.
fn note(text: &str) -> Event {
    Event { call: "note".into(), text: Some(text.into()), ..Event::default() }
}

#[test]
fn what_the_program_did_with_a_recv_is_said_with_it() {
    let mut received = calls("recv", &["he", "l", "l", "o", "hi", ""]);
    received.insert(1, note("kept"));
    received.insert(3, note("printed as `hell`"));
    received.insert(4, note("and\u{1b}[31m forgotten"));
    received.push(note("took it for the end"));
    received.push(Event { conn: 7, ..note("of another socket") });
    // A note before any recv, or from the sender, belongs to no recv.
    received.insert(0, note("too early"));
    let mut sent = calls("send", &["hello", "hi"]);
    sent.push(note("of a sender"));
    let stream = Stream::from_events(&sent, &received).unwrap();
    let text = stream.text(100);
    let said: Vec<&str> =
        text.lines().map(str::trim).filter(|line| line.starts_with("recv")).collect();
    assert_eq!(
        said,
        [
            "recv 1: the first 2 of 5 bytes of message 1 \"hello\" → kept",
            "recv 2: the next of 5 bytes of message 1 \"hello\" → printed as `hell`; and\\u{1b}[31m",
            "recv 3: the next of 5 bytes of message 1 \"hello\"",
            "recv 4: the last of 5 bytes of message 1 \"hello\"",
            "recv 5: 2 bytes = message 2 \"hi\"",
            "recv 6: 0 bytes = end of stream → took it for the end",
        ]
    );
    assert!(
        ["too early", "of another", "of a sender"].iter().all(|note| !text.contains(note)),
        "{text}"
    );
    assert_eq!(stream.reads()[0].note.as_deref(), Some("kept"));
    let drawn = stream.svg("a picture");
    assert!(drawn.contains("end of stream → took it for the end"), "{drawn}");
    // In the boxes too, where notes that don't fit are cut.
    assert!(drawn.contains(">→ kept<"), "{drawn}");
}

#[test]
fn reads_with_notes_are_not_one_sentence() {
    let pieces = ["h", "e", "l", "l", "o"];
    let noted = calls("recv", &pieces).into_iter().flat_map(|recv| [recv, note("thrown away")]);
    let stream =
        Stream::from_events(&calls("send", &["hello"]), &noted.collect::<Vec<_>>()).unwrap();
    assert_eq!(stream.text(100).matches("→ thrown away").count(), 5);
}

#[test]
fn a_long_note_is_cut() {
    let received = [calls("recv", &["hello"]), vec![note(&"word ".repeat(100_000))]].concat();
    let stream = Stream::from_events(&calls("send", &["hello"]), &received).unwrap();
    assert!(stream.text(100).len() < 1000 && stream.svg("a picture").len() < 10_000);
}
