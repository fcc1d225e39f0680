//! The processes that serve connections, looked after by one thread: it gives out permits, and waits for each.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process};
use shell::{MAX_RUNNING, Shutdown, poll};

use super::line::END;
use super::permits::Permits;
use crate::connections::Permit;

/// The way to the thread.
pub(super) struct Family {
    born: Sender<Member>,
    wake: PipeWriter,
}

/// A connection's process.
pub(super) struct Member {
    pub(super) process: Child,
    /// Until it has closed its end.
    pub(super) line: Option<UnixStream>,
    pub(super) _permit: Permit,
}

impl Family {
    /// `permit_timeout`: after that a waiting request is answered with `busy`.
    pub(super) fn start(shutdown: &Shutdown, permit_timeout: Duration) -> io::Result<Family> {
        let ended = ending::on_child_exit()?;
        let (woken, wake) = io::pipe()?;
        let (born, coming) = mpsc::channel();
        let shutdown = shutdown.clone();
        ioctl_fionbio(&woken, true)?;
        let permits = Permits::new(MAX_RUNNING, permit_timeout);
        let look = move || look_after(coming, permits, &woken, &ended, &shutdown);
        thread::Builder::new().name("family".into()).spawn(look)?;
        Ok(Family { born, wake })
    }

    pub(super) fn add(&self, member: Member) {
        // Nobody receives it once the server has been told to end; then the process ends with its line.
        let _ = self.born.send(member);
        let _ = (&self.wake).write(&[0]);
    }
}

/// Until the server is told to end, and then until each process has ended.
fn look_after(
    coming: Receiver<Member>,
    mut permits: Permits,
    mut woken: &PipeReader,
    mut ended: &PipeReader,
    shutdown: &Shutdown,
) {
    let Some(_until_all_have_ended) = shutdown.hold() else { return };
    let mut family: Vec<(u64, Member)> = Vec::new();
    let mut next = 0;
    while !shutdown.told() {
        let mut fds = vec![
            PollFd::new(shutdown, PollFlags::IN),
            PollFd::new(ended, PollFlags::IN),
            PollFd::new(woken, PollFlags::IN),
        ];
        let lines = family.iter().filter_map(|(_, member)| member.line.as_ref());
        fds.extend(lines.map(|line| PollFd::new(line, PollFlags::IN)));
        if let Err(error) = poll(&mut fds, permits.deadline()) {
            tracing::error!(%error, "the processes are no longer looked after: they end");
            return;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);

        let mut heard = ready[3..].iter();
        for (number, member) in family.iter_mut().filter(|(_, member)| member.line.is_some()) {
            if *heard.next().unwrap_or(&false) {
                member.listen(*number, &mut permits);
            }
        }
        if ready[1] {
            // How many bytes there are does not matter: each child is asked.
            let _ = ended.read(&mut [0; 1024]);
            // An ended child that nobody waits for stays a zombie.
            family.retain_mut(|(number, member)| {
                let lives = matches!(member.process.try_wait(), Ok(None));
                if !lives {
                    permits.gone(*number);
                }
                lives
            });
        }
        if ready[2] {
            let _ = woken.read(&mut [0; 1024]);
        }
        for mut member in coming.try_iter() {
            // It may have ended before anybody looked.
            let lives = matches!(member.process.try_wait(), Ok(None));
            let usable =
                member.line.as_ref().is_some_and(|line| line.set_nonblocking(true).is_ok());
            if lives && usable {
                family.push((next, member));
                next += 1;
            }
        }
        while let Some((who, answer)) = permits.next() {
            if let Some((_, member)) = family.iter().find(|(number, _)| *number == who) {
                member.say(answer);
            }
        }
    }
    drop(coming);
    for (_, member) in &family {
        // For one that waits for a permit, and for one that asks now.
        member.say(END);
        // Not waited for yet, so the number is still this child's.
        let _ = kill_process(Pid::from_child(&member.process), Signal::TERM);
    }
    for (_, mut member) in family {
        let _ = member.process.wait();
    }
}

impl Member {
    /// Reads what it says, or that its line has ended.
    fn listen(&mut self, number: u64, permits: &mut Permits) {
        let Some(mut line) = self.line.as_ref() else { return };
        let mut said = [0; 16];
        match line.read(&mut said) {
            Ok(n @ 1..) => said[..n].iter().for_each(|what| permits.said(number, *what)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => {
                permits.gone(number);
                self.line = None;
            }
        }
    }

    fn say(&self, what: u8) {
        // If this fails, the process has just ended, which gives back its permit.
        let _ = self.line.as_ref().map(|mut line| line.write(&[what]));
    }
}
