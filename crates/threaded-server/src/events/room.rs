//! All clients of the event loop, by number.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::time::Instant;

use rustix::event::PollFd;

use super::client::{Client, Next};
use super::worker::{Done, Job};
use crate::{Handler, Service};

/// The clients, and the way to the workers.
pub(super) struct Room<'a, H: Handler> {
    service: &'a Service<H>,
    todo: Sender<Job<H::Visit>>,
    clients: BTreeMap<u64, Client<H::Visit>>,
    /// The number of the next one: never used again, so that a late answer finds nobody rather than somebody else.
    next: u64,
}

impl<'a, H: Handler> Room<'a, H> {
    pub(super) fn new(service: &'a Service<H>, todo: Sender<Job<H::Visit>>) -> Self {
        Room { service, todo, clients: BTreeMap::new(), next: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// A new client.
    pub(super) fn enter(&mut self, client: Client<H::Visit>) {
        self.clients.insert(self.next, client);
        self.next += 1;
    }

    /// Who waits for the network, and for what.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u64, PollFd<'_>)> {
        self.clients.iter().filter_map(|(id, client)| Some((*id, client.poll_fd()?)))
    }

    /// When somebody's patience ends, at the earliest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.clients.values().filter_map(|client| client.deadline).min()
    }

    /// Takes a client one step further, and does what it then needs.
    pub(super) fn step(
        &mut self,
        id: u64,
        step: impl FnOnce(&mut Client<H::Visit>) -> Next<H::Visit>,
    ) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match step(client) {
            Next::Wait => {}
            Next::Handle(visit, request) => {
                let conn = client.conn.clone();
                // The workers listen as long as the room exists.
                let _ = self.todo.send(Job { id, conn, visit, request });
            }
            Next::Close => _ = self.clients.remove(&id),
        }
    }

    /// A worker is done with a client's task.
    pub(super) fn finished(&mut self, done: Done<H::Visit>) {
        self.step(done.id, |client| client.finished(done.outcome, self.service));
    }

    /// Ends the clients whose time is up.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        let late = |client: &Client<H::Visit>| client.deadline.is_some_and(|end| end <= now);
        let late: Vec<u64> =
            self.clients.iter().filter(|(_, client)| late(client)).map(|(id, _)| *id).collect();
        late.into_iter().for_each(|id| self.step(id, |client| client.expire(self.service)));
    }

    /// The server stops: whoever is owed no answer is shown out.
    pub(super) fn dismiss(&mut self) {
        let all: Vec<u64> = self.clients.keys().copied().collect();
        all.into_iter().for_each(|id| self.step(id, Client::dismiss));
    }
}
