import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const BUILT = resolve(import.meta.dirname, "../../dist/dashboard");

it("the first load is under 100 KB compressed, and asks nobody else for anything", async () => {
  const page = await readFile(join(BUILT, "index.html"), "utf8");
  const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? "");
  expect(addresses.length).toBeGreaterThanOrEqual(3);
  for (const address of addresses) expect(address).toMatch(/^\/[^/]/);
  const files = await Promise.all(addresses.map((address) => readFile(join(BUILT, address))));
  const bytes = [Buffer.from(page), ...files].reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(bytes).toBeLessThan(100 * 1024);
});

it("checks nothing by Zod: the service does, and the page would grow by it", async () => {
  const scripts = (await readdir(join(BUILT, "built"))).filter((name) => /^(?!docs).*\.js$/.test(name));
  expect(scripts.length).toBeGreaterThanOrEqual(3);
  for (const script of scripts) {
    expect(await readFile(join(BUILT, "built", script), "utf8"), script).not.toContain("ZodError");
  }
});
