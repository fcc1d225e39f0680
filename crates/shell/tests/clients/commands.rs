//! Where commands come from when none is on the command line, and what the client says about their end.

use stage::Program;

use crate::rows::{LONG, Row, client_rows, for_each_row};

#[test]
fn commands_from_standard_input() {
    for_each_row(client_rows(), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (input, expected) in [
            ("echo a\necho b\n", "a\nb\n"),
            ("\necho a\n\n   \necho b\n\n", "a\nb\n"),
            ("echo a\nquit\necho b\n", "a\n"),
            ("echo a", "a\n"),
            ("", ""),
        ] {
            assert_eq!(prints(&row, &address, &[], input), expected, "{}, {input:?}", row.name());
        }
    });
}

#[test]
fn the_prompt_where_it_is_asked_for() {
    for_each_row(client_rows(), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (prompt, expected) in [("always", ">>: hi\n>>: >>: "), ("auto", "hi\n")] {
            let input = "echo hi\n\nquit\necho never\n";
            let printed = prints(&row, &address, &["--prompt", prompt], input);
            assert_eq!(printed, expected, "{}, {prompt}", row.name());
        }
    });
}

/// If the answer says how a command ended, the client tells its user.
#[test]
fn how_a_command_ended_is_said() {
    for_each_row(client_rows().filter(Row::has_status), |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        for (command, stdout, says) in [
            ("exit 3", "", Some("code 3")),
            ("echo a; kill -9 $$", "a\n", Some("signal 9")),
            ("echo a; echo b >&2", "a\nb\n", None),
        ] {
            let mut client = row.client(&address);
            let client = Program::start(&row.name(), client.args(["-c", command])).unwrap();
            let done = client.wait(LONG).unwrap();
            assert_eq!(done.code, Some(0), "{}, {command}", row.name());
            assert_eq!(String::from_utf8(done.stdout).unwrap(), stdout, "{}", row.name());
            let stderr = String::from_utf8(done.stderr).unwrap();
            assert_eq!(stderr.lines().count(), says.iter().count(), "{}: {stderr}", row.name());
            assert!(says.is_none_or(|says| stderr.contains(says)), "{}: {stderr}", row.name());
        }
    });
}

/// What the client prints when this is its standard input.
fn prints(row: &Row, address: &str, args: &[&str], input: &str) -> String {
    let mut client = Program::start(&row.name(), row.client(address).args(args)).unwrap();
    client.write(input.as_bytes()).unwrap();
    let done = client.wait(LONG).unwrap();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.code == Some(0) && stderr.is_empty(), "{}: {stderr}", row.name());
    String::from_utf8(done.stdout).unwrap()
}
