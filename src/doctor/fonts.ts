import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { type Check, checkOf } from "./check.ts";

/** A script that pages are written in, a character of it, and how files of its fonts are called. */
interface Script {
  readonly name: string;
  readonly character: string;
  readonly files: RegExp;
  readonly debianPackage: string;
}

const scripts: readonly Script[] = [
  { name: "Latin", character: "A", files: /\.(ttf|otf|ttc|pfb)$/i, debianPackage: "fonts-dejavu" },
  {
    name: "Chinese, Japanese and Korean",
    character: "漢",
    files: /cjk|wqy|ipa|takao|nanum|source-?han|unifont|fallback/i,
    debianPackage: "fonts-noto-cjk",
  },
  {
    name: "emoji",
    character: "😀",
    files: /emoji|symbola/i,
    debianPackage: "fonts-noto-color-emoji",
  },
];

const fontDirectories = ["/usr/share/fonts", "/usr/local/share/fonts"];

const check = checkOf("fonts");

/** Whether pages show their text, and not empty boxes. The system alone counts: browsers have a home of their own. */
export async function checkFonts(): Promise<Check> {
  if (process.platform !== "linux") return check.ok("the system brings its own");
  const missing: Script[] = [];
  for (const script of scripts) if (!(await hasFont(script))) missing.push(script);
  if (missing.length === 0) return check.ok(scripts.map(({ name }) => name).join("; "));
  const names = missing.map(({ name }) => name).join("; ");
  const packages = missing.map(({ debianPackage }) => debianPackage).join(" ");
  return check.warning(
    `There is no font for: ${names}. Pages show empty boxes instead: install one (Debian and Ubuntu: \`apt-get install ${packages}\`).`,
  );
}

async function hasFont({ character, files }: Script): Promise<boolean> {
  const code = character.codePointAt(0)?.toString(16);
  try {
    const { stdout } = await promisify(execFile)("fc-list", [`:charset=${code}`, "file"], {
      env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
      timeout: 20_000,
    });
    return stdout.trim() !== "";
  } catch {
    // Without fontconfig's own tool, names have to do.
    const listings = await Promise.all(
      fontDirectories.map((directory) => readdir(directory, { recursive: true }).catch(() => [])),
    );
    return listings.flat().some((file) => files.test(file));
  }
}
