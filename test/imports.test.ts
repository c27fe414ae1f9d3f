import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * Imports run one way: a folder takes from those below it in this list, and from itself. Types count too, since a type that
 * points upwards is a dependency that a reader has to follow. CONTRIBUTING.md shows the same list to readers.
 */
const FOLDERS = [
  ".",
  "api",
  "metrics",
  "downloads",
  "http",
  "cleanup",
  "backup",
  "deletion",
  "previews",
  "instance",
  "fleet",
  "orders",
  "providers",
  "alerts",
  "history",
  "openid",
  "accounts",
  // Low, because alerts and instances count into it.
  "service",
  "outbound",
  "platform",
  "replay",
  "lifecycle",
];

/** The same within the pure core. `views` show what `rules` decided; nothing that decides looks at a view. */
const CORE = ["views", ".", "invariants", "rules", "model"];

const SOURCE = join(import.meta.dirname, "../src");

interface Import {
  readonly from: string;
  readonly to: string;
}

/** A file that is longer should be two. */
const LINES_AT_MOST = 300;

const sources = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts"),
);

/** The relative imports of all TypeScript files, as paths in `src/`. */
const imports: readonly Import[] = sources.flatMap((file) => {
  const text = readFileSync(join(SOURCE, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, path]) => ({
    from: file,
    to: relative(SOURCE, join(SOURCE, dirname(file), String(path))),
  }));
});

/** The folders of CONTRIBUTING.md's first table, from top to bottom; `.` for the files beside them. */
function foldersInGuide(): string[] {
  const guide = readFileSync(join(SOURCE, "../CONTRIBUTING.md"), "utf8");
  const [, table = ""] = /^((?:\|.*\n)+)/m.exec(guide) ?? [];
  const cells = table.split("\n").map((row) => row.split("|")[1] ?? "");
  const paths = cells.flatMap((cell) =>
    [...cell.matchAll(/`src\/([^`]+)`/g)].map(([, path]) => String(path)),
  );
  return [...new Set(paths.map(folderOf))];
}

/** The first folder of a path; `.` for a file beside the folders. */
function folderOf(path: string): string {
  return path.split("/").at(-2) === undefined ? "." : String(path.split("/")[0]);
}

const upwards = (among: readonly Import[], order: readonly string[], folder: (path: string) => string) =>
  among
    .filter(({ from, to }) => {
      const [upper, lower] = [order.indexOf(folder(from)), order.indexOf(folder(to))];
      return upper === -1 || lower === -1 || upper > lower;
    })
    .map(({ from, to }) => `${from} imports ${to}`);

const ofDashboard = imports.filter(({ from }) => folderOf(from) === "dashboard");
const ofService = imports.filter(({ from }) => folderOf(from) !== "dashboard");

describe("an import", () => {
  it("is found at all", () => {
    expect(imports).toContainEqual({ from: "worker.ts", to: "router.ts" });
    expect(imports.length).toBeGreaterThan(300);
  });

  it("of the service leads to the same folder or to one below it", () => {
    const inside = ofService.filter(({ to }) => !to.startsWith(".."));
    expect(upwards(inside, FOLDERS, folderOf)).toEqual([]);
  });

  it("runs as CONTRIBUTING.md shows it", () => {
    expect(foldersInGuide()).toEqual(FOLDERS);
  });

  it("leaves src/ for the agents' texts and the version alone", () => {
    const outside = new Set(imports.filter(({ to }) => to.startsWith("..")).map(({ to }) => to));
    const isAgent = (path: string) => /^\.\.\/agent\/(released\/[\d.]+\/)?dumont-agent$/.test(path);
    expect([...outside].filter((path) => !isAgent(path))).toEqual(["../package.json"]);
    expect([...outside].filter(isAgent).length).toBeGreaterThan(1);
  });

  it("of the pure core stays in it, and runs from views over rules to the model", () => {
    const ofCore = ofService.filter(({ from }) => folderOf(from) === "lifecycle");
    expect(ofCore.filter(({ to }) => folderOf(to) !== "lifecycle")).toEqual([]);
    const inCore = (path: string) => folderOf(relative("lifecycle", path));
    expect(upwards(ofCore, CORE, inCore)).toEqual([]);
  });

  it("of the page takes nothing from the service but types and what is pure", () => {
    expect(
      ofDashboard
        .filter(({ to }) => folderOf(to) !== "dashboard" && folderOf(to) !== "lifecycle")
        .filter(({ from, to }) => {
          const text = readFileSync(join(SOURCE, from), "utf8");
          const path = relative(dirname(join(SOURCE, from)), join(SOURCE, to));
          return !new RegExp(`import type [^;]*"${path.replaceAll(".", "\\.")}"`).test(text);
        })
        .map(({ from, to }) => `${from} imports ${to}`),
    ).toEqual([]);
  });
});

it("no file of src/ is long, but for styles", () => {
  const lines = (file: string) => readFileSync(join(SOURCE, file), "utf8").split("\n").length - 1;
  expect(sources.filter((file) => lines(file) > LINES_AT_MOST)).toEqual([]);
});
