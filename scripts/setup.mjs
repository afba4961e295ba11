/**
 * Brings a fresh clone to where the server or the tests can run: Node 24, the dependencies, the
 * build, a browser. Shared by start.mjs and test.mjs; `node scripts/setup.mjs` alone stops after the
 * build.
 *
 * Runs before anything is installed, on any Node >= 20: only node: modules, and no name in an import
 * that an older Node lacks, since a failed import would hide the sentence about the version.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The oldest Node that can run these scripts, and the one that Nightjar itself needs. */
const SCRIPT_NODE_MAJOR = 20;
const SERVER_NODE_MAJOR = 24;

export const rootDirectory = dirname(dirname(fileURLToPath(import.meta.url)));
/**
 * How Node runs the server, as the first line of the CLI says too. What it makes is mostly short-lived:
 * without a limit the young generation grows to many times what the rest needs, and stays there.
 */
export const serverNodeOptions = ["--max-semi-space-size=4"];
/**
 * What it is run with besides, where nobody has chosen otherwise: glibc makes an arena for each thread
 * of Node's, and what is free in one of them is of no use to the others.
 */
export const serverEnvironment = { MALLOC_ARENA_MAX: "2" };
export const cliPath = join(rootDirectory, "dist", "cli", "nightjar.js");

const modulesDirectory = join(rootDirectory, "node_modules");
const binDirectory = join(modulesDirectory, ".bin");
const lockPath = join(rootDirectory, "package-lock.json");
const installStampPath = join(modulesDirectory, ".nightjar-stamp");
const distDirectory = join(rootDirectory, "dist");
const buildStampPath = join(distDirectory, ".nightjar-build-stamp");
const consoleDirectory = join(rootDirectory, "console");
const consoleStampPath = join(distDirectory, ".nightjar-console-stamp");

/** A failure whose message is all that the person at the terminal needs: no stack is printed. */
export class SetupError extends Error {}

/**
 * Dependencies, Node 24 and build, each only when it is missing or out of date.
 *
 * @returns {Promise<string>} the path of a Node that can run Nightjar
 */
export async function prepare() {
  requireScriptNode();
  await installDependencies();
  const node = await findServerNode();
  await build(node);
  return node;
}

/** Brings what the server runs besides Node, as far as it is missing and can be installed. */
export async function prepareMachine(node) {
  await prepareBrowser(node);
  await prepareEncoder(node);
  await prepareFirewall(node);
}

/** Finds a browser, or installs one, through the command that does the same for an operator. */
async function prepareBrowser(node) {
  if (!existsSync(cliPath)) {
    throw new SetupError(
      `The build made no ${relative(rootDirectory, cliPath)}. Run \`npm run build\` to see why.`,
    );
  }
  // On stderr: stdout belongs to what runs afterwards.
  const { code } = await runChild(node, [cliPath, "install-browser"], {
    stdio: ["ignore", 2, 2],
  });
  if (code !== 0) throw new SetupError("No browser to run sessions in: see the lines above.");
}

/** Finds a video encoder, or installs one. The server runs without, and says what is missing then. */
async function prepareEncoder(node) {
  await runChild(node, [cliPath, "install-encoder"], { stdio: ["ignore", 2, 2] });
}

/** Finds the firewall's tool, or installs it where the server is root. It runs without, and says so. */
async function prepareFirewall(node) {
  await runChild(node, [cliPath, "install-firewall"], { stdio: ["ignore", 2, 2] });
}

/** Runs `main`, prints the message of what it throws, and sets the exit code. */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(
      `${error instanceof SetupError ? error.message : (error?.stack ?? error)}\n`,
    );
  }
}

function requireScriptNode() {
  if (process.platform === "win32") {
    throw new SetupError(
      "Nightjar runs on Linux and macOS. On Windows, run it inside WSL (Windows Subsystem for Linux).",
    );
  }
  if (majorOf(process.version) < SCRIPT_NODE_MAJOR) {
    throw new SetupError(
      `Nightjar needs Node ${SCRIPT_NODE_MAJOR} or newer to install itself, and this is Node ${process.version}. Install a current Node from your system's packages or from nodejs.org, then run this again.`,
    );
  }
}

async function installDependencies() {
  if (!existsSync(lockPath)) {
    throw new SetupError(
      "package-lock.json is missing, so it is unknown which dependencies to install. Restore it from the repository: `git checkout package-lock.json`.",
    );
  }
  const wanted = hashOf([lockPath]);
  if (readIfThere(installStampPath) === wanted) return;
  if (!installedByHand()) {
    await step("Installing dependencies", async () => {
      const [command, ...args] = npmCommand();
      const { code, output } = await runChild(
        command,
        [
          ...args,
          // Not `npm ci`: it refuses a lock that lacks the binaries of other platforms, and npm
          // writes such a lock wherever a registry does not serve them all. This keeps to the
          // lock's versions just as well, and writes neither it nor package.json.
          "install",
          "--no-save",
          // The build needs TypeScript and Node 24, which NODE_ENV=production would leave out.
          "--include=dev",
          // The Node that runs npm may be older than our `engines`: it only installs.
          "--engine-strict=false",
          "--no-audit",
          "--no-fund",
          "--no-progress",
          "--loglevel=error",
        ],
        { env: { ...process.env, PATH: pathWithout(binDirectory) } },
      );
      if (code !== 0) {
        throw new SetupError(
          `${tellingLines(output)}\n\n\`npm install\` failed with exit code ${code}: the lines above are npm's. Check that the npm registry can be reached (\`npm ping\`) and that ${modulesDirectory} is writable, then run this again.`,
        );
      }
    });
  }
  writeFileSync(installStampPath, wanted);
}

/**
 * Whether npm, run by hand, already brought what the lock asks for: npm
 * leaves in node_modules a copy of the lock as installed. Spares a developer the reinstall.
 */
function installedByHand() {
  try {
    const wanted = JSON.parse(readFileSync(lockPath, "utf8")).packages;
    const present = JSON.parse(
      readFileSync(join(modulesDirectory, ".package-lock.json"), "utf8"),
    ).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === "") return true;
      const found = present[path];
      // Packages for other platforms are in the lock but never installed.
      if (found === undefined) return entry.optional === true || entry.devOptional === true;
      return found.version === entry.version && found.integrity === entry.integrity;
    });
  } catch {
    return false;
  }
}

/**
 * The npm that runs this script, on the Node that runs it: not whatever PATH finds, which under
 * `npm start` is node_modules/.bin, about to be replaced by npm.
 */
function npmCommand() {
  const { npm_execpath: npmPath, npm_node_execpath: nodePath } = process.env;
  const isNpm = npmPath !== undefined && /npm-cli\.c?js$/.test(npmPath);
  if (isNpm && nodePath !== undefined && existsSync(nodePath)) return [nodePath, npmPath];
  return ["npm"];
}

/**
 * The running Node when it is new enough, else the one that the npm package `node` brings. That one
 * is fetched by the package's preinstall script, so it is missing where install scripts are off.
 */
async function findServerNode() {
  const running = process.execPath;
  const brought = join(binDirectory, "node");
  // A running Node inside node_modules may have been replaced by the install just done.
  const isOurs = running.startsWith(modulesDirectory + sep);
  if (!isOurs && majorOf(process.version) >= SERVER_NODE_MAJOR) return running;
  if (existsSync(brought)) {
    const { code, output } = await runChild(brought, ["--version"]);
    if (code === 0 && majorOf(output.trim()) >= SERVER_NODE_MAJOR) return realpathSync(brought);
  }
  throw new SetupError(
    `Nightjar needs Node ${SERVER_NODE_MAJOR}; this is Node ${process.version}, and the npm package \`node\`, which brings Node ${SERVER_NODE_MAJOR}, is not in place: most likely because npm runs no install scripts here (\`npm config get ignore-scripts\`). Either allow it for this package, \`npm rebuild node --ignore-scripts=false\`, or install Node ${SERVER_NODE_MAJOR} yourself; then run this again.`,
  );
}

/** Builds the server and the console, side by side, each only when what it is made of changed. */
async function build(node) {
  mkdirSync(distDirectory, { recursive: true });
  const [server, web] = [serverBuild(), consoleBuild()];
  const due = [server, web].filter(({ stampPath, wanted }) => readIfThere(stampPath) !== wanted);
  if (due.length === 0) return;
  await step("Building", async () => {
    await Promise.all(due.map((part) => buildPart(node, part)));
  });
}

async function buildPart(node, { stampPath, wanted, commands, name, finish }) {
  rmSync(stampPath, { force: true });
  for (const args of commands) {
    const { code, output } = await runChild(node, args);
    if (code === 0) continue;
    throw new SetupError(
      `${lastLines(output, 40)}\n\nThe build failed: the lines above are the compiler's. If you changed nothing in ${name}/, remove node_modules and run this again.`,
    );
  }
  finish?.();
  writeFileSync(stampPath, wanted);
}

/** src/ is compiled to dist/. */
function serverBuild() {
  const sourceDirectory = join(rootDirectory, "src");
  const sources = filesIn(sourceDirectory).filter(
    (path) => /\.(?:ts|html|css)$/.test(path) && !path.endsWith(".test.ts"),
  );
  const bundleInPage = join(rootDirectory, "scripts", "build-in-page.mjs");
  const settings = ["tsconfig.json", "tsconfig.build.json", "tsconfig.in-page.json"].map((name) =>
    join(rootDirectory, name),
  );
  return {
    name: "src",
    stampPath: buildStampPath,
    wanted: hashOf([...sources, ...settings, bundleInPage, lockPath]),
    commands: [
      [join(modulesDirectory, "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
      [bundleInPage],
    ],
    finish: () => removeLeftovers(sources.map((path) => relative(sourceDirectory, path))),
  };
}

/** console/ is bundled to dist/console/. */
function consoleBuild() {
  const sources = filesIn(consoleDirectory, ["node_modules"]).filter(
    (path) => !/\.test\.tsx?$/.test(path),
  );
  const vite = join(modulesDirectory, "vite", "bin", "vite.js");
  return {
    name: "console",
    stampPath: consoleStampPath,
    wanted: hashOf([...sources, lockPath]),
    commands: [[vite, "build", consoleDirectory, "--logLevel", "warn"]],
  };
}

/** Removes what the compiler made from sources that are gone: it could still be imported. */
function removeLeftovers(sources) {
  const inPage = `in-page${sep}`;
  const viewer = `viewer${sep}`;
  const expected = new Set(
    sources.flatMap((path) => {
      // A folder of in-page/ becomes one script: see build-in-page.mjs.
      if (path.startsWith(inPage)) return [`${path.split(sep).slice(0, 2).join(sep)}.js`];
      if (path.startsWith(viewer)) return [`${viewer}viewer.js`];
      const compiled = path.replace(/\.ts$/, ".js");
      return [compiled, `${compiled}.map`];
    }),
  );
  for (const path of filesIn(distDirectory, ["console"])) {
    if (/\.js(\.map)?$/.test(path) && !expected.has(relative(distDirectory, path))) rmSync(path);
  }
}

/**
 * Shows that `title` is under way once it takes longer than a second: a line that counts on a
 * terminal, plain lines now and then elsewhere (a log keeps every line).
 */
export async function step(title, work) {
  const startedAt = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  let shown = false;
  let frame = 0;
  const show = () => {
    if (isTerminal) {
      process.stderr.write(`\r\x1b[K${"⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[frame++ % 10]} ${title} … ${seconds()} s`);
    } else {
      process.stderr.write(shown ? `${title}: ${seconds()} s so far\n` : `${title} ...\n`);
    }
    shown = true;
  };
  let repeat;
  const first = setTimeout(() => {
    show();
    repeat = setInterval(show, isTerminal ? 100 : 15_000);
  }, 1000);
  const stop = (ending) => {
    clearTimeout(first);
    clearInterval(repeat);
    if (!shown) return;
    process.stderr.write(
      `${isTerminal ? "\r\x1b[K" : ""}${title}: ${ending} after ${seconds()} s\n`,
    );
  };
  try {
    const result = await work();
    stop("done");
    return result;
  } catch (error) {
    stop("failed");
    throw error;
  }
}

/**
 * Runs a child to its end. A signal that this process gets goes on to the child, which answers for
 * the exit code; unless `stdio` says otherwise, what the child prints is collected, not shown.
 */
export function runChild(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: rootDirectory,
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    let output = "";
    let asked = null;
    const collect = (chunk) => {
      output = (output + chunk).slice(-100_000);
    };
    child.stdout?.setEncoding("utf8").on("data", collect);
    child.stderr?.setEncoding("utf8").on("data", collect);
    const forward = (signal) => {
      asked = signal;
      // A terminal's Ctrl-C has already reached the child: it goes to the whole process group.
      if (signal === "SIGINT" && process.stdin.isTTY === true) return;
      child.kill(signal);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.once("error", (error) => {
      done();
      reject(
        new SetupError(
          error.code === "ENOENT"
            ? `\`${command}\` was not found. Install it, or add its folder to PATH, then run this again.`
            : `\`${command}\` could not be run: ${error.message}`,
        ),
      );
    });
    child.once("close", (code, signal) => {
      done();
      if (asked !== null && options.stdio === undefined) {
        process.exit(128 + constants.signals[asked]);
      }
      resolve({ code: code ?? 128 + constants.signals[signal], output });
    });
  });
}

function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ""), 10) || 0;
}

function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of [...paths].sort()) {
    hash
      .update(`${relative(rootDirectory, path)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Every file below `directory`, except in the folders of it that are named. */
function filesIn(directory, except = []) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (except.includes(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function pathWithout(directory) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((part) => part !== directory)
    .join(delimiter);
}

/** npm puts the cause first and its usage last; install scripts put the cause last. */
function tellingLines(npmOutput) {
  const lines = npmOutput.split("\n").filter((line) => line.trim() !== "" && line !== "npm error");
  return lines.length <= 24
    ? lines.join("\n")
    : [...lines.slice(0, 12), "  ...", ...lines.slice(-12)].join("\n");
}

function lastLines(text, count) {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href
) {
  await runScript(async () => {
    await prepare();
    return 0;
  });
}
