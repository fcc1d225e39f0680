//! Who is in the chat, and what becomes of a message.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::{Lines, MAX_LINE, Outbox};

/// How soon after one line a client's next one is heard: it may say 100 in a second. Without it, somebody who pastes a page
/// would fill the queues of all others in a few milliseconds, before they can read anything.
pub const PACE: Duration = Duration::from_millis(10);

/// Everybody in the chat, in the order of their connections.
#[derive(Debug)]
pub struct Room {
    members: Vec<Member>,
    queue: usize,
    news: Vec<String>,
}

/// One client: what has come from it, and what waits for it.
#[derive(Debug)]
pub struct Member {
    /// Its first line that is a name.
    name: Option<String>,
    /// When its next line is heard, if it's there by then.
    next: Instant,
    /// What it has said.
    pub lines: Lines,
    /// What it hasn't read.
    pub outbox: Outbox,
    /// Why its connection is to be closed.
    pub over: Option<Over>,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// It has ended the stream.
    Left,
    /// It has ended the stream inside a line, after this many bytes of it.
    Cut(usize),
    /// The connection broke. Lines that had come and were waiting for their turn are lost.
    Broken(String),
    /// It sent a line without an end.
    TooLong,
    /// It doesn't read, and this many messages were waiting.
    Slow(usize),
}

impl Room {
    /// A room that keeps at most this many messages for each client.
    pub fn new(queue: usize) -> Room {
        Room { members: Vec::new(), queue, news: Vec::new() }
    }

    /// A new client. It has no name yet, and reads nothing until it has.
    pub fn enter(&mut self, now: Instant) {
        let (lines, outbox) = (Lines::default(), Outbox::new(self.queue));
        self.members.push(Member { name: None, next: now, lines, outbox, over: None });
    }

    /// All of them.
    pub fn members(&mut self) -> &mut [Member] {
        &mut self.members
    }

    /// When the next line is to be heard, of those that have come already.
    pub fn next_line(&self) -> Option<Instant> {
        let speakers = self.members.iter().filter(|member| member.lines.has_next());
        speakers.map(|member| member.next).min()
    }

    /// What everybody was told since the last time, apart from what they say to each other.
    pub fn news(&mut self) -> impl Iterator<Item = String> {
        self.news.drain(..)
    }

    // ANCHOR: policy
    /// Takes the next line of a client, if there is one and it's time: its name, or something for the others.
    pub fn hear(&mut self, index: usize, now: Instant) {
        let member = &mut self.members[index];
        if now < member.next {
            return;
        }
        let line = match member.lines.take() {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(_) => {
                member.give(&message("* that line is too long: goodbye"));
                return member.over = Some(Over::TooLong);
            }
        };
        member.next = now + PACE;
        if let Some(name) = &member.name {
            let text = format!("{name}: {line}");
            self.tell_others(index, &text);
        } else if is_name(&line) && !self.members.iter().any(|it| it.name.as_ref() == Some(&line)) {
            self.tell_others(index, &format!("* {line} is here"));
            let welcome = message(&self.welcome(&line));
            self.members[index].give(&welcome);
            self.members[index].name = Some(line);
        } else {
            self.members[index]
                .give(&message("* that isn't a name, or it's taken: choose another"));
        }
    }

    /// Puts a message into everybody's queue but one's. Nothing is sent here, so nobody is waited for.
    fn tell_others(&mut self, sender: usize, text: &str) {
        let message = message(text);
        for (index, member) in self.members.iter_mut().enumerate() {
            if index != sender && member.name.is_some() {
                member.give(&message);
            }
        }
        if text.starts_with('*') {
            self.news.push(text.to_owned());
        }
    }
    // ANCHOR_END: policy

    fn welcome(&self, newcomer: &str) -> String {
        let others: Vec<&str> = self.members.iter().filter_map(|it| it.name.as_deref()).collect();
        // A message has a limit, too.
        let first = others[..others.len().min(SHOWN)].join(", ");
        match others.len() {
            0 => format!("* welcome, {newcomer}: nobody else is here yet"),
            1..=SHOWN => format!("* welcome, {newcomer}: also here: {first}"),
            all => format!("* welcome, {newcomer}: also here: {first} and {} more", all - SHOWN),
        }
    }

    /// Takes out one whose connection is over, if there is one, and tells the others.
    pub fn next_to_leave(&mut self) -> Option<(usize, Member)> {
        let index = self.members.iter().position(|member| member.over.is_some())?;
        let why = self.members[index].over.clone()?;
        if let Some(name) = self.members[index].name.take() {
            self.tell_others(index, &format!("* {name} {why}"));
        }
        Some((index, self.members.swap_remove(index)))
    }
}

/// So many of the others a newcomer reads of.
const SHOWN: usize = 20;

impl Member {
    /// Its stream has ended.
    pub fn end(&mut self) {
        self.over = Some(match self.lines.rest() {
            0 => Over::Left,
            rest => Over::Cut(rest),
        });
    }

    // ANCHOR: give
    /// One more message for this client. If its queue is full, it has lost its place.
    fn give(&mut self, message: &Rc<[u8]>) {
        if self.over.is_none() && !self.outbox.push(message) {
            self.over = Some(Over::Slow(self.outbox.len()));
        }
    }
    // ANCHOR_END: give
}

/// The bytes of a message. They are there once, however many clients it waits for.
fn message(text: &str) -> Rc<[u8]> {
    format!("{text}\n").into_bytes().into()
}

/// Whether somebody may be called that: ASCII letters and digits, `-`, `_` and the common Chinese characters. So no name
/// looks like news, like none at all (U+3164 is a letter, and blank), or like one in another script (a Cyrillic а).
/// But `ann` and `Ann` are two people, and so are `l` and `I`, or 日 and 曰: a name proves nothing.
fn is_name(name: &str) -> bool {
    let chinese = '\u{4e00}'..='\u{9fff}';
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c) || chinese.contains(&c);
    (1..=20).contains(&name.chars().count()) && name.chars().all(good)
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Over::Left => f.write_str("has left"),
            Over::Cut(rest) => {
                write!(f, "is gone: the stream ended inside a line, after {rest} bytes of it")
            }
            Over::Broken(why) => write!(f, "is gone: {why}"),
            Over::TooLong => write!(f, "is disconnected: a line of more than {MAX_LINE} bytes"),
            Over::Slow(1) => {
                f.write_str("is disconnected: a message was waiting, and it didn't read")
            }
            Over::Slow(waiting) => {
                write!(f, "is disconnected: {waiting} messages were waiting, and it didn't read")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says something, and lets the room hear all of it.
    fn says(room: &mut Room, index: usize, text: &str) {
        room.members[index].lines.push(text.as_bytes());
        let mut now = Instant::now();
        while room.members[index].lines.has_next() && room.members[index].over.is_none() {
            room.hear(index, now);
            now += PACE;
        }
    }

    /// Everything that waits for a client, as if its socket took it all.
    fn reads(room: &mut Room, index: usize) -> String {
        let outbox = &mut room.members[index].outbox;
        let mut read = Vec::new();
        while let Some(next) = outbox.next() {
            let next = next.to_vec();
            outbox.sent(next.len());
            read.extend(next);
        }
        String::from_utf8(read).unwrap()
    }

    fn leaves(room: &mut Room) -> Option<(usize, Over)> {
        room.next_to_leave().map(|(index, member)| (index, member.over.unwrap()))
    }

    fn room(queue: usize, names: &[&str]) -> Room {
        let mut room = Room::new(queue);
        for (index, name) in names.iter().enumerate() {
            room.enter(Instant::now());
            says(&mut room, index, &format!("{name}\n"));
            (0..=index).for_each(|other| drop(reads(&mut room, other)));
        }
        room
    }

    #[test]
    fn what_one_says_the_others_read() {
        let mut room = room(10, &["ann", "bob"]);
        room.enter(Instant::now()); // one without a name reads nothing
        says(&mut room, 0, "hello\n\nhi\n");
        assert_eq!(reads(&mut room, 0), "");
        assert_eq!(reads(&mut room, 1), "ann: hello\nann: \nann: hi\n");
        assert_eq!(reads(&mut room, 2), "");
        says(&mut room, 2, "carol\n");
        assert_eq!(reads(&mut room, 0), "* carol is here\n");
        assert_eq!(reads(&mut room, 2), "* welcome, carol: also here: ann, bob\n");
        room.members[1].over = Some(Over::Left);
        assert_eq!(leaves(&mut room), Some((1, Over::Left)));
        assert_eq!(leaves(&mut room), None);
        assert_eq!(reads(&mut room, 0), "* bob has left\n");
        // carol has bob's place now.
        assert_eq!(reads(&mut room, 1), "* bob has left\n");
        let news: Vec<String> = room.news().collect();
        let expected = ["* ann is here", "* bob is here", "* carol is here", "* bob has left"];
        assert_eq!(news, expected);
        assert_eq!(room.news().count(), 0);
    }

    #[test]
    fn who_leaves_inside_a_line_has_said_too_little() {
        let mut room = room(10, &["ann", "bob"]);
        says(&mut room, 1, "hello\nhel");
        room.members[1].end();
        assert_eq!(leaves(&mut room), Some((1, Over::Cut(3))));
        let news = "* bob is gone: the stream ended inside a line, after 3 bytes of it\n";
        assert_eq!(reads(&mut room, 0), format!("bob: hello\n{news}"));
    }

    #[test]
    fn a_full_chat_welcomes_in_one_message() {
        let mut room = room(300, &[]);
        for number in 0..256 {
            room.enter(Instant::now());
            says(&mut room, number, &format!("{}{number:03}\n", "李".repeat(17)));
        }
        let welcome = reads(&mut room, 255);
        assert!(welcome.ends_with("019 and 235 more\n"), "{welcome}");
        assert!(welcome.len() < 2 * MAX_LINE, "{}", welcome.len());
    }

    #[test]
    fn a_full_queue_ends_its_client_and_no_other() {
        let mut room = room(3, &["ann", "bob", "carol"]);
        for number in 1..=4 {
            says(&mut room, 0, &format!("{number}\n"));
            assert_eq!(reads(&mut room, 1), format!("ann: {number}\n"));
        }
        assert_eq!(leaves(&mut room), Some((2, Over::Slow(3))));
        let news = "* carol is disconnected: 3 messages were waiting, and it didn't read\n";
        assert_eq!(reads(&mut room, 0), news);
        assert_eq!(reads(&mut room, 1), news);
        says(&mut room, 0, "5\n");
        assert_eq!(reads(&mut room, 1), "ann: 5\n");
    }

    #[test]
    fn the_news_of_one_can_be_too_much_for_the_next() {
        let mut room = room(1, &["ann", "bob", "carol"]);
        says(&mut room, 0, "1\n");
        room.members[0].over = Some(Over::Left);
        assert_eq!(leaves(&mut room), Some((0, Over::Left)));
        // Both have one message waiting, and the news is the second.
        assert_eq!(leaves(&mut room), Some((0, Over::Slow(1))));
        assert_eq!(leaves(&mut room), Some((0, Over::Slow(1))));
        assert_eq!(leaves(&mut room), None);
    }

    #[test]
    fn a_name_is_one_that_nobody_has() {
        let mut room = room(10, &["ann"]);
        room.enter(Instant::now());
        let blank = ["\u{3164}", "\u{115f}", "\u{ffa0}"];
        let twins = ["\u{430}nn", "\u{ff41}nn", "\u{345}"];
        let news = ["* ann", "a b", "a:", "\x1b[2J"];
        let size = ["", "xxxxxxxxxxxxxxxxxxxxx"];
        for bad in ["ann"].iter().chain(&blank).chain(&twins).chain(&news).chain(&size) {
            says(&mut room, 1, &format!("{bad}\n"));
            let said = reads(&mut room, 1);
            assert_eq!(said, "* that isn't a name, or it's taken: choose another\n", "{bad}");
        }
        says(&mut room, 1, "李雷\n");
        assert_eq!(reads(&mut room, 0), "* 李雷 is here\n");
    }

    #[test]
    fn nobody_says_more_than_a_line_at_a_time() {
        let mut room = room(10, &["ann", "bob"]);
        let start = room.members[0].next;
        assert_eq!(room.next_line(), None);
        room.members[0].lines.push(b"1\n2\n");
        assert_eq!(room.next_line(), Some(start));
        room.hear(0, start);
        room.hear(0, start);
        assert_eq!(reads(&mut room, 1), "ann: 1\n");
        assert_eq!(room.next_line(), Some(start + PACE));
        room.hear(0, start + PACE);
        assert_eq!(reads(&mut room, 1), "ann: 2\n");
    }

    #[test]
    fn a_line_without_an_end_ends_its_client() {
        let mut room = room(10, &["ann", "bob"]);
        says(&mut room, 1, &"x".repeat(MAX_LINE + 1));
        let (_, bob) = room.next_to_leave().unwrap();
        assert_eq!(bob.over, Some(Over::TooLong));
        assert_eq!(bob.outbox.next(), Some(&b"* that line is too long: goodbye\n"[..]));
        let news = "* bob is disconnected: a line of more than 1024 bytes\n";
        assert_eq!(reads(&mut room, 0), news);
    }
}
