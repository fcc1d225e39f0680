//! A network at one end of the line: a namespace, and a shell in it that does what we say.

use crate::{End, LinkError};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tappers::linux::Tun;

/// A user's PATH often lacks the folders of `ip`.
const SBIN: &str = r#"PATH="$PATH:/usr/sbin:/sbin""#;

/// A network namespace with its loopback, and one device that leads to the other end.
///
/// It lives as long as its shell, and the shell as long as we do, because its standard input is our pipe.
#[derive(Debug)]
pub struct Network {
    shell: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Network {
    /// Makes the network, and the device through which it is reached: what programs in it send to the other end can be
    /// read from the device, as IP packets.
    ///
    /// Only inside, after [`segments::enter`]: making network devices needs the permission, and nobody else should find
    /// them in their network.
    ///
    /// # Errors
    /// [`LinkError`] when the system refuses.
    pub fn start(end: End) -> Result<(Network, Tun), LinkError> {
        let mut shell = Command::new("unshare");
        shell.args(["--net", "--", "sh"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C in our terminal is meant for us. It would also end the shells, and both networks with them,
        // before we could print our counts. The end of its input ends a shell in any group.
        shell.process_group(0);
        let doing = "starting a shell in a network of its own";
        let mut shell = shell.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => LinkError::Network(segments::CaptureError::Missing {
                program: "unshare",
                package: "util-linux",
            }),
            _ => LinkError::system(doing)(error),
        })?;
        let (Some(commands), Some(answers)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(LinkError::system(doing)(ErrorKind::BrokenPipe.into()));
        };
        let mut network = Network { shell, commands, answers: BufReader::new(answers) };
        network.run(SBIN)?;
        network.run("ip link set lo up")?;

        // The system picks the name: another link may be doing the same, in the same network.
        let tun = Tun::new().map_err(LinkError::Device)?;
        let first_name = tun.name().map_err(LinkError::Device)?.name();
        tun.set_nonblocking(true).map_err(LinkError::Device)?;
        // The device moves, our descriptor stays.
        let (name, here, there) = (end.name(), end.address(), end.other().address());
        let first_name = first_name.display();
        move_device(&format!("ip link set {first_name} netns {} name {name}", network.pid()))?;
        // No automatic IPv6 address: it would send packets that nobody asked for.
        network.run(&format!("ip link set {name} addrgenmode none"))?;
        network.run(&format!("ip address add {here} peer {there} dev {name}"))?;
        network.run(&format!("ip link set {name} up"))?;
        Ok((network, tun))
    }

    /// The process whose network it is: `nsenter --target PID --net` enters it.
    pub fn pid(&self) -> u32 {
        self.shell.id()
    }

    /// Has the shell run a command, and waits for it.
    fn run(&mut self, command: &str) -> Result<(), LinkError> {
        let doing = "talking to a shell";
        writeln!(self.commands, "{command} 2>&1; echo done $?")
            .map_err(LinkError::system(doing))?;
        let mut said = String::new();
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line).map_err(LinkError::system(doing))? == 0 {
                said.push_str("the shell has ended");
                break;
            }
            match line.strip_prefix("done ").map(str::trim_end) {
                Some("0") => return Ok(()),
                Some(_) => break,
                None => said.push_str(line.trim_end()),
            }
        }
        Err(LinkError::Prepare { command: command.to_owned(), said })
    }
}

/// Runs the command on our side, where the device still is.
fn move_device(command: &str) -> Result<(), LinkError> {
    let mut shell = Command::new("sh");
    let moved = shell.args(["-c", &format!("{SBIN} {command}")]).output();
    let moved = moved.map_err(LinkError::system("moving a device"))?;
    let said = String::from_utf8_lossy(&moved.stderr).trim_end().to_owned();
    let failed = || LinkError::Prepare { command: command.to_owned(), said };
    moved.status.success().then_some(()).ok_or_else(failed)
}

impl Drop for Network {
    fn drop(&mut self) {
        // It ends by itself when its input does. If we didn't wait for it, it would stay a zombie.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
