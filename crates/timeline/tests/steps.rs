//! Ladders and levels: the pictures of recorded runs (`scripts/record.sh` records new ones), and what must be true of each.
//!
//! | claim | test |
//! |---|---|
//! | the pictures in the book are drawn from the recordings | `the_pictures_are_the_files` |
//! | the order of a connection, and which call caused which segment | `a_connection_step_by_step` |
//! | what was held back, and for how long | `what_was_held_back_is_said` |
//! | no text runs out of its picture or over another | `every_text_has_its_place` |
//! | what can't be drawn is refused | `what_is_no_table_or_no_ladder_is_refused` |
//! | impossible numbers in a recording: no panic, and a drawing | `numbers_that_cannot_be_are_drawn_somehow` |
//! | other people's text, including Chinese, is escaped and fits | `text_of_others_is_escaped_and_fits` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use roxmltree::Document;
use std::path::{Path, PathBuf};
use timeline::{Connection, Ladder, Levels, connections, in_time, read_trace};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The connection of a recorded run, and everything that its programs did.
fn seen(name: &str) -> (Connection, Vec<Event>) {
    let read = |end: &str| read_trace(&file(&format!("ladder/{name}.{end}"))).unwrap().events;
    let ends = [read("client.strace"), read("server.strace")].concat();
    (connections(&ends, &read("wire.trace")).remove(0), ends)
}

fn ladder(name: &str, exchange: Option<usize>) -> Ladder {
    let (connection, ends) = seen(name);
    Ladder::new(&connection, &ends, exchange).unwrap()
}

fn levels(name: &str) -> Levels {
    Levels::read(&std::fs::read_to_string(file(&format!("levels/{name}.txt"))).unwrap()).unwrap()
}

fn pictures() -> [(&'static str, String); 4] {
    let stall = ["two-writes", "one-write"].map(|name| ladder(name, Some(3)));
    let title = "A connection, call by call and segment by segment";
    [
        ("handshake", ladder("handshake", None).svg(title)),
        ("stall", in_time("Calls and segments over time", &stall)),
        ("buffers", levels("buffers").svg()),
        ("accept-queue", levels("accept-queue").svg()),
    ]
}

#[test]
fn the_pictures_are_the_files() {
    for (name, drawn) in pictures() {
        let path = file("../../../docs/src/pictures").join(name).with_extension("svg");
        let shown = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            drawn == shown,
            "{name} is drawn differently: run scripts/pictures.sh, and look at it"
        );
    }
}

/// The connection is the same in every run of the programs; only the times differ.
#[test]
fn a_connection_step_by_step() {
    let text = ladder("handshake", None).text();
    let rows: Vec<&str> = text.lines().map(|line| line.get(14..).unwrap_or_default()).collect();
    assert_eq!(
        rows.join("\n"),
        "   client                                      server
           │                                │  socket
           │                                │  bind
           │                                │  listen
           │                                │  accept
   socket  │                                │
  connect  │───────────── SYN ─────────────▶│
  returns  │◀─────────── SYN ACK ───────────│
           │───────────── ACK ─────────────▶│  returns
   send 5  │─────────── \"hello\" ───────────▶│
           │◀───────────── ACK ─────────────│
     recv  │                                │
           │                                │  recv 5
      = 2  │◀──────────── \"hi\" ─────────────│  send 2
           │───────────── ACK ─────────────▶│
     recv  │                                │
= 0 (end)  │◀─────────── FIN ACK ───────────│  shutdown
    close  │─────────── FIN ACK ───────────▶│
           │◀───────────── ACK ─────────────│
           │                                │  recv 0 (end)
           │                                │  close"
    );
}

#[test]
fn what_was_held_back_is_said() {
    let words = |name: &str| {
        let drawn = in_time("an exchange", &[ladder(name, Some(3))]);
        let xml = Document::parse(&drawn).unwrap();
        let words = xml.descendants().filter(|node| node.attribute("class") == Some("caption odd"));
        words.map(|node| node.text().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let held = words("two-writes");
    assert!(held[0].starts_with("no ACK: 4") && held[1] == "3 bytes wait", "{held:?}");
    assert_eq!(words("one-write"), [""; 0]);
}

#[test]
fn every_text_has_its_place() {
    for (name, drawn) in pictures() {
        let xml = Document::parse(&drawn).unwrap();
        let root = xml.root_element();
        let size = |name: &str| root.attribute(name).unwrap().parse::<usize>().unwrap();
        let number = |node: roxmltree::Node<'_, '_>, name: &str| -> usize {
            node.attribute(name).unwrap().parse().unwrap()
        };
        let texts = xml.descendants().filter(|node| node.has_tag_name("text"));
        let places: Vec<[usize; 4]> = texts
            .map(|node| {
                let (x, y) = (number(node, "x"), number(node, "y"));
                [x, x + number(node, "textLength"), y - 10, y + 2]
            })
            .collect();
        for (index, [left, right, top, bottom]) in places.iter().enumerate() {
            assert!(
                *left >= 8 && right + 8 <= size("width") && bottom + 4 <= size("height"),
                "{name}"
            );
            for [from, to, above, below] in &places[..index] {
                let apart = right <= from || to <= left || bottom <= above || below <= top;
                assert!(apart, "{name}: two texts at {left} {bottom}");
            }
        }
        // The smallest letters are 11.6 pixels high; scaled to a column of 500 pixels, they still have almost ten.
        assert!(size("width") <= 592, "{name}");
        for said in ["title", "desc"] {
            let words = xml.descendants().find(|node| node.has_tag_name(said)).unwrap();
            assert!(words.text().is_some_and(|words| words.len() > 20), "{name}: {said}");
        }
    }
}

#[test]
fn what_is_no_table_or_no_ladder_is_refused() {
    let table = |text: &str| Levels::read(text).is_some();
    assert!(table("# t\nbytes after | a | b\nsend | 1 | 0\n"));
    assert!(table("# t\nclients after | a\nconnect | 1 2 3\naccept |\n"));
    for text in [
        "",
        "# t",
        "# t\n",
        "bytes after | a\nsend | 1\n",
        "# t\nbytes after\nsend\n",
        "# t\nbytes after | a\n",
        "# t\nbytes after | a\nsend | 1 | 2\n",
        "# t\nbytes after | a\nsend | many\n",
        "# t\nbytes after | a\nsend | 99999999999999999999\n",
        "# t\nbytes after | a | b | c | d | e\nsend | 1 | 1 | 1 | 1 | 1\n",
        "# t\nclients after | a\nconnect | 100\n",
    ] {
        assert!(!table(text), "{text:?}");
    }
    let (connection, ends) = seen("two-writes");
    let exchange = |number| Ladder::new(&connection, &ends, Some(number)).is_some();
    assert!([1, 4].into_iter().all(exchange) && ![0, 5].into_iter().any(exchange));
    let unseen = Connection { segments: Vec::new(), ..connection };
    assert!(Ladder::new(&unseen, &ends, None).is_none());
}

#[test]
fn text_of_others_is_escaped_and_fits() {
    let (mut connection, ends) = seen("handshake");
    for text in
        ["<script>&\u{1b}", "粘包没有包也就无所谓粘所以这里很长很长", "e\u{301}\u{202e}\u{ffff}"]
    {
        for segment in &mut connection.segments {
            segment.data = segment.data.as_ref().map(|_| text.as_bytes().to_vec());
        }
        let drawn = Ladder::new(&connection, &ends, None).unwrap().svg(text);
        Document::parse(&drawn).unwrap();
        assert!(!drawn.contains("<script>") && !drawn.contains('\u{1b}'), "{drawn}");
        let table = format!("# {text}\n{text} | {text}\n{text} | {text}\n");
        if let Some(levels) = Levels::read(&table) {
            Document::parse(&levels.svg()).unwrap();
        }
    }
}

/// Whatever the recordings say: no panic, and a drawing that ends.
#[test]
fn numbers_that_cannot_be_are_drawn_somehow() {
    let (connection, ends) = seen("two-writes");
    for number in [0, 1, 1 << 40, u64::MAX / 2, u64::MAX] {
        let changes: [fn(&mut Event, u64); 6] = [
            |event, number| event.t_us = number,
            |event, number| event.began_us = Some(number),
            |event, number| event.offset = Some(number),
            |event, number| event.got = Some(number),
            |event, number| (event.call, event.got) = ("recv".repeat(9), Some(number)),
            |event, _| event.data = None,
        ];
        for change in changes {
            for at in 0..6 {
                let mut connection = connection.clone();
                let Connection { client, server, segments, .. } = &mut connection;
                for events in [client, server, segments] {
                    change(&mut events[at], number);
                }
                if let Some(ladder) = Ladder::new(&connection, &ends, None) {
                    let drawn = [
                        ladder.svg("a"),
                        in_time("b", std::slice::from_ref(&ladder)),
                        ladder.text(),
                    ];
                    assert!(drawn.iter().all(|drawn| drawn.len() < 100_000));
                }
            }
        }
    }
}
