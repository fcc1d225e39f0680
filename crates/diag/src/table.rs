//! The kernel's table of TCP sockets as text: `/proc/net/tcp` and `/proc/net/tcp6`.
//!
//! Reading all of it takes milliseconds; [`Kernel`](crate::Kernel) finds one socket in microseconds.
//! But some kernels and containers have only this table.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};

/// One row of the kernel's table. A socket that was closed lingers with inode 0 and **uid 0**: it
/// is not root's!
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) uid: u32,
    pub(crate) inode: u64,
}

/// The row of the TCP socket bound to `local` and connected to `remote`.
pub(crate) fn list(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Row>> {
    // The list is read in pieces while sockets come and go, so a row may be missed: only a row
    // that is missing twice counts as missing.
    for _ in 0..2 {
        // An IPv4 connection is in the second list if its socket is an IPv6 one.
        if local.is_ipv4()
            && let Some(row) = find(
                BufReader::new(File::open("/proc/net/tcp")?),
                &[kernel_text(local), kernel_text(remote)],
            )?
        {
            return Ok(Some(row));
        }
        match File::open("/proc/net/tcp6") {
            Ok(table) => {
                if let Some(row) =
                    find(BufReader::new(table), &[local, remote].map(mapped).map(kernel_text))?
                {
                    return Ok(Some(row));
                }
            }
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Finds the row of a table in the form of `/proc/net/tcp` whose addresses read `ends`, local and
/// remote.
fn find(mut table: impl BufRead, ends: &[String; 2]) -> io::Result<Option<Row>> {
    let mut line = String::new();
    while table.read_line(&mut line)? > 0 {
        let mut fields = line.split_ascii_whitespace().skip(1);
        if ends.iter().all(|end| fields.next() == Some(end)) {
            // Skipped: state, queues, timer, retransmits. Then the uid, another timer, the inode
            // (proc_net_tcp.txt).
            let mut fields = fields.skip(4);
            let uid = fields.next().and_then(|field| field.parse().ok());
            let inode = fields.nth(1).and_then(|field| field.parse().ok());
            let row = uid.zip(inode).map(|(uid, inode)| Row { uid, inode });
            return row
                .map(Some)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unknown table format"));
        }
        line.clear();
    }
    Ok(None)
}

/// An address as the kernel prints it: each 32 bits as a number in the machine's own byte order,
/// then the port.
fn kernel_text(end: SocketAddr) -> String {
    let words: String = match end.ip() {
        IpAddr::V4(ip) => format!("{:08X}", u32::from_ne_bytes(ip.octets())),
        IpAddr::V6(ip) => ip
            .octets()
            .as_chunks()
            .0
            .iter()
            .map(|word| format!("{:08X}", u32::from_ne_bytes(*word)))
            .collect(),
    };
    format!("{words}:{:04X}", end.port())
}

fn mapped(end: SocketAddr) -> SocketAddr {
    match end.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), end.port()),
        IpAddr::V6(_) => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn a_row_is_found_by_both_its_addresses() {
        let tcp =
            "  sl  local_address rem_address   st tx_queue tr tm->when retrnsmt uid timeout inode
   0: 0100007F:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 0100007F:D431 0100007F:22B8 01 00000000:00000000 00:00000000 00000000  1000        0 22 1
   2: 0100007F:22B8 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1001        0 33 1
   3: 0100007F:D432 0100007F:22B8 06 00000000:00000000 03:00001763 00000000     0        0 0 3 0
   4: 0100007F:D433 0100007F:22B8 01 00000000:00000000\n";
        let [one, mapped] =
            ["00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];
        let tcp6 = format!(
            "   0: {mapped}:D431 {mapped}:22B8 01 0:0 00:0 0     7        0 44 1
   1: {one}:D431 {one}:22B8 01 0:0 00:0 0     8        0 55 1\n"
        );
        let look = |table: &str, local: &str, remote: &str| {
            let ends = [local, remote].map(|end| kernel_text(end.parse().unwrap()));
            find(table.as_bytes(), &ends)
        };
        let found = |uid, inode| Some(Row { uid, inode });
        for (table, local, remote, row) in [
            (tcp, "127.0.0.1:54321", "127.0.0.1:8888", found(1000, 22)),
            (tcp, "127.0.0.1:8888", "127.0.0.1:54321", found(1001, 33)),
            (tcp, "127.0.0.1:54322", "127.0.0.1:8888", found(0, 0)),
            (tcp, "127.0.0.1:54321", "127.0.0.1:8889", None),
            (tcp, "127.0.0.2:54321", "127.0.0.1:8888", None),
            (&tcp6, "[::1]:54321", "[::1]:8888", found(8, 55)),
            (&tcp6, "[::ffff:127.0.0.1]:54321", "[::ffff:127.0.0.1]:8888", found(7, 44)),
            ("", "127.0.0.1:1", "127.0.0.1:2", None),
        ] {
            assert_eq!(look(table, local, remote).unwrap(), row, "{local} {remote}");
        }
        assert!(
            look(tcp, "127.0.0.1:54323", "127.0.0.1:8888").is_err(),
            "a row cut short is not understood"
        );
    }
}
