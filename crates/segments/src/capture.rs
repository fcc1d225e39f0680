//! Records the packets of this network namespace.

use crate::{CaptureError, Recording};
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use linux::Capture;

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::is_inside;
    use rustix::buffer::spare_capacity;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, recv, sockopt};
    use socket2::{Domain, Protocol, SockFilter, Socket, Type};
    use std::fs;
    use std::io::{self, PipeWriter, pipe};
    use std::thread::{self, JoinHandle};
    use std::time::Instant;

    /// ETH_P_IP and ETH_P_IPV6 of linux/if_ether.h.
    ///
    /// ETH_P_ALL would see each loopback packet twice, once on its way out and once on its way in; only a part of the
    /// address that std doesn't show says which is which. These two see only incoming packets: each one once.
    const KINDS: [u16; 2] = [0x0800, 0x86dd];

    /// Room in the kernel for packets that we haven't read yet. Without root we get less (net.core.rmem_max).
    const QUEUE: usize = 64 << 20;

    /// How often the kernel is asked whether a connection is open.
    const PAUSE: Duration = Duration::from_millis(5);

    /// No packet is longer, unless BIG TCP is turned on.
    const LONGEST: usize = 1 << 16;

    /// Records every packet that arrives in this network namespace, from [`start`](Capture::start) to
    /// [`stop`](Capture::stop).
    #[derive(Debug)]
    pub struct Capture {
        /// Closing it ends the thread.
        stop: PipeWriter,
        reader: JoinHandle<Recording>,
    }

    impl Capture {
        /// Starts to record: everything that is sent after it returns is in the recording.
        ///
        /// # Errors
        /// [`CaptureError::Outside`] without [`enter`](crate::enter); another [`CaptureError`] when the system refuses.
        pub fn start() -> Result<Capture, CaptureError> {
            if !is_inside() {
                return Err(CaptureError::Outside);
            }
            // All packets; and those that begin and end connections once more, for when the first queue is full.
            let all = [open(KINDS[0])?, open(KINDS[1])?];
            let ends = [open(KINDS[0])?, open(KINDS[1])?];
            for (socket, filter) in ends.iter().zip(filters()) {
                let doing = "attaching a filter to a packet socket";
                socket.attach_filter(&filter).map_err(CaptureError::system(doing))?;
            }
            let (told, stop) = pipe().map_err(CaptureError::system("making a pipe"))?;
            let reader = thread::Builder::new()
                .name("segments".into())
                .spawn(move || read(&all, &ends, &told))
                .map_err(CaptureError::system("starting a thread"))?;
            Ok(Capture { stop, reader })
        }

        /// Waits until both sides of each TCP connection in this network have closed, at most this long, and then
        /// [stops](Capture::stop).
        ///
        /// A command can end before its connections do: a program that it left running may be about to close its side.
        pub fn stop_when_closed(self, patience: Duration) -> Recording {
            let since = Instant::now();
            // Nothing notifies us when somebody else's connection closes: we have to ask the kernel.
            while is_any_open() && since.elapsed() < patience {
                thread::sleep(PAUSE);
            }
            self.stop()
        }

        /// Stops. What has arrived by now is in the recording.
        pub fn stop(self) -> Recording {
            drop(self.stop);
            // Nothing in the thread can panic. If it did, we would have no packets to show.
            self.reader.join().unwrap_or_default()
        }
    }

    /// A packet socket (packet(7)). Not bound: it sees every device, and inside there is only the loopback.
    fn open(kind: u16) -> Result<Socket, CaptureError> {
        let protocol = Protocol::from(i32::from(kind.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol))
            .map_err(CaptureError::system("opening a packet socket"))?;
        if sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE).is_err() {
            // We aren't root of the whole machine. The kernel gives us as much as it allows, without an error.
            let _ = socket.set_recv_buffer_size(QUEUE);
        }
        Ok(socket)
    }

    /// Whether a TCP connection in this network still waits for a FIN, or for its acknowledgement. If not, the last packets
    /// are already recorded: a packet reaches our sockets before it reaches TCP.
    fn is_any_open() -> bool {
        // The column `st` of proc_net(5): TIME_WAIT, in which both sides have closed; CLOSE; LISTEN.
        const NOT_OPEN: [&str; 3] = ["06", "07", "0A"];
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
        let tables = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
        let lines = tables.iter().flat_map(|table| table.lines().skip(1));
        let mut states = lines.filter_map(|line| line.split_whitespace().nth(3));
        states.any(|state| !NOT_OPEN.contains(&state))
    }

    /// Programs for the kernel (classic BPF, <https://docs.kernel.org/networking/filter.html>) that let only TCP segments
    /// with SYN, FIN or RST pass: one for IPv4, one for IPv6.
    fn filters() -> [[SockFilter; 7]; 2] {
        let filter = |protocol_at, load_header_len, header| {
            [
                SockFilter::new(0x30, 0, 0, protocol_at), // load the byte with the protocol
                SockFilter::new(0x15, 0, 4, 6),           // not TCP: go to the last line
                SockFilter::new(load_header_len, 0, 0, header),
                SockFilter::new(0x50, 0, 0, 13), // load the byte with the flags
                SockFilter::new(0x45, 0, 1, 0x7), // RST, SYN, FIN
                SockFilter::new(0x06, 0, 0, u32::MAX), // all of the packet
                SockFilter::new(0x06, 0, 0, 0),  // nothing
            ]
        };
        // An IPv4 header has its length in its first byte; an IPv6 header has 40 bytes.
        [filter(9, 0xb1, 0), filter(6, 0x01, 40)]
    }

    fn read(all: &[Socket; 2], ends: &[Socket; 2], told: &io::PipeReader) -> Recording {
        let (mut recording, mut ends_alone) = (Recording::new(), Recording::new());
        let mut buffer = Vec::with_capacity(LONGEST);
        let mut stopping = false;
        while !stopping {
            let [a, b] = all.each_ref().map(|socket| PollFd::new(socket, PollFlags::IN));
            let [c, d] = ends.each_ref().map(|socket| PollFd::new(socket, PollFlags::IN));
            let mut fds = [a, b, c, d, PollFd::new(told, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => stopping = !fds[4].revents().is_empty(),
                Err(Errno::INTR) => continue,
                Err(_) => break,
            }
            for (sockets, recording) in [(all, &mut recording), (ends, &mut ends_alone)] {
                sockets.iter().for_each(|socket| drain(socket, &mut buffer, recording));
            }
        }
        recording.add_missing(&ends_alone.packets);
        recording
    }

    /// Records the packets that wait. An empty queue ends it, and so does a device that went down.
    fn drain(socket: &Socket, buffer: &mut Vec<u8>, recording: &mut Recording) {
        loop {
            buffer.clear();
            if recv(socket, spare_capacity(buffer), RecvFlags::DONTWAIT).is_err() {
                return;
            }
            recording.record(buffer);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Capture;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::*;
    use std::convert::Infallible;

    /// Packets cannot be recorded on this system: no value of this type is ever made.
    #[derive(Debug)]
    pub struct Capture(Infallible);

    impl Capture {
        /// Refuses.
        ///
        /// # Errors
        /// Always [`CaptureError::NotLinux`].
        pub fn start() -> Result<Capture, CaptureError> {
            Err(CaptureError::NotLinux)
        }

        /// There is never a capture to stop.
        pub fn stop_when_closed(self, _patience: Duration) -> Recording {
            match self.0 {}
        }

        /// There is never a capture to stop.
        pub fn stop(self) -> Recording {
            match self.0 {}
        }
    }
}
