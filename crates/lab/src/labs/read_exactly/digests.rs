//! Compares what a program printed with the digests of what was sent.

use stage::Finished;

use super::frame;
use crate::verdict::{CaseFailure, Fault};

// The student gets the same file.
#[path = "../../../labs/read-exactly/sha256.rs"]
mod sha256;
use sha256::sha256_hex;

/// One line for each body, with its digest, and no more lines.
pub(super) fn lines_are_right(finished: &Finished, bodies: &[&[u8]]) -> Result<(), CaseFailure> {
    let came = some_lines_are_right(finished, bodies)?;
    let expected = bodies.len();
    if came == expected {
        return Ok(());
    }
    let what = format!("{expected} complete frames were sent, but {came} lines came on stdout");
    Err(CaseFailure::new(Fault::Short, what))
}

/// One line for each of the first bodies; the last ones may be missing. Returns how many lines there are.
pub(super) fn some_lines_are_right(
    finished: &Finished,
    bodies: &[&[u8]],
) -> Result<usize, CaseFailure> {
    if finished.forgot {
        let what = "the program printed more on stdout than the 8 MiB that the checker keeps: its first lines are lost";
        return Err(CaseFailure { hint: Some(TALKS), ..CaseFailure::new(Fault::Extra, what) });
    }
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let lines: Vec<&str> = stdout.lines().collect();
    for ((number, body), line) in (1..).zip(bodies).zip(&lines) {
        let right = sha256_hex(body);
        if *line != right {
            let shown: String = line.chars().take(70).collect();
            let fault = if is_digest(line) { Fault::Wrong } else { Fault::Form };
            return Err(CaseFailure::new(
                fault,
                format!(
                    "line {number} on stdout is not the SHA-256 of body {number}: expected {right}, got {shown:?}{}",
                    instead(line, number - 1, bodies)
                ),
            ));
        }
    }
    let (came, expected) = (lines.len(), bodies.len());
    if came > expected {
        let shown: String = lines[expected].chars().take(70).collect();
        let what = format!(
            "{expected} complete frames were sent, but {came} lines came on stdout. The first extra line is {shown:?}"
        );
        return Err(CaseFailure::new(Fault::Extra, what));
    }
    Ok(came)
}

const TALKS: &str = "Does your program print something for every piece it reads? That's more than anybody can read.";

fn is_digest(line: &str) -> bool {
    line.len() == 64 && line.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Says what the digest belongs to, if the program made one of the usual mistakes.
fn instead(line: &str, number: usize, bodies: &[&[u8]]) -> String {
    let body = bodies[number];
    let behind = || bodies[number..].iter().flat_map(|body| frame(body)).collect::<Vec<u8>>();
    let part = (0..body.len().min(512)).find(|length| sha256_hex(&body[..*length]) == line);
    if let Some(length) = part {
        format!(". That is the SHA-256 of its first {length} bytes only")
    } else if sha256_hex(&frame(body)) == line {
        ". That is the SHA-256 of the length and the body together".to_owned()
    } else if sha256_hex(&behind()[4..]) == line {
        ". That is the SHA-256 of this body and everything that came after it".to_owned()
    } else if line.to_lowercase() == sha256_hex(body) {
        ". The digits are right, but in upper case".to_owned()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-4 are from NIST's page of example values. The lengths around a block are compared with
    /// hashlib.
    #[test]
    fn the_digests_are_the_known_ones() {
        let check = |bytes: &[u8], expected| assert_eq!(sha256_hex(bytes), expected);
        check(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check(&[b'x'; 55], "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
        check(&[b'x'; 56], "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
        check(&[b'x'; 63], "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
        check(&[b'x'; 64], "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
        check(&[b'x'; 65], "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
        check(&[b'x'; 119], "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
        check(&[b'x'; 120], "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
        check(
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        );
    }
}
