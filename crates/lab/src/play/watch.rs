//! The program under strace, which sees each of its calls.

use std::path::Path;

use stage::has_strace;

use super::submission::Submission;

/// The same program with strace beside it, which writes the program's calls to `file`; `None` if there is no strace.
///
/// With `-D`, the program stays our child, and strace is a process of its own, so signals reach the program and the
/// exit code is the program's.
pub(crate) fn watched(submission: &Submission, file: &Path) -> Option<Submission> {
    const STRACE: &str = "strace -D -f -ttt -T -yy -xx -s 65536 \
        -e trace=network,read,write,readv,writev,close,sendfile,splice -o";
    if !has_strace() {
        return None;
    }
    let strace = STRACE.split_whitespace().map(str::to_owned);
    let file = file.to_str()?.to_owned();
    let command = strace.chain([file, "--".to_owned()]).chain(submission.command.iter().cloned());
    Some(Submission { command: command.collect(), ..submission.clone() })
}
