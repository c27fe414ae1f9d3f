import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane, Trouble } from "../../scripts/control-plane.ts";
import type { Answers } from "./answers.ts";
import { type Faults, faultsQuery } from "./faults.ts";
import type { Interruption, OutsideTrouble, Plan, TroubleWindow } from "./plan.ts";
import type { Receiver } from "./receiver.ts";
import type { Seeded } from "./seeded.ts";
import type { SoakServer } from "./server.ts";

/** Makes things go wrong as the plan says. */

const CALL_LIMIT_MS = 2_000;
const SLOW_MS = 8_000;

export interface TroublesOptions {
  readonly server: SoakServer;
  readonly releases: { readonly former: string; readonly current: string };
  readonly plane: ControlPlane;
  readonly receiver: Receiver;
  readonly answers: Answers;
  readonly chance: Seeded;
  readonly log: (what: string) => void;
}

export class Troubles {
  readonly #options: TroublesOptions;
  #release: "former" | "current" = "former";
  /** What stands below the service, as the server is to have it. */
  #faults: Faults = { database: null, fleet: null, share: 0, seed: 1 };

  constructor(options: TroublesOptions) {
    this.#options = options;
  }

  /** Resolves once all has gone wrong that was planned. Everything works again then. */
  async happen(plan: Plan, startedAt: number, signal: AbortSignal): Promise<void> {
    const until = (at: number) =>
      sleep(Math.max(0, startedAt + at - Date.now()), undefined, { signal }).catch(() => undefined);
    const windows = async () => {
      for (const window of plan.windows) {
        await until(window.from);
        if (signal.aborted) return;
        const end = await this.#begin(window);
        await until(window.until);
        await end();
      }
    };
    const interruptions = async () => {
      for (const interruption of plan.interruptions) {
        await until(interruption.at);
        if (signal.aborted) return;
        await this.#interrupt(interruption);
      }
    };
    await Promise.all([windows(), interruptions()]);
  }

  async #begin(window: TroubleWindow): Promise<() => Promise<void>> {
    const { plane, receiver, answers, chance, log } = this.#options;
    const isHit = () => chance.next() < window.share;
    const share = `${Math.round(window.share * 100)} %`;
    switch (window.target) {
      case "database":
      case "fleet": {
        log(`${window.target}: ${window.fault}, ${share}`);
        const settled = answers.excuse();
        const { target, fault, share: hit } = window;
        const seed = Math.floor(chance.next() * 2 ** 31);
        await this.#setFaults({ database: null, fleet: null, [target]: fault, share: hit, seed });
        return async () => {
          await this.#setFaults({ database: null, fleet: null, share: 0, seed });
          settled();
        };
      }
      case "provider": {
        log(`provider ${window.trouble}, ${share}`);
        plane.trouble = () => (isHit() ? troubleOf(window.trouble) : null);
        return async () => {
          plane.trouble = () => null;
        };
      }
      case "channels": {
        log(`channels: each ${window.trouble}, ${share}`);
        receiver.trouble = () => (isHit() ? window.trouble : null);
        return async () => {
          receiver.trouble = () => null;
        };
      }
    }
  }

  async #interrupt(interruption: Interruption): Promise<void> {
    const { server, releases, answers, log } = this.#options;
    const settled = answers.excuse();
    const from = Date.now();
    switch (interruption.type) {
      case "kill":
        await server.kill();
        break;
      case "release":
        await server.stop();
        this.#release = interruption.release;
    }
    await server.start(releases[this.#release]);
    await this.#tell();
    settled();
    const what = interruption.type === "kill" ? "killed" : `release ${interruption.release}`;
    log(`${what}: away for ${((Date.now() - from) / 1000).toFixed(1)} s`);
  }

  async #setFaults(faults: Faults): Promise<void> {
    this.#faults = faults;
    await this.#tell();
  }

  /** Tells the server how to fail. One that does not answer is being started, and is told then. */
  async #tell(): Promise<void> {
    const { server } = this.#options;
    const query = faultsQuery(this.#faults);
    await fetch(`${server.url}/soak/faults?${query}`, { signal: AbortSignal.timeout(CALL_LIMIT_MS) }).catch(
      () => undefined,
    );
  }
}

function troubleOf(trouble: OutsideTrouble): Trouble {
  switch (trouble) {
    case "refuses":
      return { type: "refuses", reply: { status: 500, body: { error: "not now" } } };
    case "asks to wait":
      return { type: "refuses", reply: { status: 429, body: {}, headers: { "Retry-After": "10" } } };
    case "forgets":
      return { type: "forgets" };
    case "is slow":
      return { type: "is slow", delayMs: SLOW_MS };
  }
}
