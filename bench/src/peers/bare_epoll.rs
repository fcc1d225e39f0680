//! The least that a server can do: epoll(7), one read, one write, and always the same answer.
//!
//! It doesn't look at what it reads, so it isn't a real server. It shows how much time the kernel needs.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::answer;
use crate::load::BODY;

pub fn serve(listener: &TcpListener) -> io::Result<()> {
    let answer = answer(BODY);
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let data = |fd: &dyn AsRawFd| EventData::new_u64(fd.as_raw_fd() as u64);
    epoll::add(&epoll, listener, data(listener), EventFlags::IN)?;
    let mut clients: HashMap<u64, TcpStream> = HashMap::new();
    let mut events = Vec::with_capacity(1024);
    let mut buffer = [0; 16 * 1024];
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            let fd = event.data.u64();
            if let Some(conn) = clients.get_mut(&fd) {
                let is_open = conn.read(&mut buffer).is_ok_and(|n| n > 0);
                if !is_open || conn.write_all(&answer).is_err() {
                    clients.remove(&fd);
                }
            } else if fd == data(listener).u64() {
                let (conn, _) = listener.accept()?;
                epoll::add(&epoll, &conn, data(&conn), EventFlags::IN)?;
                clients.insert(data(&conn).u64(), conn);
            }
        }
    }
}
