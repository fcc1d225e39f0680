//! read-exactly: a client that reads frames until the end of the stream, and prints the SHA-256 of each.

mod digests;

use stage::Finished;

use super::framed::Order;
use super::{Case, Lab, texts};
use crate::afterwards::not_crashed;
use crate::{Broken, Fault, Trial};
use digests::lines_are_right;

pub(super) const LAB: Lab = Lab {
    name: "read-exactly",
    task: "a client that reads frames, a 4-byte length and that many bytes, and prints the SHA-256 of each",
    rules: &[],
    cases: &[
        Case {
            id: "one-frame",
            points: 1,
            rule: "for a frame the SHA-256 of its body is printed, 64 lower-case hex digits on a line",
            hint: "The length is a signed 32-bit number, little-endian; it does not belong to the body.",
            proves: &[],
            fits: &[],
            play: one_frame,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "frames that come a byte at a time are read whole",
            hint: "A recv of 4 bytes may bring 1. Who asks for the other 3?",
            proves: &[],
            fits: &[],
            play: cut_everywhere,
        },
        Case {
            id: "cut-in-length",
            points: 1,
            rule: "a length may come in two pieces",
            hint: "How many bytes of the length had come when you unpacked it?",
            proves: &[],
            fits: &[],
            play: cut_in_length,
        },
        Case {
            id: "cut-in-body",
            points: 1,
            rule: "a body may come in many pieces, and after a silence",
            hint: "Count the bytes that came, not the bytes you asked for.",
            proves: &[],
            fits: &[],
            play: cut_in_body,
        },
        Case {
            id: "merged",
            points: 2,
            rule: "several frames may come in one piece: each is read, none is lost",
            hint: "What did your last recv bring behind the end of the frame, and where is it now?",
            proves: &[],
            fits: &[],
            play: merged,
        },
        Case {
            id: "empty-frame",
            points: 1,
            rule: "a length of 0 is a frame with an empty body, and not the end",
            hint: "What is the SHA-256 of nothing? And what does recv(0) return?",
            proves: &[],
            fits: &[],
            play: empty_frame,
        },
        Case {
            id: "large",
            points: 2,
            rule: "a body of a megabyte in odd pieces is read whole",
            hint: "Is there a buffer of a fixed size somewhere, or a count that runs ahead?",
            proves: &[],
            fits: &[],
            play: large,
        },
        Case {
            id: "no-frame",
            points: 1,
            rule: "a stream that ends before the first frame is a normal end: no line, exit code 0",
            hint: "0 bytes where a length would begin: the server has said all.",
            proves: &[],
            fits: &[],
            play: no_frame,
        },
        Case {
            id: "end-in-length",
            points: 1,
            rule: "an end inside a length is an error: a line on stderr, exit code not 0",
            hint: "After 2 of 4 bytes the stream ended. Which value did you unpack?",
            proves: &[],
            fits: &[],
            play: end_in_length,
        },
        Case {
            id: "end-in-body",
            points: 2,
            rule: "an end inside a body is an error: no line for that frame, exit code not 0",
            hint: "Your loop ended. Because all had come, or because the stream was over?",
            proves: &[],
            fits: &[],
            play: end_in_body,
        },
        Case {
            id: "negative",
            points: 1,
            rule: "a negative length is an error at once: exit code not 0",
            hint: "Look at the length before you use it. What does recv(-1) or a conversion to usize make of it?",
            proves: &[],
            fits: &[],
            play: negative,
        },
        Case {
            id: "too-long",
            points: 1,
            rule: "a length over 16 MiB is an error at once: exit code not 0",
            hint: "Anybody can send you four bytes. Do you believe them?",
            proves: &[],
            fits: &[],
            play: too_long,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a connection that breaks inside a body is an error, and not a crash",
            hint: "A read can fail: ECONNRESET. What does your program do then?",
            proves: &[],
            fits: &[],
            play: reset,
        },
    ],
    texts: texts!("read-exactly", "sha256.rs"),
};

fn one_frame(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(20);
    all_arrive(trial, "idle", &[&body])
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    let (one, two) = (trial.text(5), trial.bytes(30));
    all_arrive(trial, "cut=1", &[&one, &two])
}

fn cut_in_length(trial: &mut Trial) -> Result<(), Broken> {
    // Over 255 bytes: a length whose second byte is missing is a different one.
    let body = trial.bytes(300);
    let cut = trial.number(1, 3);
    all_arrive(trial, &format!("cut={cut},*"), &[&body])
}

fn cut_in_body(trial: &mut Trial) -> Result<(), Broken> {
    let (one, two) = (trial.text(40), trial.text(50));
    let mut server = trial.start_client("cut=random:5..15")?;
    let late = trial.text(60);
    server.send(&frames(&[&one, &two]))?;
    let cut = frames(&[&late]);
    server.send(&cut[..30])?;
    server.keep_silent()?;
    server.send(&cut[30..])?;
    server.end()?;
    are_printed(trial, &[&one, &two, &late])
}

fn merged(trial: &mut Trial) -> Result<(), Broken> {
    let bodies = [trial.text(7), trial.text(12), trial.text(1), trial.bytes(90)];
    all_arrive(trial, "idle", &bodies.each_ref().map(Vec::as_slice))
}

fn empty_frame(trial: &mut Trial) -> Result<(), Broken> {
    let (one, two) = (trial.text(9), trial.text(4));
    all_arrive(trial, "idle", &[&one, b"", &two, b""])
}

fn large(trial: &mut Trial) -> Result<(), Broken> {
    let length = trial.number(1_000_001, 1_100_000) as usize;
    let (one, two) = (trial.bytes(length), trial.text(10));
    all_arrive(trial, "cut=random:3000..9999", &[&one, &two])
}

fn no_frame(trial: &mut Trial) -> Result<(), Broken> {
    all_arrive(trial, "idle", &[])
}

/// A frame of 6 bytes is read before the next byte comes. Else it would depend on who is faster whether they come together.
const WHOLE_FIRST: &str = "cut=10,*";

fn end_in_length(trial: &mut Trial) -> Result<(), Broken> {
    let (whole, part) = (trial.text(6), trial.number(1, 3) as usize);
    ends_early(trial, &whole, &9_i32.to_le_bytes()[..part], "the stream ended inside a length")
}

fn end_in_body(trial: &mut Trial) -> Result<(), Broken> {
    let (whole, cut) = (trial.text(6), trial.text(20));
    let came = trial.number(1, 19) as usize;
    ends_early(trial, &whole, &frames(&[&cut])[..4 + came], "the stream ended inside a body")
}

fn ends_early(trial: &mut Trial, whole: &[u8], part: &[u8], why: &str) -> Result<(), Broken> {
    let mut server = trial.start_client(WHOLE_FIRST)?;
    server.send(&[&frames(&[whole])[..], part].concat())?;
    server.end()?;
    fails(trial, &[whole], why)
}

fn negative(trial: &mut Trial) -> Result<(), Broken> {
    let length = -(trial.number(1, 100) as i32);
    wrong_length(trial, length)
}

fn too_long(trial: &mut Trial) -> Result<(), Broken> {
    wrong_length(trial, (16 << 20) + 1)
}

/// The server stays, and sends no more: a program that waits for the body waits for ever.
fn wrong_length(trial: &mut Trial, length: i32) -> Result<(), Broken> {
    let whole = trial.text(6);
    let mut server = trial.start_client(WHOLE_FIRST)?;
    trial.step(format!("the next frame has a length of {length}; behind it the peer keeps silent"));
    server.send(&[&frames(&[&whole])[..], &length.to_le_bytes()].concat())?;
    fails(trial, &[&whole], "the length is not allowed")
}

fn reset(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(20);
    let mut server = trial.start_client("idle")?;
    server.send(&frames(&[&body])[..10])?;
    server.reset();
    fails(trial, &[], "the connection broke inside a body")
}

/// All bodies are sent, and the end; a line must come for each, and a normal end.
fn all_arrive(trial: &mut Trial, schedule: &str, bodies: &[&[u8]]) -> Result<(), Broken> {
    let mut server = trial.start_client(schedule)?;
    if !bodies.is_empty() {
        server.send(&frames(bodies))?;
    }
    server.end()?;
    are_printed(trial, bodies)
}

/// A line must come for each body, and a normal end.
fn are_printed(trial: &mut Trial, bodies: &[&[u8]]) -> Result<(), Broken> {
    let finished = wait_exit(trial)?;
    trial.step(match bodies.len() {
        0 => "expects nothing on stdout, and exit code 0".to_owned(),
        1 => "expects 1 line on stdout, and exit code 0".to_owned(),
        lines => format!("expects {lines} lines on stdout, and exit code 0"),
    });
    lines_are_right(&finished, bodies)?;
    match finished.code {
        Some(0) => Ok(()),
        code => {
            let code = code.unwrap_or_default();
            Err(Broken::new(
                Fault::Rule,
                format!("the stream ended as it should, but the exit code was {code}"),
            ))
        }
    }
}

/// The whole frames must have their lines, and the program must say that something is wrong.
fn fails(trial: &mut Trial, whole: &[&[u8]], why: &str) -> Result<(), Broken> {
    let finished = wait_exit(trial)?;
    let lines = if whole.is_empty() { "nothing" } else { "1 line" };
    trial.step(format!(
        "expects {lines} on stdout, a line on stderr, and an exit code that is not 0"
    ));
    if finished.code == Some(0) {
        return Err(Broken::new(
            Fault::Rule,
            format!("{why}, but the exit code was 0, as if all were well"),
        ));
    }
    lines_are_right(&finished, whole)?;
    if finished.stderr.is_empty() {
        return Err(Broken::new(Fault::Rule, format!("{why}, and nothing on stderr says so")));
    }
    Ok(())
}

fn wait_exit(trial: &mut Trial) -> Result<Finished, Broken> {
    let finished = trial.wait_exit()?;
    not_crashed(&finished)?;
    Ok(finished)
}

fn frames(bodies: &[&[u8]]) -> Vec<u8> {
    bodies.iter().flat_map(|body| Order::Little.frame(body)).collect()
}
