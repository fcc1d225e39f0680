// The runs that the browser test looks at: three of the course's own programs, and a long one made by hand.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const programs = process.env.PROGRAMS; // where cargo puts them

// Starts a server on a free port, runs a client against it, and says where both wrote what they recorded.
async function record(dir, name, serverArguments, clientArguments) {
  const [client, server] = ["client", "server"].map((side) => join(dir, `${name}.${side}`));
  const common = (trace, place, address) => ["--trace", trace, place, address];
  const running = spawn(
    join(programs, "sticky-packet-repro-server"),
    [...common(server, "--listen", "127.0.0.1:0"), ...serverArguments],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(running, "exit");
  const lines = createInterface({ input: running.stdout });
  const [line] = await once(lines, "line");
  const address = line.replace("listening on ", "");
  execFileSync(
    join(programs, "sticky-packet-repro-client"),
    [...common(client, "--connect", address), ...clientArguments],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  running.stdin.end("\n"); // a server on hold accepts now
  if (serverArguments[0] === "shell") running.kill("SIGTERM");
  await ended;
  return [client, server];
}

// Two hundred messages of 50 bytes, and a server that takes one byte at a time.
function long(dir) {
  const [client, server] = ["client", "server"].map((side) => join(dir, `long.${side}`));
  const begin = (pid, call, local, peer) => ({ t_us: pid, pid, call, conn: 1, local, peer });
  const moved = (t_us, pid, call, asked, offset, text) => ({
    ...{ t_us, pid, call, conn: 1, dir: call === "send" ? "out" : "in", asked, got: text.length, offset },
    data: Buffer.from(text).toString("base64"),
  });
  const text = "a message of the long run, fifty bytes, and a stop";
  const sent = [begin(1, "connect", "127.0.0.1:5000", "127.0.0.1:8888")];
  const taken = [begin(2, "accept", "127.0.0.1:8888", "127.0.0.1:5000")];
  for (let at = 0; at < 200; at++) sent.push(moved(10 + at, 1, "send", text.length, at * text.length, text));
  for (let at = 0; at < 200 * text.length; at++) {
    taken.push(moved(1000 + at, 2, "recv", 1, at, text[at % text.length]));
  }
  for (const [file, events] of [[client, sent], [server, taken]]) {
    writeFileSync(file, events.map((event) => JSON.stringify(event) + "\n").join(""));
  }
  return [client, server];
}

// Each run as a page and as an SVG, by its name.
export async function pages(dir) {
  const shell = (command) => [["shell"], ["shell", "--bufsize", "4", "-c", command, "-c", "echo ok"]];
  const traces = {
    short: await record(dir, "short", ["two-reads", "--hold", "--reads", "2,5"], ["two-sends"]),
    chinese: await record(dir, "chinese", ...shell("echo 你好，世界")),
    binary: await record(dir, "binary", ...shell("printf '\\000\\001\\377\\033[31m</script><!--\\n\\t&amp;'")),
    long: long(dir),
  };
  const made = {};
  for (const [name, files] of Object.entries(traces)) {
    const [html, svg] = ["html", "svg"].map((kind) => join(dir, `${name}.${kind}`));
    execFileSync(join(programs, "timeline"), [...files, "--html", html, "--svg", svg], { stdio: ["ignore", "ignore", "inherit"] });
    made[name] = { html, svg, calls: readFileSync(html, "utf8").match(/"t":/g).length };
  }
  return made;
}
