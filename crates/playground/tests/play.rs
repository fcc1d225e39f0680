//! The playground's promises: whatever the network does, the decoders find the messages; without a framing, nobody can.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the page shows of this situation.
fn play(messages: &str, framing: &str, cut: &str, reads: &str) -> Value {
    play_this(&json!({ "messages": messages, "framing": framing, "cut": cut, "reads": reads }))
}

fn play_this(situation: &Value) -> Value {
    let answer = playground::answer(&json!({ "play": situation }).to_string());
    serde_json::from_str(&answer).unwrap()
}

/// The messages that were received, and the first error.
fn outcome(shown: &Value) -> (Vec<String>, Option<String>) {
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    let texts = recvs.iter().flat_map(|recv| recv["messages"].as_array().unwrap());
    let error = recvs.iter().find(|recv| recv["gives_up"] == true);
    let error = error.and_then(|recv| recv["says"].as_str());
    (texts.map(|text| text.as_str().unwrap().to_owned()).collect(), error.map(str::to_owned))
}

fn check(situation: [&str; 4], messages: &[&str], error: Option<&str>) {
    let [sent, framing, cut, reads] = situation;
    let shown = play(sent, framing, cut, reads);
    let (came, failed) = outcome(&shown);
    assert_eq!(came, messages, "{situation:?}");
    let failed = failed.as_deref();
    assert_eq!(failed.is_some(), error.is_some(), "{situation:?}: {failed:?}");
    assert!(failed.unwrap_or_default().contains(error.unwrap_or_default()), "{failed:?}");
}

#[test]
fn each_framing_and_each_way_to_cut_gives_the_messages_that_its_chapter_shows() {
    check(["hello\nhi", "none", "*", "1024"], &["hellohi"], None);
    check(["hello\nhi", "none", "*", "2,5"], &["he", "llohi"], None);
    check(["hello\nhi", "none", "sends", "1024"], &["hello", "hi"], None);
    check(["hello\nhi", "prefix", "1", "1024"], &["hello", "hi"], None);
    check(["hello\nhi", "prefix-be", "3,1", "2"], &["hello", "hi"], None);
    check(["hello\n\nhi", "json", "7", "1024"], &["hello", "", "hi"], None);
    check(["hello\\n\nhi", "lines", "5,*", "1024"], &["hello\\n", "hi"], None);
    // The size of a buffer may be more than any machine has.
    check(["hello\nhi", "none", "*", "4294967295"], &["hellohi"], None);
    check(["hello\nhi", "ack", "*", "1024"], &["hello", "hi"], None);
    // One byte of a length of two digits looks like a whole length. Who asks for no more doesn't notice.
    check(["this is the answer", "ack", "1", "1024"], &["8"], None);
    check(["this is the answer\ntwo", "ack", "1", "1024"], &["8"], Some("got \"t\"."));
}

/// Two sends leave in two segments, and one recv takes both: it's the receiver that glues.
#[test]
fn a_late_receiver_finds_in_one_piece_what_arrived_in_several() {
    let mut situation =
        json!({ "messages": "hello\nhi", "framing": "none", "cut": "sends", "reads": "1024" });
    assert_eq!(outcome(&play_this(&situation)).0, ["hello", "hi"]);
    situation["late"] = true.into();
    let shown = play_this(&situation);
    assert_eq!(outcome(&shown).0, ["hellohi"]);
    let lanes = shown["run"]["pictures"][0]["lanes"].as_array().unwrap();
    let calls: Vec<usize> =
        lanes.iter().map(|lane| lane["steps"].as_array().unwrap().len()).collect();
    assert_eq!(calls, [2, 2, 2], "sends, segments, recvs: {lanes:#?}");
    for framing in ["prefix", "prefix-be", "json", "lines", "ack"] {
        situation["framing"] = framing.into();
        assert_eq!(outcome(&play_this(&situation)).0, ["hello", "hi"], "{framing}");
    }
}

/// The calls of the run, each with what it moved.
fn calls(shown: &Value) -> Vec<String> {
    let run = &shown["run"];
    let call = |step: &Value| {
        let who = run["parties"][step["who"].as_u64().unwrap() as usize].as_str().unwrap();
        format!("{who} {} {}", step["call"].as_str().unwrap(), step["shown"].as_str().unwrap_or(""))
    };
    run["steps"].as_array().unwrap().iter().map(call).collect()
}

#[test]
fn in_the_ack_handshake_nobody_sends_before_the_other_has_asked_or_answered() {
    for (messages, cut, ends, sent) in [
        // It gave up, and asks for nothing more.
        ("this is the answer\nhi", "1", "receiver recv \"t\"", 1),
        // It takes the zeros for lengths. The OKs for them are what the sender finds instead of those for its own lengths.
        ("0000000003\nhello\nhi", "1", "network segment \"i\"", 3),
        // It waits for the rest of 99 bytes, and the sender waits to be asked for the third message.
        ("0000000099\nhello\nhi", "1,1,*", "receiver recv \"hello\"", 2),
    ] {
        let shown = play(messages, "ack", cut, "1024");
        let calls = calls(&shown);
        assert!(calls.last().unwrap().starts_with(ends), "{messages:?}: {calls:#?}");
        assert_eq!(shown["stream"]["messages"].as_array().unwrap().len(), sent, "{calls:#?}");
        // Before each message, the sender has taken an OK.
        let taken = calls.iter().filter(|call| *call == "sender recv \"OK\"").count();
        let sends = calls.iter().filter(|call| call.starts_with("sender send")).count();
        assert!(taken == sends / 2, "{calls:#?}");
    }
}

/// Both programs send, each on its own socket, and each direction is a picture of its own.
#[test]
fn in_the_ack_handshake_each_call_is_drawn_in_the_picture_of_its_direction() {
    let shown = play("hello\nhi", "ack", "*", "1024");
    let steps = shown["run"]["steps"].as_array().unwrap();
    for (call, step) in calls(&shown).iter().zip(steps) {
        let drawn = match call.split(' ').take(2).collect::<Vec<_>>().join(" ").as_str() {
            "sender send" => json!([0, 0]),
            "network segment" => json!([0, 1]),
            "receiver recv" => json!([0, 2]),
            "receiver send" => json!([1, 0]),
            "sender recv" => json!([1, 1]),
            other => panic!("{other}"),
        };
        assert_eq!(step["in"], drawn, "{call}");
    }
}

#[test]
fn in_the_ack_handshake_the_receiver_reads_no_more_than_it_asked_for() {
    let shown = play("this is the answer", "ack", "1", "1024");
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    assert_eq!(recvs.len(), 2, "{recvs:#?}");
    assert_eq!(recvs[1]["then"], "It has the messages that it asked for, and reads no more.");
}

#[test]
fn a_stream_ends_because_its_sender_closes() {
    for framing in ["none", "prefix", "prefix-be", "json", "lines"] {
        let calls = calls(&play("hello\nhi", framing, "1", "1024"));
        let close = calls.iter().position(|call| call == "sender close ").unwrap();
        assert!(close < calls.len() - 1 && calls.last().unwrap() == "receiver recv ", "{calls:?}");
    }
}

#[test]
fn a_list_of_sizes_is_what_was_typed() {
    for (cut, reads) in [(" 3, 1 ,*", " 2 , 5 "), ("3，1，＊", "2，5")] {
        let shown = play("hello\nhi", "none", cut, reads);
        assert_eq!(outcome(&shown).0, ["he", "l", "l", "ohi"], "{cut:?} {reads:?}: {shown}");
    }
    for (cut, reads, field) in [("3 1", "9", "cut"), ("*", "2 5", "reads"), ("3,,1", "9", "cut")] {
        let shown = play("hello\nhi", "none", cut, reads);
        assert_eq!(shown["field"], field, "{cut:?} {reads:?}: {shown}");
    }
}

#[test]
fn an_empty_message_without_framing_makes_no_cut_of_its_own() {
    let shown = play("hello\n\nhi", "none", "sends", "1024");
    assert_eq!(shown["stream"]["cuts"], json!([5]));
}

#[test]
fn a_message_has_the_name_that_was_typed() {
    for framing in ["none", "prefix", "lines"] {
        let rows =
            play("two\\nlines", framing, "*", "1024")["run"]["pictures"][0]["rows"].to_string();
        assert!(rows.contains(r#""message 1 \"two\\nlines\"""#), "{framing}: {rows}");
    }
}

/// What the page says of each recv.
fn says(shown: &Value) -> Vec<&str> {
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    recvs.iter().map(|recv| recv["says"].as_str().unwrap()).collect()
}

#[test]
fn each_recv_says_what_the_receiver_makes_of_it() {
    let end = "The stream ends here, with nothing left over.";
    for ([messages, framing, cut, reads], expected) in [
        (
            ["hello\nhi", "none", "2,*", "1024"],
            vec![
                "It treats these 2 bytes as a message: “he”.",
                "It treats these 5 bytes as a message: “llohi”.",
                end,
            ],
        ),
        (
            ["hello\nhi", "prefix", "3,4,*", "1024"],
            vec![
                "It keeps 3 bytes and waits: so far, it has 3 of 4 bytes of the length prefix.",
                "It keeps 7 bytes and waits: so far, it has 3 of 5 bytes of the body.",
                "2 messages are complete: “hello”, “hi”.",
                end,
            ],
        ),
        (
            ["hi", "none", "1", "1024"],
            vec![
                "It treats this byte as a message: “h”.",
                "It treats this byte as a message: “i”.",
                end,
            ],
        ),
        (
            ["a\n\nb\nc\nd", "lines", "*", "1024"],
            vec!["5 messages are complete: “a”, an empty one, “b”, and 2 more.", end],
        ),
        (
            ["hi", "ack", "*", "1024"],
            vec![
                "It treats what it got as the whole length, and answers OK. It waits: so far, it has 0 of 2 bytes of the body.",
                "A message is complete: “hi”.",
            ],
        ),
        (
            ["this is the answer\ntwo", "ack", "1", "1024"],
            vec![
                "It treats what it got as the whole length, and answers OK. It waits: so far, it has 0 of 1 bytes of the body.",
                "A message is complete: “8”.",
                "It gives up: expected a length of 1 to 10 decimal digits, got \"t\".",
            ],
        ),
    ] {
        assert_eq!(says(&play(messages, framing, cut, reads)), expected, "{messages:?} {framing}");
    }
}

fn recording(file: &str) -> Value {
    let path = format!("{}/../timeline/tests/strace/{file}", env!("CARGO_MANIFEST_DIR"));
    json!({ "name": file, "text": std::fs::read_to_string(path).unwrap() })
}

/// What the page shows of these recordings, each a file of the tests of `timeline`.
fn replay(files: &[&str], framing: &str) -> Value {
    let recordings: Vec<Value> = files.iter().map(|file| recording(file)).collect();
    replay_of(&recordings, framing)
}

fn replay_of(recordings: &[Value], framing: &str) -> Value {
    let question = json!({ "recordings": recordings, "framing": framing, "connection": 0 });
    let answer = playground::answer(&json!({ "replay": question }).to_string());
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn a_datagram_is_never_joined_with_the_next_and_a_lost_rest_is_mentioned() {
    let files = ["udp.client.strace", "udp.server.strace"];
    let shown = replay(&files, "none");
    let treated = says(&shown);
    assert!(
        treated[1]
            .ends_with("The buffer had room for only 512 of its 1579 bytes. The rest is lost."),
        "{treated:#?}"
    );
    let shown = replay(&files, "lines");
    let none = "This datagram isn't a whole message.";
    let lost =
        format!("{none} The buffer had room for only 512 of its 1579 bytes. The rest is lost.");
    assert_eq!(says(&shown), [none, &lost, none]);
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    assert!(recvs.iter().all(|recv| recv["kept"] == 0), "{shown:#}");
}

/// As a program sees it that doesn't wait.
#[test]
fn a_recv_that_would_have_to_wait_loses_nothing() {
    let event = |pid, call, rest: Value| {
        let mut event = json!({ "t_us": 1, "pid": pid, "call": call, "conn": 1 });
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event.to_string() + "\n"
    };
    let moved =
        |offset, data| json!({ "dir": "in", "asked": 9, "got": 3, "offset": offset, "data": data });
    let text = [
        event(2, "accept", json!({ "local": "127.0.0.1:8888", "peer": "127.0.0.1:5000" })),
        event(2, "recv", moved(0, "aGVs")),
        event(2, "recv", json!({ "dir": "in", "asked": 9, "error": "EAGAIN: nothing there" })),
        event(2, "recv", moved(3, "bG8K")),
    ];
    let recordings = [json!({ "name": "x.trace", "text": text.concat() })];
    let shown = replay_of(&recordings, "lines");
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    assert_eq!(recvs[1]["held"], "68656c", "{shown:#}");
    assert!(recvs[1]["says"].as_str().unwrap().starts_with("Nothing has arrived yet"), "{shown:#}");
    assert_eq!(recvs[2]["says"], "A message is complete: “hello”.");
    let text =
        [&text[0], &text[2], &event(2, "recv", moved(0, "aGVs"))].map(String::as_str).concat();
    let shown = replay_of(&[json!({ "name": "x.trace", "text": text })], "lines");
    assert_eq!(shown["decodings"][0]["recvs"][0]["then"], "It hasn't received anything yet.");
}

/// A long message is cut where it's shown, and nowhere else.
#[test]
fn a_long_message_is_the_same_message() {
    for message in ["a".repeat(3000), "你".repeat(1000), "\\x00".repeat(2000)] {
        let shown = play(&message, "prefix", "1000", "700");
        assert_eq!(shown["stream"]["all_came"], true, "{}", &message[..9]);
        let text = shown["decodings"][0]["recvs"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|recv| recv["messages"][0].as_str());
        assert!(text.unwrap().ends_with('…'));
    }
    assert_eq!(play("a\nb", "none", "*", "9")["stream"]["all_came"], false);
}

#[test]
fn the_framing_of_a_datagram_does_not_count_as_lost() {
    let mut recordings = ["udp.client.strace", "udp.server.strace"].map(recording);
    // The last byte of the last datagram becomes a line feed.
    for recording in &mut recordings {
        let text =
            recording["text"].as_str().unwrap().replace("\\x3a\\x39\", 11", "\\x3a\\x0a\", 11");
        let text = text.replace("\\x3a\\x39\", 512", "\\x3a\\x0a\", 512");
        recording["text"] = text.into();
    }
    let shown = replay_of(&recordings, "lines");
    assert_eq!(says(&shown)[2], "A message is complete: “mem:7,net:”.");
}

#[test]
fn after_giving_up_nothing_is_decoded() {
    let shown = replay(&["desk.client.strace", "desk.server.strace"], "prefix");
    let says = says(&shown);
    assert!(says[0].contains("It gives up: expected a length from 0 to"), "{says:#?}");
    assert!(says[1..].iter().all(|says| says.starts_with("It has given up")), "{says:#?}");
}

#[test]
fn recordings_that_contradict_each_other_say_where() {
    let mut recordings = ["desk.client.strace", "desk.server.strace"].map(recording);
    // A different digit, on one side only.
    let text = recordings[1]["text"].as_str().unwrap().replacen("\\x31\\x30", "\\x39\\x30", 1);
    recordings[1]["text"] = text.into();
    let error = replay_of(&recordings, "none")["error"].to_string();
    assert!(error.contains("byte 0 is one value in one recording"), "{error}");
}

#[test]
fn a_connection_that_cannot_be_shown_does_not_hide_the_others() {
    let text = include_str!("../../../docs/src/playground/runs/two-clients.trace");
    let recording = |text: &str| json!({ "name": "two-clients.trace", "text": text });
    let connections = replay_of(&[recording(text)], "none")["connections"].clone();
    // The first client sent `date`, and the server received `fate`.
    let received = text.lines().find(|line| line.contains("\"in\"")).unwrap();
    let text = text.replace(received, &received.replace("BAAAAGRhdGU=", "BAAAAGZhdGU="));
    let shown = replay_of(&[recording(&text)], "none");
    assert_eq!(shown["connections"], json!([connections[1]]));
    let remark = shown["remarks"][0].as_str().unwrap();
    let expected = format!("{} isn't shown: byte 4 ", connections[0].as_str().unwrap());
    assert!(remark.starts_with(&expected), "{remark}");
}

fn main_framings() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("prefix"), Just("prefix-be"), Just("json"), Just("lines")]
}

fn sizes() -> impl Strategy<Value = String> {
    vec(1..20_usize, 1..5)
        .prop_map(|sizes| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

proptest! {
    #[test]
    fn however_the_network_cuts_the_messages_come_out(
        messages in vec("[a-z你 ]{0,12}", 1..6),
        framing in main_framings(),
        cut in sizes(),
        reads in sizes(),
    ) {
        let shown = play(&format!("{}\n", messages.join("\n")), framing, &cut, &reads);
        prop_assert_eq!(outcome(&shown), (messages, None));
    }

    #[test]
    fn without_a_framing_every_byte_comes_in_order(
        messages in vec("[a-z]{0,12}", 1..6),
        cut in sizes(),
        reads in sizes(),
    ) {
        prop_assume!(messages.iter().any(|message| !message.is_empty()));
        let shown = play(&format!("{}\n", messages.join("\n")), "none", &cut, &reads);
        prop_assert_eq!(outcome(&shown).0.concat(), messages.concat());
    }

    #[test]
    fn what_is_no_question_is_refused(question in ".{0,200}") {
        let answer: Value = serde_json::from_str(&playground::answer(&question)).unwrap();
        prop_assert!(answer["error"].is_string(), "{}", answer);
    }

    #[test]
    fn nothing_that_is_typed_breaks_it(
        messages in "(?s).{0,60}",
        framing in prop_oneof![main_framings(), Just("none"), Just("ack")],
        cut in ".{0,6}|[0-9,*]{1,6}",
        reads in ".{0,6}|[0-9,]{1,6}",
    ) {
        let shown = play(&messages, framing, &cut, &reads);
        prop_assert!(shown["error"].is_string() || shown["run"].is_object(), "{shown}");
    }
}
