//! Which raw requests may reach a shell.
//!
//! A raw request has no length in front: whatever one read returned is the command. So anything
//! that can make a program connect and send bytes can type here, a browser first of all. The bytes
//! that others send have a shape, and it is not a command's.

use crate::refusal::Refusal;

/// The longest raw request, in bytes. A server must have room for more, or a longer one looks like
/// this long.
pub const MAX_RAW_REQUEST: usize = 1024;

pub(crate) fn screen(request: &[u8]) -> Result<(), Refusal> {
    if request.starts_with(&[0x16, 0x03]) {
        return Err(Refusal::Tls);
    }
    if is_http(request) {
        return Err(Refusal::Http);
    }
    if request.contains(&0) {
        return Err(Refusal::Nul);
    }
    if request.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(Refusal::LineBreak);
    }
    if request.len() > MAX_RAW_REQUEST {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

/// Starts with a method and a space, or names the protocol anywhere. Methods are an open list (RFC
/// 9110, section 16.1): any word in capitals counts; of commands hardly one does.
fn is_http(request: &[u8]) -> bool {
    let method = request.iter().take_while(|byte| matches!(byte, b'A'..=b'Z' | b'-')).count();
    (method >= 3 && request.get(method) == Some(&b' '))
        || request.windows(6).any(|part| part == b" HTTP/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_pass_and_other_protocols_do_not() {
        for command in [
            "ls /tmp",
            "echo hi",
            "PATH=/x ls",
            "A=1 B=2 env",
            "LS -l",
            "echo GET / now",
            "curl http://example.org/",
            "printf 'HTTP/1.1'",
            "GETTER",
            "GET",
            "echo 你好; cat données\t*",
            "",
            "-x",
            &"x".repeat(MAX_RAW_REQUEST),
        ] {
            assert_eq!(screen(command.as_bytes()), Ok(()), "{command:?}");
        }
        assert_eq!(screen(b"echo \xff\xfe"), Ok(()), "a command need not be UTF-8");

        let too_long = "x".repeat(MAX_RAW_REQUEST + 1);
        for (request, refusal) in [
            ("GET /;touch$IFS/tmp/x; HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n", Refusal::Http),
            ("GET /;touch$IFS/tmp/x;", Refusal::Http),
            ("POST / HTTP/1.1", Refusal::Http),
            ("OPTIONS * HTTP/1.1", Refusal::Http),
            ("M-SEARCH * HTTP/1.1", Refusal::Http),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::Http),
            ("CONNECT 127.0.0.1:22", Refusal::Http),
            ("chicken /;id; HTTP/1.1", Refusal::Http),
            ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03", Refusal::Tls),
            ("echo a\necho b", Refusal::LineBreak),
            ("echo a\r", Refusal::LineBreak),
            ("\x05\0\0\0ls -l", Refusal::Nul),
            (&too_long, Refusal::TooLong),
        ] {
            assert_eq!(screen(request.as_bytes()), Err(refusal), "{request:?}");
        }
    }
}
