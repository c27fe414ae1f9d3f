import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";

/** Runs the `wrangler` that stands first in the path, as `npm run` sets it. */

const ROOT = resolve(import.meta.dirname, "../..");

const uploadSchema = z.object({ type: z.enum(["version-upload", "deploy"]), version_id: z.string() });

interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

export class Wrangler {
  /** Its output, or what it said when it failed. */
  async ask(args: readonly string[]): Promise<Answer> {
    const { code, stdout, stderr } = await this.#run(args, "pipe");
    return code === 0 ? { ok: true, text: stdout } : { ok: false, text: `${stdout}${stderr}`.trim() };
  }

  /** Its output. Throws what it said when it failed. */
  async answer(args: readonly string[]): Promise<string> {
    const { ok, text } = await this.ask(args);
    if (!ok) throw new Error(`wrangler ${args.join(" ")} failed:\n${text}`);
    return text;
  }

  /** Runs it where the operator sees what it says. Throws when it fails. */
  async do(args: readonly string[]): Promise<void> {
    const { code } = await this.#run(args, "inherit");
    if (code !== 0) throw new Error(`wrangler ${args[0]} failed: nothing after it was done`);
  }

  /** The same for what uploads the Worker; gives back the id of the version that it made. */
  async upload(args: readonly string[]): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "dumont-deploy-"));
    const told = join(folder, "told.ndjson");
    try {
      const { code } = await this.#run(args, "inherit", { WRANGLER_OUTPUT_FILE_PATH: told });
      if (code !== 0) throw new Error(`wrangler ${args.join(" ")} failed: nothing after it was done`);
      const lines = (await readFile(told, "utf8")).split("\n").filter((line) => line !== "");
      const uploads = lines.flatMap((line) => uploadSchema.safeParse(JSON.parse(line)).data ?? []);
      const id = uploads.at(-1)?.version_id;
      if (id === undefined) throw new Error("wrangler did not say which version it has uploaded");
      return id;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #run(args: readonly string[], output: "pipe" | "inherit", environment: Record<string, string> = {}) {
    // CI: it asks nothing, and takes what each question has as its default.
    const env = { ...process.env, CI: "true", ...environment };
    const child = spawn("wrangler", args, { cwd: ROOT, env, stdio: ["ignore", output, output] });
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on("data", (chunk) => {
      stderr += String(chunk);
    });
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((ended, failed) => {
      child.once("error", failed);
      child.once("close", (code) => ended({ code, stdout, stderr }));
    });
  }
}
