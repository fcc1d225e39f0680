//! What waits for one client. It has a limit, and what happens at the limit is the server's to decide.

use std::collections::VecDeque;
use std::rc::Rc;

/// Messages for one client that its socket hasn't taken yet.
#[derive(Debug)]
pub struct Outbox {
    messages: VecDeque<Rc<[u8]>>,
    /// How many bytes of the first one have been sent.
    sent: usize,
    most: usize,
}

impl Outbox {
    /// For at most this many messages.
    pub fn new(most: usize) -> Outbox {
        Outbox { messages: VecDeque::new(), sent: 0, most }
    }

    /// One more message. False: the queue is full, and the message isn't in it.
    #[must_use]
    pub fn push(&mut self, message: &Rc<[u8]>) -> bool {
        let has_room = self.messages.len() < self.most;
        if has_room {
            self.messages.push_back(message.clone());
        }
        has_room
    }

    /// How many messages are waiting.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// What is to be sent next: the rest of the first message.
    pub fn next(&self) -> Option<&[u8]> {
        self.messages.front().map(|message| &message[self.sent..])
    }

    /// This many bytes of it have been sent.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.messages.front().is_some_and(|message| self.sent >= message.len()) {
            self.messages.pop_front();
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_so_many_and_gives_them_back_in_order() {
        let message = |text: &str| Rc::from(text.as_bytes());
        let mut outbox = Outbox::new(2);
        assert_eq!(outbox.next(), None);
        assert!(outbox.push(&message("hello\n")) && outbox.push(&message("hi\n")));
        assert!(!outbox.push(&message("no")));
        outbox.sent(2);
        assert_eq!(outbox.next(), Some(&b"llo\n"[..]));
        assert!(!outbox.push(&message("no")), "half of a message is a message");
        outbox.sent(4);
        assert!(outbox.push(&message("3\n")));
        assert_eq!(outbox.next(), Some(&b"hi\n"[..]));
        outbox.sent(3);
        outbox.sent(2);
        assert_eq!(outbox.next(), None);
    }
}
