// Runs a long command so that nobody wonders whether it still does something.
//
//   progress.mjs run [--bar] <name> <words> <command>...   runs it, and remembers under <name> how long it took
//   progress.mjs plan <title>                              says what is to be done: lines of <name>, a tab, <words> on stdin
//
// With --bar the command shows on a terminal how far it is, as Cargo does, and gets the terminal. All others, and all without
// a terminal, have their output kept, of which the end is shown when they fail; every few seconds a line says how far they are.
// Needs nothing but Node.js: the packages of npm are among what it waits for.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { FIRST_TIME, lastBar, planLines, statusLine } from "./estimate.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TIMES = path.join(ROOT, ".tools", "times");

/** Pause between two lines. Whoever has heard nothing for a quarter of a minute looks whether it hangs. */
const REPORT_EVERY_MS = 10_000;

/** How much of a command's output is kept for when it fails: several screens of compiler errors. */
const KEPT_CHARS = 64 * 1024;

/** What takes less was not done, but found done: it says nothing of the next time, in seconds. */
const WORTH_REMEMBERING = 5;

/** The time a thing took last, or takes the first time. */
function expected(name) {
  try {
    const seconds = Number(readFileSync(path.join(TIMES, name), "utf8"));
    if (Number.isFinite(seconds) && seconds > 0) return seconds;
  } catch {
    // It has not been done here yet.
  }
  return FIRST_TIME[name];
}

function remember(name, seconds) {
  if (seconds < WORTH_REMEMBERING) return;
  mkdirSync(TIMES, { recursive: true });
  const file = path.join(TIMES, name);
  // Two may be at it: neither reads half a number.
  const written = `${file}.${process.pid}`;
  writeFileSync(written, `${Math.round(seconds)}\n`);
  renameSync(written, file);
}

/** Cargo draws its bar for us as well if it is told to, and how wide. */
const BAR_ENV = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "80", CARGO_TERM_COLOR: "never" };

/** What a person wants to see of the output of a command that failed: its messages, without the bars between them. */
function messages(output) {
  return output
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "" && lastBar(line) === undefined)
    .join("\n");
}

function run(name, words, command, showsBar) {
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1000;
  const kept = !(showsBar && process.stderr.isTTY);
  const expects = expected(name);
  let child;
  // The command's end is ours. Where it runs beside a script it was told to ignore Ctrl-C, so it is not sent on as that. The
  // command must not be there before this is.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child?.kill("SIGTERM"));
  child = spawn(command[0], command.slice(1), {
    stdio: kept ? ["inherit", "pipe", "pipe"] : ["inherit", process.stderr, process.stderr],
    env: kept && showsBar ? { ...process.env, ...BAR_ENV } : process.env,
  });
  let output = "";
  let bar;
  const keep = (data) => {
    output = (output + data).slice(-KEPT_CHARS);
    bar = lastBar(output) ?? bar;
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  const report = () => process.stderr.write(`    ${statusLine(words, { elapsed: elapsed(), expected: expects, bar })}\n`);
  const reports = kept ? setInterval(report, REPORT_EVERY_MS) : undefined;
  child.on("error", (error) => {
    process.stderr.write(`${command[0]}: ${error.message}\n`);
    process.exit(127);
  });
  child.on("close", (code) => {
    clearInterval(reports);
    if (code === 0) remember(name, elapsed());
    else if (kept) process.stderr.write(`${messages(output)}\n`);
    process.exitCode = code ?? 1;
  });
}

async function plan(title) {
  const lines = (await text(process.stdin)).split("\n").filter((line) => line !== "");
  const things = lines.map((line) => line.split("\t")).map(([name, words]) => ({ name, words }));
  for (const line of planLines(title, things, expected)) process.stderr.write(`${line}\n`);
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "plan") {
  await plan(rest[0]);
} else if (mode === "run") {
  const showsBar = rest[0] === "--bar";
  const [name, words, ...command] = showsBar ? rest.slice(1) : rest;
  run(name, words, command, showsBar);
} else {
  process.stderr.write(`progress.mjs: nothing is known as ${mode}\n`);
  process.exitCode = 2;
}
