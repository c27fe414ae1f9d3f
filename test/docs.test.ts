import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";

/** What the documents say of the repository is true of it: files that they name exist, and ways to read it are short. */

const ROOT = join(import.meta.dirname, "..");
const FOLDERS = ["src", "test", "agent", "bench", "docs", "migrations", "monitoring", "scripts", ".ci"];

/** What a run leaves behind, so that it is not always there. */
const MADE = ["bench/results.json"];

const read = (document: string) => readFileSync(join(ROOT, document), "utf8");

/** A document without its blocks of code. */
const proseOf = (document: string) => read(document).replaceAll(/^```[\s\S]*?^```/gm, "");

const files: readonly string[] = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  ),
];

/** Paths from the root in backticks. */
function pathsIn(text: string): string[] {
  return [...text.matchAll(/`([^`\s]+)`/g)]
    .map(([, path]) => String(path))
    .filter((path) => FOLDERS.some((folder) => path.startsWith(`${folder}/`)) && !MADE.includes(path));
}

/** The path as it is on disk. `<kind>` stands for a name of the reader's own: then its folder is meant. */
const onDisk = (path: string) => path.replace(/[^/]*<.*$/, "").replace(/\/$/, "");

/** Names of TypeScript files without a folder, such as `decide.ts`, in backticks. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`([\w.-]+\.tsx?)`/g)].map(([, name]) => String(name));
}

function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path]) => String(path));
}

/** The sections under headings of this level, by heading. */
function sections(text: string, level: number): Map<string, string> {
  const marks = "#".repeat(level);
  const parts = text.split(new RegExp(`^${marks} `, "m")).slice(1);
  return new Map(
    parts.map((part) => {
      const [heading = "", ...lines] = part.split("\n");
      return [heading, lines.join("\n").split(new RegExp(`^#{1,${level}} `, "m"))[0] ?? ""];
    }),
  );
}

const documents = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

describe.each(documents)("%s", (document) => {
  const text = proseOf(document);

  it("links to documents that exist", () => {
    const folder = document.split("/").slice(0, -1).join("/");
    expect(linksIn(text).filter((link) => !files.includes(join(folder, link)))).toEqual([]);
  });
});

// A decision tells of the code as it was when it was made.
describe.each(documents.filter((document) => !document.startsWith("docs/decisions/")))("%s", (document) => {
  const text = proseOf(document);

  it("names files that exist", () => {
    const unknown = namesIn(text).filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)));
    const paths = pathsIn(text).map(onDisk);
    expect([...paths.filter((path) => !files.includes(path)), ...unknown]).toEqual([]);
  });
});

describe("README.md, to find one's way", () => {
  const ways = sections(sections(read("README.md"), 2).get("Find your way") ?? "", 3);

  it("leads along a heartbeat, an alert and an order", () => {
    expect([...ways.keys()]).toEqual(["One heartbeat", "One alert", "One order"]);
  });

  it.each([...ways])("%s takes eight files at most, each once", (_, way) => {
    const steps = way.split("\n").filter((line) => /^\d+\. /.test(line));
    const paths = steps.flatMap(pathsIn);
    expect(paths).toHaveLength(steps.length);
    expect(new Set(paths).size).toBe(steps.length);
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.length).toBeLessThanOrEqual(8);
    for (const path of paths) expect(statSync(join(ROOT, path)).isFile(), path).toBe(true);
  });
});

describe("CONTRIBUTING.md, where things are", () => {
  const text = read("CONTRIBUTING.md");
  const actors = [...sections(text, 3)].filter(([heading]) => /^`src\/\w+\/`$/.test(heading));

  it("tells of the actors of an instance and of a fleet", () => {
    expect(actors.map(([heading]) => heading)).toEqual(["`src/instance/`", "`src/fleet/`"]);
  });

  it.each(actors)("%s has every file and folder of it, and no other", (heading, section) => {
    const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => String(cell));
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => String(name)));
    const there = readdirSync(join(ROOT, heading.replaceAll("`", "")), { withFileTypes: true });
    const names = there.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    expect(named.toSorted()).toEqual(names.toSorted());
  });

  it("has every script of package.json among its commands, and no other", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read("package.json")));
    const commands = sections(text, 2).get("Commands") ?? "";
    const named = [...commands.matchAll(/^npm (?:run )?([\w:-]+)/gm)].map(([, name]) => String(name));
    expect(named.toSorted()).toEqual(Object.keys(scripts).toSorted());
  });
});

describe("CONTRIBUTING.md, to add something", () => {
  const additions = [...sections(read("CONTRIBUTING.md"), 2)].filter(([heading]) =>
    heading.startsWith("Add a"),
  );

  it("tells of a channel, a policy field and a page of the API", () => {
    const headings = additions.map(([heading]) => heading);
    expect(headings).toContain("Add an alert channel");
    expect(headings).toContain("Add a policy field");
    expect(headings).toContain("Add a page of the API");
  });

  it.each(additions)("%s has a row for every file that it names, and for no two together", (_, text) => {
    const rows = rowsOf(text);
    expect(rows.length).toBeGreaterThan(0);
    const named = [...pathsIn(text), ...namesIn(text)].filter((name) => !name.startsWith("test/"));
    expect(named.filter((name) => !rows.some(({ file }) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
  });

  it.each(additions)("%s takes few files, tests and what is optional apart", (_, text) => {
    const required = rowsOf(text).filter(({ purpose }) => !purpose.startsWith("only if "));
    expect(required.length).toBeGreaterThan(0);
    expect(required.length).toBeLessThanOrEqual(4);
  });
});

/** The rows of a section's table whose first cell is a file. */
function rowsOf(text: string): { readonly file: string; readonly purpose: string }[] {
  return [...text.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, file, purpose]) => ({
    file: String(file),
    purpose: String(purpose),
  }));
}
