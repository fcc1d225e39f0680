//! The playground's promises: whatever the network does, the decoders find the messages; without a framing, nobody does.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the page shows of this situation.
fn play(messages: &str, framing: &str, cut: &str, reads: &str) -> Value {
    let situation = json!({ "messages": messages, "framing": framing, "cut": cut, "reads": reads });
    let answer = playground::answer(&json!({ "play": situation }).to_string());
    serde_json::from_str(&answer).unwrap()
}

/// The messages that came out, and the first error.
fn outcome(shown: &Value) -> (Vec<String>, Option<String>) {
    let recvs = shown["decodings"][0]["recvs"].as_array().unwrap();
    let texts = recvs.iter().flat_map(|recv| recv["messages"].as_array().unwrap());
    let error = recvs.iter().find_map(|recv| recv["error"].as_str());
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
fn the_situations_of_the_book() {
    check(["hello\nhi", "none", "*", "1024"], &["hellohi"], None);
    check(["hello\nhi", "none", "*", "2,5"], &["he", "llohi"], None);
    check(["hello\nhi", "none", "sends", "1024"], &["hello", "hi"], None);
    check(["hello\nhi", "prefix", "1", "1024"], &["hello", "hi"], None);
    check(["hello\nhi", "prefix-be", "3,1", "2"], &["hello", "hi"], None);
    check(["hello\n\nhi", "json", "7", "1024"], &["hello", "", "hi"], None);
    check(["hello\\n\nhi", "lines", "5,*", "1024"], &["hello\\n", "hi"], None);
    check(["hello\nhi", "ack", "*", "1024"], &["hello", "hi"], None);
    // One byte of a length of two digits looks like a whole length.
    check(["this is the answer", "ack", "1", "1024"], &["8"], Some("expected nothing, got"));
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
    fn without_a_framing_every_byte_comes_but_no_message_is_safe(
        messages in vec("[a-z]{0,12}", 1..6),
        cut in sizes(),
        reads in sizes(),
    ) {
        let shown = play(&format!("{}\n", messages.join("\n")), "none", &cut, &reads);
        prop_assert_eq!(outcome(&shown).0.concat(), messages.concat());
    }

    #[test]
    fn every_question_is_answered(question in ".{0,200}") {
        let answer: Value = serde_json::from_str(&playground::answer(&question)).unwrap();
        prop_assert!(answer.is_object());
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
