//! An HTTP request, which any web page can make your browser send, runs nothing on the servers of the course.
//!
//! On 127.0.0.1 no other machine can reach a server, but the browser on this one can, for every page that it shows:
//! `<img src="http://127.0.0.1:8888/;touch$IFS/tmp/x;">` is enough. To a shell, the first line of what it sends is three
//! commands, and the middle one works. The servers check first. The last one here doesn't: it comes from the zoo.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use stage::Signal;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "web",
    claim: "an HTTP request runs nothing on our servers; on a server that does not screen, it does",
    prediction: Prediction {
        question: "you open a page that has `<img src=\"http://127.0.0.1:8888/;touch$IFS/tmp/x;\">`, and your \
                   browser doesn't ask you anything. At port 8888 of your machine, a server hands each line that \
                   it gets to a shell. There's no file /tmp/x yet. What happens to it?",
        choices: &[
            wrong(
                "nothing: a shell can't run HTTP",
                "The shell doesn't know that it's HTTP. It sees text with two semicolons, and runs the three \
                 parts one by one: two of them fail, and the one in the middle creates the file.",
            ),
            right(
                "it's created",
                "To the shell, `GET /;touch$IFS/tmp/x; HTTP/1.1` is three commands, and the middle one creates \
                 the file. The course's own five servers look first, and refuse whatever looks like HTTP.",
            ),
            wrong(
                "nothing: a page can't reach 127.0.0.1",
                "It isn't the page that connects to 127.0.0.1 but your browser, and that runs on your machine. \
                 Some browsers ask you first. Without looking at what it gets, a server can't tell the page from \
                 you.",
            ),
        ],
    },
    run,
};

const RAW: [&str; 2] = ["--requests", "raw"];
const WRONG: &str = "wrong";
/// Whether there is a command `GET`, and how a shell complains, is different everywhere.
const SHELL_SAID: &str = "(answers what its shell prints for each line)";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let servers = [
        ("sticky", CommandLine::new("sticky-packet-repro-server", &["shell"])),
        ("ack", CommandLine::new("fix-ack-handshake-server", &[])),
        ("struct", CommandLine::new("fix-struct-prefix-server", &RAW)),
        ("json", CommandLine::new("fix-json-header-server", &RAW)),
        ("threaded", CommandLine::new("threaded-server", &RAW)),
        (WRONG, CommandLine::new("zoo-no-screening", &[]).at("--listen", "127.0.0.1:8888")),
    ];
    scene.terminals(&[&servers[0].1])?;
    scene.then("open a page with <img src=http://127.0.0.1:8888/;touch$IFS/tmp/x;>")?;
    scene.then("then ls /tmp/x")?;
    scene.then("and the same with the others:")?;
    servers[1..].iter().try_for_each(|(_, typed)| scene.then_type(typed))?;
    scene.blank()?;
    scene.says("browser", "GET /;touch$IFS/tmp/x; HTTP/1.1")?;
    scene.says(
        "browser",
        "Host: 127.0.0.1:8888 (and so on; here the file is in a private directory)",
    )?;

    let mut findings = Findings::default();
    let mut made = Vec::new();
    for (label, typed) in &servers {
        let file = scene.directory().join(format!("made-by-{label}"));
        let request = request(&file.to_string_lossy());
        let server = scene.server(label, typed, "127.0.0.1")?;
        let answer = browse(&server.address()?, &request, *label == "ack")
            .map_err(SetupError::peer("browsing"))?;
        // When it has answered and ended, nothing of it is still running.
        server.signal(Signal::TERM);
        server.end_somehow()?;
        let exists = file.exists();
        scene.says(label, if *label == WRONG { SHELL_SAID.to_owned() } else { said(&answer) })?;
        scene.says(label, if exists { "(the file is there)" } else { "(no file)" })?;
        findings.equal(&format!("{label}: the file is there"), exists, *label == WRONG);
        if *label != WRONG {
            findings.equal(
                &format!("{label}: refused"),
                said(&answer).starts_with("refused: "),
                true,
            );
        }
        made.extend(exists.then_some(*label));
    }
    scene.came(match made.contains(&WRONG) {
        true => "it's created",
        false => "nothing: a shell can't run HTTP",
    });
    Ok(findings.verdict(
        "five servers refused and created nothing; the one that does not look created the file",
    ))
}

/// The part that matters of what a browser sends for such an image: the path is in the first line.
fn request(file: &str) -> String {
    format!(
        "GET /;touch$IFS{file}; HTTP/1.1\r\n\
         Host: 127.0.0.1:8888\r\n\
         User-Agent: Mozilla/5.0\r\n\
         Accept: image/avif,image/webp,*/*;q=0.8\r\n\
         Connection: keep-alive\r\n\r\n"
    )
}

/// Sends the request, and returns what came back. The handshake server sends its answer only after `OK`; a browser
/// wouldn't say that, but then there would be nothing to show.
fn browse(address: &str, request: &str, handshake: bool) -> io::Result<Vec<u8>> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    conn.write_all(request.as_bytes())?;
    let mut answer = vec![0; 1024];
    let n = conn.read(&mut answer)?;
    answer.truncate(n);
    if handshake {
        conn.write_all(b"OK")?;
    }
    // The server that does not screen would wait for more.
    conn.shutdown(Shutdown::Write)?;
    conn.read_to_end(&mut answer)?;
    Ok(answer)
}

/// The words of a refusal, without the length or header before it and the advice after it.
fn said(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let words = text.find("refused: ").map_or(&*text, |at| &text[at..]);
    words.split("; ").next().unwrap_or(words).to_owned()
}
