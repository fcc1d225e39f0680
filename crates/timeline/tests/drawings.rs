//! The SVG: the pictures of a few runs as files, and what must be true of every picture.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod runs;

use observe::Event;
use roxmltree::{Document, Node};
use runs::{moved, run};
use std::path::Path;
use std::time::{Duration, Instant};
use timeline::{Direction, Message, Stream, connections};

fn stream(sends: &[&[u8]], relay: Option<&[usize]>, takes: &[usize]) -> Stream {
    let run = run(sends, relay, takes);
    let ends = [run.client, run.server].concat();
    connections(&ends, &run.relay)[0].stream(Direction::ToServer).unwrap()
}

fn nodes<'a>(xml: &'a Document<'a>, class: &str) -> Vec<Node<'a, 'a>> {
    xml.descendants().filter(|node| node.attribute("class") == Some(class)).collect()
}

fn texts(xml: &Document<'_>, class: &str) -> Vec<String> {
    nodes(xml, class).iter().map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// Compares a picture with the file of its name. `REWRITE=1` writes the file instead.
#[track_caller]
fn check(name: &str, title: &str, stream: &Stream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let drawn = stream.svg(title);
    Document::parse(&drawn).unwrap();
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == expected,
        "{name} is drawn differently; look at it after REWRITE=1 cargo test -p timeline"
    );
}

#[test]
fn the_pictures_are_the_files() {
    check("case1.svg", "Case 1", &stream(&[b"hello", b"hi"], None, &[100]));
    check("case2.svg", "Case 2", &stream(&[b"hello", b"hi"], None, &[2, 5]));
    check("relay.svg", "Behind a relay", &stream(&[b"hello", b"hi"], Some(&[2, 4, 1]), &[3, 100]));
    let framed = [b"\x05\0\0\0hello".as_slice(), "\x06\0\0\0你好".as_bytes()];
    let messages = [Message::framed("request 1", 4, 5), Message::framed("request 2", 4, 6)];
    let framed = stream(&framed, None, &[4, 5, 5, 100]).with_messages(&messages);
    check("framed.svg", "Two framed requests", &framed);
}

/// A cross for a call that failed, a dot for one that would have had to wait; several at one place share one mark.
#[test]
fn where_a_call_failed_there_is_a_mark() {
    let marks = |errors: &[&str]| {
        let mut run = run(&[b"hello"], None, &[2, 3]);
        let last = run.server.last().unwrap().clone();
        run.server.extend(errors.iter().map(|error| Event {
            got: None,
            data: None,
            offset: Some(5),
            error: Some((*error).to_owned()),
            ..last.clone()
        }));
        let stream = connections(&[run.client, run.server].concat(), &[])[0]
            .stream(Direction::ToServer)
            .unwrap();
        let drawn = stream.svg("a picture");
        let xml = Document::parse(&drawn).unwrap();
        // Each is in the legend, too.
        (nodes(&xml, "mark").len(), nodes(&xml, "mark idle").len())
    };
    assert_eq!(marks(&[]), (0, 0));
    assert_eq!(marks(&["EAGAIN (Resource temporarily unavailable)"]), (0, 2));
    assert_eq!(marks(&["ECONNRESET (Connection reset by peer)"]), (2, 0));
    assert_eq!(marks(&["EAGAIN (x)", "EAGAIN (x)", "EPIPE (x)", "EPIPE (x)"]), (2, 2));
}

#[test]
fn a_box_that_glues_or_cuts_says_so() {
    let odd = |takes: &[usize]| {
        let drawn = stream(&[b"hello", b"hi"], None, takes).svg("a picture");
        let xml = Document::parse(&drawn).unwrap();
        let words = texts(&xml, "caption odd");
        assert_eq!(words.len(), nodes(&xml, "box odd").len(), "{drawn}");
        words
    };
    assert_eq!(odd(&[5, 2]), [""; 0]);
    assert_eq!(odd(&[100]), ["1: 7 bytes = 2 messages glued"]);
    assert_eq!(odd(&[2, 5]), ["1: 2 of 5 bytes", "2: 5 bytes = 3 of 5 + 2, glued"]);
    assert_eq!(odd(&[4, 1, 2]), ["1: 4 of 5 bytes", "2: 1 of 5 bytes"]);
}

#[test]
fn a_part_of_a_framed_message_is_no_alarm() {
    let messages = [Message::framed("request 1", 4, 5), Message::framed("request 2", 4, 2)];
    let sends = [b"\x05\0\0\0hello".as_slice(), b"\x02\0\0\0hi"];
    let fewer = stream(&sends, None, &[6, 4, 5]).with_messages(&messages);
    let stream = stream(&sends, None, &[1, 3, 2, 4, 5]).with_messages(&messages);
    let drawn = stream.svg("a picture");
    let xml = Document::parse(&drawn).unwrap();
    // A box that goes on in the next row has its words in both rows.
    let boxes = |kind: &str| {
        let words = texts(&xml, &format!("caption {kind}"));
        assert_eq!(words.len(), nodes(&xml, &format!("box {kind}")).len(), "{drawn}");
        words.chunk_by(|one, next| one.split(':').next() == next.split(':').next()).count()
    };
    assert_eq!((boxes("partial"), boxes("odd")), (4, 1), "{drawn}");
    assert_eq!(texts(&xml, "caption partial")[0], "1: 1 of 9 bytes");
    // There is room everywhere to say "glued"; there is room to say which parts only where the box is in one row.
    assert_eq!(texts(&xml, "caption odd"), ["4: 2 glued"; 2]);
    let fewer = fewer.svg("a picture");
    let words = texts(&Document::parse(&fewer).unwrap(), "caption odd");
    assert_eq!(words, ["2: 4 bytes = 3 of 9 + 1 of 6, glued"]);
    let legend = texts(&xml, "key");
    assert!(legend[0].starts_with("framing: fainter"), "{legend:?}");
    assert!(legend[1].starts_with("part of") && legend[2].starts_with("mixes"), "{legend:?}");
}

#[test]
fn where_the_framing_ends_a_reader_may_stop() {
    let messages = [Message::framed("request 1", 4, 5)];
    let stream = stream(&[b"\x05\0\0\0hello"], None, &[4, 5]).with_messages(&messages);
    let drawn = stream.svg("a picture");
    let xml = Document::parse(&drawn).unwrap();
    assert_eq!(nodes(&xml, "box odd").len(), 0);
    assert_eq!(texts(&xml, "hex"), ["05 00 00 00"; 2]);
    assert_eq!((nodes(&xml, "f0").len(), texts(&xml, "bytes")), (2, vec!["hello".to_owned(); 2]));
    let captions = texts(&xml, "caption");
    assert!(captions.contains(&"1: framing, 4 bytes".to_owned()), "{captions:?}");
}

#[test]
fn a_screen_reader_hears_what_is_drawn() {
    let drawn = stream(&[b"hello", b"hi"], None, &[2, 5]).svg("Case <2> & \u{1} more");
    let xml = Document::parse(&drawn).unwrap();
    let svg = xml.root_element();
    assert_eq!(svg.attribute("role"), Some("img"));
    let labelled: Vec<&str> = svg.attribute("aria-labelledby").unwrap().split(' ').collect();
    let by_id = |id: &str| xml.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    let said: Vec<&str> = labelled.iter().map(|id| by_id(id).text().unwrap()).collect();
    assert_eq!(said[0], "Case <2> & \\u{1} more");
    assert!(said[1].contains("client send, server recv"), "{}", said[1]);
    assert!(said[1].contains("recv 2: 5 bytes = the last 3 of 5 bytes"), "{}", said[1]);
}

#[test]
fn nothing_depends_on_time_process_or_port() {
    let one = run(&[b"hello", b"hi"], Some(&[3, 4]), &[2, 5]);
    let mut other = run(&[b"hello", b"hi"], Some(&[3, 4]), &[2, 5]);
    for event in other.client.iter_mut().chain(&mut other.relay).chain(&mut other.server) {
        event.t_us = event.t_us * 3 + 77;
        event.pid += 1000;
        event.conn += 5;
        for address in [&mut event.local, &mut event.peer].into_iter().flatten() {
            *address = address.replace("127.0.0.1:5", "127.0.0.1:4");
        }
    }
    let [one, other] = [one, other].map(|run| {
        let ends = [run.client, run.server].concat();
        connections(&ends, &run.relay)[0].stream(Direction::ToServer).unwrap().svg("a picture")
    });
    assert_eq!(one, other);
}

fn width(xml: &Document<'_>) -> usize {
    xml.root_element().attribute("width").unwrap().parse().unwrap()
}

/// The left and right ends of a box's filling.
fn sides(rect: &Node<'_, '_>) -> [(i64, i64, i64); 2] {
    let [x, y, width, height] = ["x", "y", "width", "height"]
        .map(|name| rect.attribute(name).unwrap().parse::<i64>().unwrap());
    [(x, y, y + height), (x + width, y, y + height)]
}

/// The vertical lines of a path such as `M78 44H170V88H78Z` or `M104 44v24`: at which x, from which y to which.
fn verticals(path: &str) -> Vec<(i64, i64, i64)> {
    let (mut lines, mut start, mut at) = (Vec::new(), (0, 0), (0, 0));
    for (index, command) in path.char_indices().filter(|(_, char)| char.is_ascii_alphabetic()) {
        let rest = &path[index + 1..];
        let numbers = rest.split(|char: char| char.is_ascii_alphabetic()).next().unwrap();
        let numbers: Vec<i64> =
            numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let to = match (command, numbers.as_slice()) {
            ('M', [x, y]) => (*x, *y),
            ('H', [x]) => (*x, at.1),
            ('V', [y]) => (at.0, *y),
            ('v', [y]) => (at.0, at.1 + y),
            ('Z', []) => start,
            other => unreachable!("{other:?} in {path}"),
        };
        match command {
            'M' => start = to,
            _ if to.0 == at.0 => lines.push((to.0, at.1.min(to.1), at.1.max(to.1))),
            _ => {}
        }
        at = to;
    }
    lines
}

/// No line of a box, edge of a colour or other label of the row runs through it, and it stays within the row.
#[track_caller]
fn no_label_is_crossed(xml: &Document<'_>) {
    let number = |node: &Node<'_, '_>, name| node.attribute(name).unwrap().parse::<i64>().unwrap();
    for row in xml.descendants().filter(|node| node.attribute("transform").is_some()) {
        let paths = row.descendants().filter_map(|node| node.attribute("d"));
        let lines: Vec<(i64, i64, i64)> = paths.flat_map(verticals).collect();
        let fillings = row.descendants().filter(|node| node.has_tag_name("rect"));
        let lines: Vec<_> =
            lines.into_iter().chain(fillings.flat_map(|rect| sides(&rect))).collect();
        assert!(!lines.is_empty());
        let labels: Vec<_> = row.descendants().filter(|node| node.has_tag_name("text")).collect();
        // The letters are at most 13.3 pixels high, and a fifth of that is below the baseline.
        let place = |label: &Node<'_, '_>| {
            let (x, y) = (number(label, "x"), number(label, "y"));
            (x, x + number(label, "textLength"), y - 10, y + 3)
        };
        let mut last: Option<(i64, i64, i64, i64)> = None;
        for label in labels {
            let here @ (left, right, top, bottom) = place(&label);
            let crossing = lines
                .iter()
                .find(|(x, from, to)| left <= *x && *x <= right && *from < bottom && top < *to);
            assert!(crossing.is_none(), "{crossing:?} crosses {:?}", label.text());
            let beside = |last: &(i64, i64, i64, i64)| last.3 != bottom || last.1 <= left;
            assert!(last.as_ref().is_none_or(beside), "{last:?} runs into {:?}", label.text());
            last = Some(here);
        }
    }
}

#[test]
fn no_label_of_the_usual_pictures_is_crossed() {
    let prefix = b"\x05\0\0\0hello".as_slice();
    for take in 1..12 {
        let plain = stream(&[b"hello", b"hi"], None, &[take; 20]);
        let framed = stream(&[prefix, prefix], Some(&[take; 20]), &[4, 5, 3]).with_messages(&[
            Message::framed("the first request", 4, 5),
            Message::framed("2", 4, 5),
        ]);
        for stream in [plain, framed] {
            no_label_is_crossed(&Document::parse(&stream.svg("a picture")).unwrap());
        }
    }
    // Offsets of many digits come close to the word before them, and are moved to the right.
    let megabytes = vec![b'x'; 12_345_678];
    let drawn = stream(&[&megabytes, b"hello"], None, &[12_000_000, 340_000]).svg("a picture");
    let xml = Document::parse(&drawn).unwrap();
    no_label_is_crossed(&xml);
    // Both where a row ends and where the next one begins.
    let offsets = texts(&xml, "offset");
    assert_eq!(offsets.iter().filter(|offset| *offset == "12340000").count(), 2, "{offsets:?}");
}

#[test]
fn letters_can_be_read_in_a_column_of_500_pixels() {
    let long = b"this is a long message, of which each recv takes twenty bytes".as_slice();
    for sends in [&[b"hello".as_slice(), b"hi"][..], &[long, long, long]] {
        let drawn = stream(sends, Some(&[30; 9]), &[20; 20]).svg("a picture");
        let xml = Document::parse(&drawn).unwrap();
        let sizes = drawn
            .split("font-size: ")
            .skip(1)
            .map(|rest| rest.split_once("px").unwrap().0.parse::<f64>().unwrap());
        let shown = sizes.fold(f64::MAX, f64::min) * (500.0 / width(&xml) as f64).min(1.0);
        assert!(shown >= 9.5, "{shown} px");
    }
}

#[test]
fn a_picture_is_as_wide_as_what_is_drawn() {
    let sizes =
        [&[b"h".as_slice()][..], &[b"hello", b"hi"], &[&[b'x'; 40], &[b'y'; 40]]].map(|sends| {
            let drawn = stream(sends, None, &[3; 40]).svg("a picture");
            let xml = Document::parse(&drawn).unwrap();
            let right =
                xml.descendants().filter(|node| node.has_tag_name("rect")).filter_map(|rect| {
                    let number = |name| rect.attribute(name)?.parse::<usize>().ok();
                    Some(number("x")? + number("width")?)
                });
            let right = right.max().unwrap();
            assert!(width(&xml) == 420 && right <= 404 || width(&xml) <= right + 40, "{drawn}");
            width(&xml)
        });
    assert!(sizes.is_sorted() && sizes[0] == 420 && sizes[2] > 500, "{sizes:?}");
}

/// Each byte alone, and text that XML cannot hold or would read as markup.
#[test]
fn every_picture_is_xml_and_stays_within_its_width() {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let wide = "你好，世界！🙂".repeat(40);
    let odd = "</text>]]><!-- & \" ' \u{fffe}\u{ffff}\u{85}\u{2028}\u{202e}\u{200b}\u{0}";
    for bytes in [all.as_slice(), wide.as_bytes(), odd.as_bytes(), b"", b"  a   b  "] {
        for take in [1, 3, 7, 64, 1000] {
            let drawn = stream(&[bytes, b"x"], None, &[take; 400]).svg(odd);
            let xml = Document::parse(&drawn).unwrap_or_else(|error| panic!("{error}\n{drawn}"));
            for text in xml.descendants().filter(|node| node.has_tag_name("text")) {
                let number = |name| text.attribute(name).unwrap().parse::<usize>().unwrap();
                assert!(number("x") + number("textLength") <= width(&xml), "{text:?}");
            }
            assert!(width(&xml) <= 860);
            no_label_is_crossed(&xml);
            assert_eq!(texts(&xml, "unknown").len(), 0);
        }
    }
}

#[test]
fn a_name_that_does_not_fit_gives_way_to_a_number() {
    let named = |name: &str| {
        let stream = stream(&[b"hello"], None, &[5]).with_messages(&[Message::new(name, 5)]);
        texts(&Document::parse(&stream.svg("a picture")).unwrap(), "name")
    };
    assert_eq!(named("the first answer"), ["the first answer"]);
    assert_eq!(named(&"a very long name ".repeat(20)), ["1"]);
}

#[test]
fn what_was_not_recorded_is_not_drawn_and_the_picture_says_so() {
    let run = run(&[b"hello"], None, &[2, 3]);
    let alone = Stream::from_events(&run.client, &[]).unwrap().between("client", "server");
    let drawn = alone.svg("a picture");
    let xml = Document::parse(&drawn).unwrap();
    assert_eq!(texts(&xml, "side"), ["client"]);
    assert_eq!(texts(&xml, "word"), ["what the server received was not recorded"]);

    let nothing = Stream::from_events(&[], &[]).unwrap().svg("nothing");
    assert!(nothing.contains("No bytes were recorded"), "{nothing}");
    Document::parse(&nothing).unwrap();
}

#[test]
fn what_travelled_again_is_marked() {
    let run = run(&[b"hello", b"hi"], None, &[100]);
    let mut segments = moved("segment", 0, 1, b"hellohi", &[5, 2], 0);
    segments.push(segments[0].clone());
    let stream =
        Stream::from_events(&run.client, &run.server).unwrap().via("wire", &segments).unwrap();
    let drawn = stream.svg("a picture");
    let xml = Document::parse(&drawn).unwrap();
    assert!(texts(&xml, "caption").contains(&"1: 5 bytes, sent again".to_owned()), "{drawn}");
    let sentence = "wire segment 3: 5 bytes from offset 0 on, sent again";
    assert!(texts(&xml, "word").contains(&sentence.to_owned()), "{drawn}");
}

#[test]
fn a_long_run_is_shortened() {
    let message = [b'x'; 100].as_slice();
    let stream = stream(&[message; 100], Some(&[7; 2000]), &[1]);
    let begun = Instant::now();
    let drawn = stream.svg("10,000 recvs");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(drawn.len() < 300_000, "{} bytes", drawn.len());
    let xml = Document::parse(&drawn).unwrap();
    assert!(texts(&xml, "word").iter().any(|words| words.ends_with("are left out here)")));
}

#[test]
fn two_streams_between_the_same_two_are_told_apart() {
    let direct = stream(&[b"hello"], None, &[5]).called("direct");
    let cut = stream(&[b"hello"], Some(&[1]), &[5]).called("behind relay --cut 1");
    let drawn = timeline::svg("a picture", &[direct, cut]);
    let headings = texts(&Document::parse(&drawn).unwrap(), "heading");
    let expected = ["client to server, direct", "client to server, behind relay --cut 1"];
    assert_eq!(headings, expected);
}
