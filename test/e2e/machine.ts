import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";

const run = promisify(execFile);
const AGENT = resolve(import.meta.dirname, "../../agent/dumont-agent");
const BOOT = resolve(import.meta.dirname, "systemd.sh");

/** A machine with a systemd of its own. */
export class Machine {
  readonly #unshare: ChildProcess;
  readonly #folder: string;

  private constructor(unshare: ChildProcess, folder: string) {
    this.#unshare = unshare;
    this.#folder = folder;
  }

  static async boot(): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "machine-"));
    const namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"];
    const unshare = spawn("unshare", [...namespaces, "sh", BOOT, folder, AGENT], { stdio: "ignore" });
    const machine = new Machine(unshare, folder);
    await expect
      .poll(() => machine.run("systemctl is-active basic.target").catch(() => ""), { timeout: 60_000 })
      .toBe("active\n");
    return machine;
  }

  /** What a command prints there, run as root. */
  async run(command: string): Promise<string> {
    const [init = ""] = await this.#processes();
    const { stdout } = await run("nsenter", ["-t", init, "-m", "-p", "-C", "-r", "-w", "sh", "-c", command]);
    return stdout;
  }

  async isOn(): Promise<boolean> {
    return (await this.#processes()).length > 0;
  }

  async end(): Promise<void> {
    this.#unshare.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #processes(): Promise<string[]> {
    const { pid } = this.#unshare;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    return children.split(" ").filter((each) => each !== "");
  }
}
