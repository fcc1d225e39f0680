//! Which socket a descriptor is, from what strace says about it with `-yy`.

use super::value::Value;

/// A descriptor: `4<TCP:[127.0.0.1:8888->127.0.0.1:51412]>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor<'a> {
    pub number: u32,
    pub is: Is<'a>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is<'a> {
    /// A socket, with its two ends as far as strace knows them.
    Socket { family: Family, ends: Ends<'a> },
    /// A file, a pipe, or anything else that isn't a socket.
    Other,
    /// A socket of a kind that we don't draw.
    Undrawn,
    /// A socket, but not which: `socket:[123]`, as with `-y` or after a reset.
    Unnamed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// TCP, and Unix stream sockets.
    Stream,
    /// UDP, and Unix datagram sockets.
    Datagram,
}

/// `[7]`, `[127.0.0.1:8888]`, `[127.0.0.1:8888->127.0.0.1:51412]`, `[7->8,"/tmp/x"]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends<'a> {
    /// The number of the socket in the kernel: it has no address yet.
    Number(&'a str),
    /// Bound.
    Local(&'a str),
    /// Connected.
    Both { local: &'a str, peer: &'a str },
}

/// Reads a descriptor as an argument or a result; `None` if it isn't one.
pub fn descriptor(word: &str) -> Option<Descriptor<'_>> {
    let (number, rest) = word.split_once('<')?;
    let number = number.parse().ok()?;
    let about = rest.strip_suffix('>')?;
    let Some((kind, ends)) = about.split_once(":[") else {
        return Some(Descriptor { number, is: Is::Other });
    };
    let family = match kind {
        "TCP" | "TCPv6" | "UNIX" | "UNIX-STREAM" => Family::Stream,
        "UDP" | "UDPv6" | "UNIX-DGRAM" => Family::Datagram,
        "UNIX-SEQPACKET" => return Some(Descriptor { number, is: Is::Undrawn }),
        "socket" => return Some(Descriptor { number, is: Is::Unnamed }),
        _ => return Some(Descriptor { number, is: Is::Other }),
    };
    let ends = ends.strip_suffix(']')?;
    let ends = match kind.starts_with("UNIX") {
        // A Unix socket's number is its name here: it never changes, and most of them have no other name.
        true => match ends.split(",\"").next()?.split_once("->") {
            Some((local, peer)) => Ends::Both { local, peer: peer.split(',').next()? },
            None => Ends::Local(ends.split(',').next()?),
        },
        false => match ends.split_once("->") {
            Some((local, peer)) => Ends::Both { local, peer },
            None if ends.bytes().all(|byte| byte.is_ascii_digit()) => Ends::Number(ends),
            None => Ends::Local(ends),
        },
    };
    Some(Descriptor { number, is: Is::Socket { family, ends } })
}

/// An address: `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`, or a Unix socket's path.
pub fn address(value: &Value<'_>) -> Option<String> {
    let within = |name: &str, call: &str| {
        let word = value.field(name)?.word()?;
        word.strip_prefix(call)?.strip_prefix('(')?.strip_suffix(')')
    };
    let quoted = |text: &str| {
        let Value::Bytes { bytes, .. } = super::value::values(text)?.pop()? else { return None };
        String::from_utf8(bytes).ok()
    };
    match value.field("sa_family")?.word()? {
        "AF_INET" => {
            let ip = quoted(within("sin_addr", "inet_addr")?)?;
            Some(format!("{ip}:{}", within("sin_port", "htons")?))
        }
        "AF_INET6" => {
            // With -xx the field has no name: inet_pton(AF_INET6, "…", &sin6_addr).
            let Value::Struct(fields) = value else { return None };
            let mut words = fields.iter().filter_map(|(_, value)| value.word());
            let text = words.find_map(|word| word.strip_prefix("inet_pton(AF_INET6, "))?;
            let ip = quoted(text.split_inclusive('"').take(2).collect::<String>().as_str())?;
            Some(format!("[{ip}]:{}", within("sin6_port", "htons")?))
        }
        "AF_UNIX" => match value.field("sun_path")? {
            Value::Bytes { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::Word(word) => Some((*word).to_owned()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::values;
    use super::*;

    #[test]
    fn descriptors() {
        let is = |word| descriptor(word).unwrap().is;
        let socket = |family, ends| Is::Socket { family, ends };
        let both = |local, peer| Ends::Both { local, peer };
        assert_eq!(
            is("4<TCP:[127.0.0.1:1->127.0.0.1:2]>"),
            socket(Family::Stream, both("127.0.0.1:1", "127.0.0.1:2"))
        );
        assert_eq!(
            is("4<TCPv6:[[::1]:1->[::1]:2]>"),
            socket(Family::Stream, both("[::1]:1", "[::1]:2"))
        );
        assert_eq!(is("3<TCP:[77]>"), socket(Family::Stream, Ends::Number("77")));
        assert_eq!(is("3<UDP:[0.0.0.0:5]>"), socket(Family::Datagram, Ends::Local("0.0.0.0:5")));
        assert_eq!(
            is("4<UNIX-STREAM:[7->8,\"\\x2f\\x74\"]>"),
            socket(Family::Stream, both("7", "8"))
        );
        assert_eq!(is("3<UNIX-STREAM:[7,\"/tmp/x\"]>"), socket(Family::Stream, Ends::Local("7")));
        assert_eq!(is("1<\\x2f\\x64>"), Is::Other);
        assert_eq!(is("5<pipe:[9]>"), Is::Other);
        assert_eq!(is("5<socket:[9]>"), Is::Unnamed);
        assert_eq!(descriptor("AT_FDCWD"), None);
        assert_eq!(descriptor("3"), None);
    }

    #[test]
    fn addresses() {
        let read = |text: &str| address(&values(text).unwrap()[0]);
        let v4 = r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("\x31\x32\x37\x2e\x30\x2e\x30\x2e\x31")}"#;
        assert_eq!(read(v4).as_deref(), Some("127.0.0.1:80"));
        let v6 = r#"{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#;
        assert_eq!(read(v6).as_deref(), Some("[::1]:80"));
        let path = r#"{sa_family=AF_UNIX, sun_path="\x2f\x74"}"#;
        assert_eq!(read(path).as_deref(), Some("/t"));
        assert_eq!(read("{sa_family=AF_NETLINK, nl_pid=0}"), None);
        assert_eq!(read("NULL"), None);
    }
}
