//! The page that steps through a run: the data that it is given. How the page shows it is tested in a browser
//! (`scripts/browser-test.sh`).

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod runs;

use observe::Event;
use runs::{event, moved, run};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use timeline::{Connection, Direction, Stream, connections, page, read_trace};

fn connection(sends: &[&[u8]], relay: Option<&[usize]>, takes: &[usize]) -> Connection {
    let run = run(sends, relay, takes);
    connections(&[run.client, run.server].concat(), &run.relay).remove(0)
}

fn drawn(connection: &Connection) -> String {
    let stream = connection.stream(Direction::ToServer).unwrap();
    page("A run & <more>", &[stream], &connection.parties())
}

fn data(page: &str) -> Value {
    let (_, data) = page.split_once("<script id=\"run\" type=\"application/json\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

/// As with a relay's trace beside strace's recordings.
#[test]
fn recordings_by_two_clocks_have_an_order_and_no_times() {
    let mut run = run(&[b"hello"], Some(&[5]), &[5]);
    for event in run.client.iter_mut().chain(&mut run.server) {
        event.t_us += 1_700_000_000_000_000;
    }
    let connection = connections(&[run.client, run.server].concat(), &run.relay).remove(0);
    let data = data(&drawn(&connection));
    let steps = data["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["t"].is_null()), "{steps:#?}");
    let calls = |who: u64| steps.iter().position(|step| step["who"] == who && step["got"] == 5);
    assert!(calls(0) < calls(1) && calls(1) < calls(2), "{steps:#?}");
}

#[test]
fn the_calls_of_all_are_steps_in_the_order_of_time() {
    let data = data(&drawn(&connection(&[b"hello", b"hi"], Some(&[3, 4]), &[2, 5])));
    assert_eq!(data["parties"], serde_json::json!(["client", "relay", "server"]));
    let steps = data["steps"].as_array().unwrap();
    let times: Vec<u64> = steps.iter().map(|step| step["t"].as_u64().unwrap()).collect();
    assert!(times.is_sorted() && times[0] == 0, "{times:?}");
    // Connect, accept, connect, accept; two sends; two recvs and two sends of the relay; two recvs.
    assert_eq!(steps.len(), 12);
    let last = &steps[11];
    assert_eq!(
        (&last["who"], &last["call"], &last["hex"]),
        (&2.into(), &"recv".into(), &"6c6c6f6869".into())
    );
    assert_eq!((&last["in"], &last["end"]), (&serde_json::json!([0, 2]), &7.into()));
    // From a box to its step.
    let lanes = data["pictures"][0]["lanes"].as_array().unwrap();
    assert_eq!(lanes[2]["steps"][1], 11);
    assert_eq!(
        lanes.iter().map(|lane| lane["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["client send", "relay send", "server recv"]
    );
}

/// Both directions of a capture count as one connection there.
#[test]
fn segments_of_both_directions_find_their_boxes() {
    let mut run = run(&[b"hello", b"hi"], None, &[100]);
    run.server.extend(moved("send", 3, 2, b"answer", &[6], 500));
    run.client.extend(moved("recv", 1, 1, b"answer", &[6], 520));
    let segment = |dir, from: &str, to: &str, offset, bytes: &[u8], t_us| Event {
        t_us,
        local: Some(from.into()),
        peer: Some(to.into()),
        ..event("segment", dir, 0, 1, offset, bytes)
    };
    let (client, server) = ("127.0.0.1:5000", "127.0.0.1:8888");
    let segments = [
        segment("out", client, server, 0, b"hello", 101),
        segment("in", server, client, 0, b"answer", 501),
        segment("out", client, server, 5, b"hi", 502),
    ];
    let connection = connections(&[run.client, run.server].concat(), &segments).remove(0);
    let streams =
        [Direction::ToServer, Direction::ToClient].map(|way| connection.stream(way).unwrap());
    let data = data(&page("Segments", &streams, &connection.parties()));
    let steps = data["steps"].as_array().unwrap();
    let lane = |picture: usize| data["pictures"][picture]["lanes"][1]["steps"].as_array().unwrap();
    for (picture, count, bytes) in [(0, 0, "68656c6c6f"), (0, 1, "6869"), (1, 0, "616e73776572")] {
        let step = &steps[usize::try_from(lane(picture)[count].as_u64().unwrap()).unwrap()];
        assert_eq!((&step["call"], &step["hex"]), (&"segment".into(), &bytes.into()));
        assert_eq!(step["in"], serde_json::json!([picture, 1]));
    }
}

#[test]
fn no_payload_breaks_out() {
    let page = drawn(&connection(
        &[b"</script><script>alert(1)</script>", b"<!--", b"<!--title-->"],
        None,
        &[100],
    ));
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains("<title>A run &amp; &lt;more&gt;</title>"));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count()
                == page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!page.contains("https://") && !page.contains("innerHTML"));
}

#[test]
fn backticks_in_a_title_are_code() {
    let drawn = page("`7b 00` & `<i`", &[], &[]);
    assert!(drawn.contains("<title>7b 00 &amp; &lt;i</title>"));
    assert!(drawn.contains("<h1><code>7b 00</code> &amp; <code>&lt;i</code></h1>"));
    assert!(page("a ` alone", &[], &[]).contains("<h1>a ` alone</h1>"));
}

#[test]
fn the_side_that_was_not_recorded_is_named() {
    let both = connection(&[b"hello"], None, &[2]);
    let alone = Connection { client: Vec::new(), ..both };
    let data = data(&drawn(&alone));
    assert_eq!(
        data["pictures"][0]["notes"],
        serde_json::json!(["what the client sent was not recorded"])
    );
    assert_eq!(data["pictures"][0]["recorded"], serde_json::json!([false, true]));
    let empty = page("nothing", &[], &[]);
    assert!(empty.contains("\"steps\":[]"));
}

#[test]
fn ten_thousand_calls_make_a_page_of_a_few_megabytes() {
    let message = [b'x'; 100].as_slice();
    let begun = Instant::now();
    let page = drawn(&connection(&[message; 100], Some(&[100; 100]), &[1]));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
    assert!(data(&page)["steps"].as_array().unwrap().len() > 10_000);
}

#[test]
fn of_megabytes_the_beginning_is_enough() {
    let megabyte = vec![b'x'; 1 << 20];
    let page = drawn(&connection(&[&megabyte, &megabyte, &megabyte], None, &[1 << 20]));
    assert!(page.len() < 200_000, "{} bytes", page.len());
}

#[test]
fn no_recv_stands_before_the_send_that_brought_its_last_byte() {
    let mut run = run(&[b"hello", b"hi"], Some(&[3, 4]), &[2, 5]);
    // The sender is slow to note its calls: each recv is noted before its send.
    for event in run.client.iter_mut().filter(|event| event.call == "send") {
        event.t_us += 1000;
    }
    let slow = |event: &&mut Event| event.call == "send";
    run.relay.iter_mut().filter(slow).for_each(|event| event.t_us += 500);
    let connection = connections(&[run.client, run.server].concat(), &run.relay).remove(0);
    let data = data(&drawn(&connection));
    let steps = data["steps"].as_array().unwrap();
    let calls = ["send", "recv"].map(|call| {
        let of = |who: u64| {
            let mine = move |step: &&Value| step["call"] == call && step["who"] == who;
            steps.iter().filter(mine).map(|step| step["at"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        [of(0), of(1), of(2)]
    });
    assert_eq!(calls, [[vec![0, 5], vec![0, 3], vec![]], [vec![], vec![0, 5], vec![0, 2]]]);
    let place = |who: u64, call: &str, at: u64| {
        let same = |step: &Value| step["who"] == who && step["call"] == call && step["at"] == at;
        steps.iter().position(same).unwrap()
    };
    for at in [0, 5] {
        assert!(place(0, "send", at) < place(1, "recv", at), "{steps:#?}");
    }
    let mut brought = [0, 0];
    for step in steps.iter().filter(|step| step["in"].is_array()) {
        let (lane, end) = (step["in"][1].as_u64().unwrap(), step["end"].as_u64().unwrap());
        match lane {
            0 => brought[0] = end,
            1 => {
                assert!(end <= brought[0], "{steps:#?}");
                brought[1] = end;
            }
            _ => assert!(end <= brought[1], "{steps:#?}"),
        }
    }
    assert_eq!(brought, [7, 7]);
}

#[test]
fn the_page_knows_behind_which_step_nothing_more_arrives() {
    let mut run = run(&[b"hello"], None, &[2, 1]);
    run.server.truncate(2);
    let closed = |run: runs::Run| {
        let connection = connections(&[run.client, run.server].concat(), &[]).remove(0);
        data(&drawn(&connection))["pictures"][0]["closed"].clone()
    };
    let close =
        |pid, conn, t_us| Event { t_us, pid, conn, call: "close".into(), ..Event::default() };
    run.client.push(close(1, 1, 140));
    assert_eq!(
        closed(runs::Run { server: run.server.clone(), client: run.client.clone(), relay: vec![] }),
        Value::Null
    );
    run.server.push(close(3, 2, 150));
    // Connect, accept, send, recv, close of the client, close of the server.
    assert_eq!(closed(run), 5);
}

/// Which party made which call, in the order of the steps.
fn told(connection: &Connection) -> Vec<String> {
    let data = data(&drawn(connection));
    let who = |step: &Value| {
        data["parties"][usize::try_from(step["who"].as_u64().unwrap()).unwrap()].clone()
    };
    let steps = data["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
            let (who, call, shown) = (text(&who(step)), text(&step["call"]), text(&step["shown"]));
            format!("{who} {call} {shown}").trim_end().to_owned()
        })
        .collect()
}

/// A client asks, and a server answers; each notes its calls a given number of microseconds late.
fn question(client_late: u64, server_late: u64) -> Connection {
    let mut run = run(&[b"echo two"], None, &[8]);
    run.client.extend(moved("recv", 1, 1, b"two\n", &[4], 400));
    run.server.extend(moved("send", 3, 2, b"two\n", &[4], 350));
    run.client.iter_mut().for_each(|event| event.t_us += client_late);
    run.server.iter_mut().for_each(|event| event.t_us += server_late);
    connections(&[run.client, run.server].concat(), &[]).remove(0)
}

const CAUSES_FIRST: [&str; 6] = [
    "client connect",
    "server accept",
    "client send \"echo two\"",
    "server recv \"echo two\"",
    "server send \"two\\n\"",
    "client recv \"two\\n\"",
];

#[test]
fn causes_come_before_their_effects_whatever_the_clocks_say() {
    // Only one of the two streams is drawn, but the calls of the other are still in the list.
    for client_late in [0, 1000] {
        assert_eq!(told(&question(client_late, 0)), CAUSES_FIRST, "{client_late}");
    }
    // A client that has connected may send before it is accepted.
    let mut sent_first = CAUSES_FIRST;
    sent_first.swap(1, 2);
    assert_eq!(told(&question(0, 1000)), sent_first);
}

#[test]
fn each_call_of_a_process_comes_after_those_it_made_before() {
    let mut connection = question(0, 1000);
    // The client's, on another socket: only the order of the client's own calls shows where it belongs.
    let close = |conn, t_us| Event { t_us, pid: 1, conn, call: "close".into(), ..Event::default() };
    connection.client.push(close(1, 401));
    connection.client.push(close(9, 500));
    let told = told(&connection);
    assert_eq!(told[5..], ["client recv \"two\\n\"", "client close", "client close"], "{told:?}");
}

#[test]
fn causality_wins_where_a_process_noted_its_calls_in_another_order() {
    let mut connection = question(0, 0);
    // One thread sends, is held up, and notes it after another thread has received the answer.
    connection.client[1].t_us = 900;
    connection.client.sort_by_key(|event| event.t_us);
    assert_eq!(told(&connection), CAUSES_FIRST);
}

#[test]
fn two_sends_noted_late_keep_their_order() {
    let mut run = run(&[b"echo ", b"two"], None, &[8]);
    run.client.extend(moved("recv", 1, 1, b"two\n", &[4], 400));
    run.server.extend(moved("send", 3, 2, b"two\n", &[4], 350));
    (run.client[1].t_us, run.client[2].t_us) = (900, 950);
    run.client.sort_by_key(|event| event.t_us);
    let connection = connections(&[run.client, run.server].concat(), &[]).remove(0);
    let told = told(&connection);
    let place = |call: &str| told.iter().position(|told| told == call).unwrap();
    let order = [
        "client send \"echo \"",
        "client send \"two\"",
        "server recv \"echo two\"",
        "client recv \"two\\n\"",
    ]
    .map(place);
    assert!(order.is_sorted(), "{told:?}");
}

#[test]
fn a_stream_without_addresses_has_causes_too() {
    let mut run = run(&[b"hello"], None, &[5]);
    let (mut sent, mut taken) = (run.client.split_off(1), run.server.split_off(1));
    sent[0].t_us = 900;
    sent.push(Event { t_us: 950, pid: 1, conn: 1, call: "close".into(), ..Event::default() });
    taken.push(Event { t_us: 300, ..event("recv", "in", 3, 2, 5, b"") });
    let stream = Stream::from_events(&sent, &taken).unwrap();
    let data = data(&page("No addresses", &[stream], &[("one", sent), ("other", taken)]));
    let calls: Vec<&Value> =
        data["steps"].as_array().unwrap().iter().map(|step| &step["call"]).collect();
    // The second recv comes after the close, and the end needs no address either.
    assert_eq!(calls, ["send", "recv", "close", "recv"]);
}

/// A client says `hello`; its `ends` and those of the server follow, each with what it ends and when it was noted. The server
/// noted at 300 that nothing more will come.
fn ended(client: &[(&str, &str, u64)], server: &[(&str, &str, u64)]) -> Connection {
    let mut run = run(&[b"hello"], None, &[5]);
    run.server.push(Event { t_us: 300, ..event("recv", "in", 3, 2, 5, b"") });
    let end = |pid, conn| {
        move |(call, dir, t_us): &(&str, &str, u64)| Event {
            t_us: *t_us,
            pid,
            conn,
            call: (*call).into(),
            dir: Some((*dir).to_owned()).filter(|dir| !dir.is_empty()),
            ..Event::default()
        }
    };
    run.client.extend(client.iter().map(end(1, 1)));
    run.server.extend(server.iter().map(end(3, 2)));
    run.server.sort_by_key(|event| event.t_us);
    connections(&[run.client, run.server].concat(), &[]).remove(0)
}

#[test]
fn the_end_of_a_stream_comes_after_what_ended_it() {
    let told_last =
        |client: &[_], server: &[_]| told(&ended(client, server)).split_off(4).join(", ");
    let close = |t_us| ("close", "", t_us);
    for (client, expected) in [
        (&[close(310)][..], "client close, server recv"),
        (&[("shutdown", "out", 310), close(320)], "client shutdown, server recv, client close"),
        (&[("shutdown", "", 310), close(320)], "client shutdown, server recv, client close"),
        (&[("shutdown", "in", 310), close(320)], "client shutdown, client close, server recv"),
        (&[("shutdown", "out", 200), close(320)], "client shutdown, server recv, client close"),
        // It was killed.
        (&[], "server recv"),
    ] {
        assert_eq!(told_last(client, &[]), expected, "{client:?}");
    }
    // Another thread of the server ended its reading, and a client that closes later has nothing to do with it.
    for shutdown in [("shutdown", "in", 290), ("shutdown", "in", 310), ("shutdown", "", 290)] {
        let told = told_last(&[close(900)], &[shutdown]);
        assert!(told.ends_with("client close"), "{shutdown:?}: {told}");
    }
    // This one ended both when it knew that the client had closed.
    let both = [("shutdown", "", 310)];
    assert_eq!(told_last(&[close(330)], &both), "client close, server recv, server shutdown");

    // A shutdown that failed ended nothing, and a recv without room returns 0 at any time.
    let mut failed = ended(&[("shutdown", "out", 310), close(320)], &[]);
    failed.client[2].error = Some("ENOTCONN".into());
    assert_eq!(told(&failed)[4..], ["client shutdown", "client close", "server recv"]);
    let mut roomless = ended(&[close(310)], &[]);
    roomless.server[2].asked = Some(0);
    assert_eq!(told(&roomless)[4..], ["server recv", "client close"]);
}

#[test]
fn each_end_of_a_relay_has_its_own_cause() {
    let mut run = run(&[b"hello"], Some(&[5]), &[5]);
    let close =
        |pid, conn, t_us| Event { t_us, pid, conn, call: "close".into(), ..Event::default() };
    run.server.push(Event { t_us: 300, ..event("recv", "in", 3, 2, 5, b"") });
    run.relay.push(Event { t_us: 310, ..event("recv", "in", 2, 2, 5, b"") });
    run.relay.push(close(2, 3, 320));
    run.client.push(close(1, 1, 330));
    let connection = connections(&[run.client, run.server].concat(), &run.relay).remove(0);
    let told = told(&connection);
    assert_eq!(told[8..], ["client close", "relay recv", "relay close", "server recv"], "{told:?}");
}

/// Both wait for the other's end before they close, which can't be: a reset, say, that nobody recorded.
#[test]
fn ends_that_wait_for_each_other_are_all_told() {
    let mut connection = ended(&[("close", "", 500)], &[("close", "", 510)]);
    connection.client.push(Event { t_us: 310, ..event("recv", "in", 1, 1, 0, b"") });
    connection.client.sort_by_key(|event| event.t_us);
    let mut told = told(&connection);
    told.sort();
    let all = ["client close", "client connect", "client recv", "client send \"hello\""];
    assert_eq!(told[..4], all);
    assert_eq!(
        told[4..],
        ["server accept", "server close", "server recv", "server recv \"hello\""]
    );
}

#[test]
fn in_every_recording_of_the_playground_an_end_comes_after_what_ended_it() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let pairs = ["strace/desk", "strace/desk-lines", "ladder/handshake", "ladder/two-writes"];
    let pairs = pairs.map(|run| {
        ["client", "server"].map(|end| tests.join(format!("{run}.{end}.strace"))).to_vec()
    });
    let runs = std::fs::read_dir(tests.join("../../../docs/src/playground/runs")).unwrap();
    let runs = runs.map(|file| vec![file.unwrap().path()]).chain(pairs);
    let mut ends = 0;
    for files in runs {
        let events = files.iter().flat_map(|file| read_trace(file).unwrap().events);
        for connection in connections(&events.collect::<Vec<_>>(), &[]) {
            let told = told(&connection);
            let place = |call: String| told.iter().position(|told| *told == call);
            for (one, other) in [("client", "server"), ("server", "client")] {
                let ending = place(format!("{other} shutdown"));
                let ending = ending.or_else(|| place(format!("{other} close")));
                if let (Some(end), Some(ending)) = (place(format!("{one} recv")), ending) {
                    assert!(ending < end, "{files:?}: {told:#?}");
                    ends += 1;
                }
            }
        }
    }
    assert!(ends > 8, "{ends}");
}

#[test]
fn connections_of_the_same_addresses_are_told_apart_by_their_order() {
    let unix = |call, pid, conn, t_us, [local, peer]: [&str; 2]| Event {
        t_us,
        ..runs::begin(call, pid, conn, local, peer)
    };
    let (client, server) = (["unnamed", "/s"], ["/s", "unnamed"]);
    let clients = [unix("connect", 1, 1, 30, client), unix("connect", 1, 2, 70, client)];
    let servers = [unix("accept", 2, 1, 10, server), unix("accept", 2, 2, 40, server)];
    let page = page("Two", &[], &[("client", clients.to_vec()), ("server", servers.to_vec())]);
    let times: Vec<u64> = data(&page)["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["t"].as_u64().unwrap())
        .collect();
    assert_eq!(times, [20, 0, 60, 30]);
}

#[test]
fn a_note_is_told_with_its_recv_and_is_no_step() {
    let mut connection = question(0, 0);
    let text = Some("printed as the answer to `echo two`".to_owned());
    connection.client.push(Event {
        t_us: 410,
        pid: 1,
        conn: 1,
        call: "note".into(),
        text,
        ..Event::default()
    });
    assert_eq!(told(&connection), CAUSES_FIRST);
    let stream = connection.stream(Direction::ToClient).unwrap();
    let data = data(&page("Notes", &[stream], &connection.parties()));
    let said = "recv 1: 4 bytes = message 1 \"two\\n\" → printed as the answer to `echo two`";
    assert_eq!(data["steps"][5]["says"], said);
    assert_eq!(data["pictures"][0]["words"], serde_json::json!([said]));
}
