//! The picture as a page that steps through the run: one file, which needs no network and no server.
//!
//! The page draws the shapes of [`Picture`](crate::picture::Picture) and nothing else. All its text comes as JSON, and
//! the page shows it as text, never as markup.

use crate::bytes;
use crate::calls::{Call, CallKey, Socket};
use crate::order::in_order;
use crate::picture::WIDTH;
use crate::sentences;
use crate::stream::Stream;
use crate::svg::{DARK, LIGHT, escape_xml};
use event::Event;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

const PAGE: &str = include_str!("page/page.html");
/// The elements in which a run is shown. `page/steps.js` fills them with what [`steps_json`] returns.
pub const STEPS_HTML: &str = include_str!("page/layout.html");
/// Their style, without the colours: those are [`LIGHT`] or [`DARK`].
pub const STEPS_CSS: &str =
    concat!(include_str!("page/picture.css"), include_str!("page/steps.css"));
const STYLE: &str = include_str!("page/page.css");
const SCRIPTS: [&str; 2] = [include_str!("page/steps.js"), include_str!("page/page.js")];

/// How many bytes go into the page for all calls together; each call gets at least a few.
const BYTES: usize = 1 << 20;
const FEWEST: usize = 32;
const MOST: usize = 512;

/// The calls that the page steps through.
const CALLS: [&str; 11] = [
    "bind", "listen", "accept", "connect", "send", "recv", "sendto", "recvfrom", "shutdown",
    "close", "segment",
];

/// A page that steps through a run. It draws the `streams`, and it steps through the events of the `parties`, each given
/// with its name: in the order of time, but causes before their effects. No `accept` comes before its `connect`, and no
/// `recv` before the `send` of its last byte or, if it returned 0, before the `shutdown` or `close` that ended the stream.
///
/// Pass the events that the streams were made from. A call that is in no stream is a step without a box. A note is shown
/// with its `recv`; calls that we don't know are left out.
pub fn page(title: &str, streams: &[Stream], parties: &[(&str, Vec<Event>)]) -> String {
    let data = steps_json(streams, parties, WIDTH);
    let style = format!(
        ":root {{\n{LIGHT}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{DARK}}} }}\n\
         :root[data-theme=light] {{\n{LIGHT}}}\n:root[data-theme=dark] {{\n{DARK}}}\n{STEPS_CSS}{STYLE}"
    );
    // Each placeholder has a `<`, and neither the escaped title nor the JSON can contain one: nobody can smuggle in a
    // `</script>`.
    let title = escape_xml(&columns::visible(title));
    PAGE.replace("<!--title-->", &title.replace('`', ""))
        .replace("<!--heading-->", &code_spans(&title))
        .replace("<!--style-->", &style)
        .replace("<!--layout-->", STEPS_HTML)
        .replace("<!--script-->", &SCRIPTS.concat())
        .replace("<!--data-->", &data.to_string().replace('<', "\\u003c"))
}

/// What a page needs to step through the run, for `page/steps.js`: its steps, and its pictures, at most `width` pixels wide
/// (from 340 to [`WIDTH`] are possible).
pub fn steps_json(streams: &[Stream], parties: &[(&str, Vec<Event>)], width: usize) -> Value {
    let (parties, timed) = on_one_clock(parties);
    let (steps, places) = steps(streams, &parties, timed);
    let pictures: Vec<Value> =
        (0..).zip(streams).map(|(at, it)| picture(at, it, width, &places)).collect();
    let names: Vec<String> = parties.iter().map(|(name, _)| columns::visible(name)).collect();
    json!({ "parties": names, "pictures": pictures, "steps": steps })
}

/// Somebody's name, and all that they recorded.
type Party<'a> = (&'a str, Vec<Event>);

/// A time from here on counts from 1970, as in strace's recordings; a smaller one is of the machine's monotonic clock.
const SINCE_1970: u64 = 1_000_000_000_000_000;

/// The recordings, and whether their times can be compared. If some count from 1970 and some don't, both are shifted to
/// begin at the same moment: causes still come before effects, but there are no times to show.
fn on_one_clock<'a>(parties: &'a [Party<'a>]) -> (Cow<'a, [Party<'a>]>, bool) {
    let times = || parties.iter().flat_map(|(_, events)| events).map(|event| event.t_us);
    let own = times().filter(|time| *time < SINCE_1970).min();
    let since_1970 = times().filter(|time| *time >= SINCE_1970).min();
    let (Some(own), Some(since_1970)) = (own, since_1970) else {
        return (Cow::Borrowed(parties), true);
    };
    let mut parties = parties.to_vec();
    let events = parties.iter_mut().flat_map(|(_, events)| events);
    for event in events.filter(|event| event.t_us >= SINCE_1970) {
        event.t_us = event.t_us - since_1970 + own;
    }
    (Cow::Owned(parties), false)
}

/// Text between two backticks becomes code.
fn code_spans(escaped: &str) -> String {
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped.to_owned();
    }
    let code = |(index, part): (usize, &&str)| match index % 2 {
        0 => (*part).to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    parts.iter().enumerate().map(code).collect()
}

/// All calls in the order of time, and which step each is.
fn steps<'a>(
    streams: &[Stream],
    parties: &'a [(&str, Vec<Event>)],
    timed: bool,
) -> (Vec<Value>, HashMap<CallKey<'a>, usize>) {
    let mut all: Vec<(usize, CallKey, &Event)> = Vec::new();
    let mut counts: HashMap<(&str, Socket), usize> = HashMap::new();
    for (who, (_, events)) in parties.iter().enumerate() {
        for event in events.iter().filter(|event| CALLS.contains(&event.call.as_str())) {
            let (name, socket) = (event.call.as_str(), (event.pid, event.conn, event.dir.clone()));
            let number = counts.entry((name, socket.clone())).or_default();
            *number += 1;
            all.push((who, (name, socket, *number), event));
        }
    }
    let all = in_order(all, streams);
    let first = all.iter().map(|(_, _, event)| event.t_us).min().unwrap_or(0);
    let shown = (BYTES / all.len().max(1)).clamp(FEWEST, MOST);

    let mut calls = HashMap::new();
    for (picture, stream) in streams.iter().enumerate() {
        for (index, lane) in stream.lanes().into_iter().enumerate() {
            for call in lane.calls {
                let says = sentences::about_call(stream, &lane, call);
                calls.insert(
                    (lane.call, call.socket.clone(), call.number),
                    (picture, index, call.end(), says),
                );
            }
        }
    }
    let places = all.iter().enumerate().map(|(step, (_, key, _))| (key.clone(), step)).collect();
    let step = |(who, key, event): (usize, CallKey, &Event)| {
        let mut step = Map::new();
        if timed {
            step.insert("t".into(), json!(event.t_us - first));
        }
        step.insert("who".into(), json!(who));
        step.insert("call".into(), json!(columns::visible(&event.call)));
        for (name, value) in [("asked", event.asked), ("got", event.got), ("at", event.offset)] {
            value.and_then(|value| step.insert(name.into(), json!(value)));
        }
        let texts = [("error", &event.error), ("local", &event.local), ("peer", &event.peer)];
        for (name, value) in texts {
            let value = value.as_ref().map(|value| columns::visible(value));
            value.and_then(|value| step.insert(name.into(), json!(value)));
        }
        if let Some(data) = event.data.as_deref().filter(|data| !data.is_empty()) {
            let hex: String = data.iter().take(shown).map(|byte| format!("{byte:02x}")).collect();
            step.insert("hex".into(), json!(hex));
            step.insert("shown".into(), json!(bytes::listed(data)));
        }
        if let Some((picture, lane, end, says)) = calls.get(&key) {
            step.insert("in".into(), json!([picture, lane]));
            step.insert("end".into(), json!(end));
            step.insert("says".into(), json!(says));
        }
        Value::Object(step)
    };
    (all.into_iter().map(step).collect(), places)
}

fn picture(at: usize, stream: &Stream, width: usize, places: &HashMap<CallKey, usize>) -> Value {
    let drawn = stream.picture(width);
    let lanes: Vec<Value> = stream
        .lanes()
        .iter()
        .map(|lane| {
            let step = |call: &Call| places.get(&(lane.call, call.socket.clone(), call.number));
            let steps: Vec<Option<&usize>> = lane.calls.iter().map(step).collect();
            json!({ "name": sentences::lane_name(lane.side, lane.call), "steps": steps })
        })
        .collect();
    // From this step on, nothing more arrives.
    let closed = stream.recvs.last().and_then(|recv| {
        let (pid, conn, _) = &recv.socket;
        let close = |(call, socket, _): &&CallKey| {
            *call == "close" && (socket.0, socket.1) == (*pid, *conn)
        };
        places.keys().find(close).map(|key| places[key])
    });
    let rows: Vec<_> = drawn.rows.iter().map(|row| &row.shapes).collect();
    json!({
        "name": stream.name(),
        "recorded": stream.recorded,
        "datagrams": stream.datagrams,
        "closed": closed,
        "lanes": lanes,
        "height": drawn.height,
        "rows": rows,
        "notes": sentences::unrecorded(stream),
        "words": sentences::about_stream(stream),
        "id": at,
    })
}
