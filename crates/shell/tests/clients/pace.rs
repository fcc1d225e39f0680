//! No small write waits for the acknowledgement of the one before it.

use std::fs;

use observe::Event;
use stage::{Program, Scratch};

use crate::rows::{LONG, client_rows};

/// How long Linux delays an acknowledgement at least, in microseconds.
const DELAYED: u64 = 40_000;

/// A guard, not a benchmark. With the length in a write of its own, every answer but the first takes 41 ms and more. So the
/// fastest one decides, and a busy machine changes nothing.
#[test]
fn no_answer_waits_for_an_ack() {
    let scratch = Scratch::new().unwrap();
    for row in client_rows() {
        let trace = scratch.path().join(row.name());
        let server = row.start(&[]);
        let mut client = row.client(&server.address().unwrap());
        client.args(["--trace", trace.to_str().unwrap()]).args(["-c", "echo hi"].repeat(50));
        let done = Program::start("client", &mut client).unwrap().wait(LONG).unwrap();
        assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));

        let text = fs::read_to_string(trace).unwrap();
        let events: Vec<Event> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let asks = |event: &Event| {
            let data = event.data.as_deref();
            event.call == "send" && data.is_some_and(|data| data.ends_with(b"echo hi"))
        };
        let waits: Vec<u64> = events
            .iter()
            .enumerate()
            .filter(|(_, event)| asks(event))
            .map(|(at, send)| {
                // The last recv before the next command.
                let answer = events[at + 1..].iter().take_while(|event| !asks(event));
                answer.filter(|event| event.call == "recv").last().unwrap().t_us - send.t_us
            })
            .collect();
        assert_eq!(waits.len(), 50, "{}", row.name());
        let fastest = waits[1..].iter().min().unwrap();
        assert!(*fastest < DELAYED, "{}: {waits:?}", row.name());
    }
}
