//! All clients of the event loop.

use std::collections::BTreeSet;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::Instant;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use shell::Deadline;

use super::client::{Client, Next};
use super::workers::{Done, Job};
use crate::connections::Accepted;
use crate::{Handler, Service};

/// The clients, each at its place. Work for one client costs the same however many others there are.
pub(super) struct Clients<'a, H: Handler> {
    service: &'a Service<H>,
    registry: Registry,
    places: Vec<Option<Place<H::Session>>>,
    free: Vec<usize>,
    /// The number of the next client. Numbers are never reused, so a late result finds nobody rather than somebody else.
    next: u64,
    /// Which client times out when, the earliest first.
    deadlines: BTreeSet<(Instant, usize)>,
    /// The clients that have had their turn and aren't done.
    unfinished: Vec<usize>,
    jobs: Vec<Job<H::Session>>,
}

struct Place<S> {
    number: u64,
    client: Client<S>,
}

impl<'a, H: Handler> Clients<'a, H> {
    pub(super) fn new(service: &'a Service<H>, registry: Registry) -> Self {
        Clients {
            service,
            registry,
            places: Vec::new(),
            free: Vec::new(),
            next: 0,
            deadlines: BTreeSet::new(),
            unfinished: Vec::new(),
            jobs: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    /// A new client.
    pub(super) fn enter(&mut self, accepted: Accepted<H>) {
        let place = self.free.pop().unwrap_or(self.places.len());
        let fd = accepted.conn.as_fd().as_raw_fd();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.registry.register(&mut SourceFd(&fd), Token(place), interest);
        let client = registered.and_then(|()| Client::new(accepted, self.service));
        if place == self.places.len() {
            self.places.push(None);
        }
        match client {
            Ok(client) => {
                self.places[place] = Some(Place { number: self.next, client });
                self.next += 1;
                // Its first request may be there already, and its deadline counts.
                self.step(place, |_| Next::Wait);
            }
            Err(error) => {
                tracing::error!(%error, "no place for a connection in the kernel's list: closing it");
                self.free.push(place);
            }
        }
    }

    /// When the loop has to continue at the latest.
    pub(super) fn deadline(&self) -> Deadline {
        match self.deadlines.first() {
            _ if !self.unfinished.is_empty() => Deadline::now(),
            Some((at, _)) => Deadline::at(*at),
            None => Deadline::NEVER,
        }
    }

    /// The kernel has reported a client.
    pub(super) fn ready(&mut self, place: usize, event: &Event) {
        let service = self.service;
        self.step(place, |client| client.told(event, service));
    }

    /// Another turn for the clients that weren't done after their last one.
    pub(super) fn go_on(&mut self) {
        let service = self.service;
        for place in mem::take(&mut self.unfinished) {
            self.step(place, |client| client.go_on(service));
        }
    }

    /// Takes a client one step further, and does what it then needs.
    fn step(
        &mut self,
        place: usize,
        step: impl FnOnce(&mut Client<H::Session>) -> Next<H::Session>,
    ) {
        let Some(Some(Place { number, client })) = self.places.get_mut(place) else { return };
        let (number, before) = (*number, client.deadline);
        let next = step(client);
        let (after, conn) = (client.deadline, &client.conn);
        let mut after = after.moment();
        match next {
            Next::Wait => {}
            Next::GoOn => self.unfinished.push(place),
            Next::Handle(session, request) => {
                let (id, conn) = ((place, number), Arc::downgrade(conn));
                let until = Deadline::after(self.service.frame_timeout);
                self.jobs.push(Job { id, conn, session, request, until });
            }
            Next::Close => {
                // Closing it would remove it from the kernel's list; but a worker may still hold it.
                let fd = conn.as_fd().as_raw_fd();
                let _ = self.registry.deregister(&mut SourceFd(&fd));
                self.places[place] = None;
                self.free.push(place);
                after = None;
            }
        }
        if before.moment() != after {
            before.moment().map(|at| self.deadlines.remove(&(at, place)));
        }
        after.map(|at| self.deadlines.insert((at, place)));
    }

    /// What the workers have to do.
    pub(super) fn take_jobs(&mut self) -> Vec<Job<H::Session>> {
        mem::take(&mut self.jobs)
    }

    /// A worker is done with a client's job.
    pub(super) fn finished(&mut self, done: Done<H::Session>) {
        let (place, number) = done.id;
        let is_there =
            matches!(self.places.get(place), Some(Some(place)) if place.number == number);
        if is_there {
            let service = self.service;
            self.step(place, |client| client.finished(done.outcome, service));
        }
    }

    /// Ends the clients that have timed out.
    pub(super) fn expire(&mut self) {
        let service = self.service;
        while let Some(&(at, place)) = self.deadlines.first()
            && at <= Instant::now()
        {
            self.deadlines.pop_first();
            self.step(place, |client| {
                client.deadline = Deadline::NEVER;
                client.expire(service)
            });
        }
    }

    /// The server stops: clients that aren't waiting for an answer are closed.
    pub(super) fn dismiss(&mut self) {
        (0..self.places.len()).for_each(|place| self.step(place, Client::dismiss));
    }
}
