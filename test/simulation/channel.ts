import { type Delivery, delivered, undeliverable, unreachable } from "../../src/alerts/channels/channel.ts";
import type { Notice } from "../../src/alerts/notice.ts";
import type { Platform } from "./platform.ts";

/** Longer than a fleet waits for an answer. */
const SLOW_MS = 40_000;

/** Whom an owner is told by: it is away now and then, forgets to answer, takes long to, and refuses what it has read. */
export class Channel {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The channel as one process has it. */
  binding(call: <T>(work: () => T) => Promise<T>) {
    const { scheduler } = this.#platform;
    const away = unreachable("away");
    return {
      send: async (userId: string, messageId: string, notice: Notice, by: string): Promise<Delivery> => {
        const answer = await call(() => {
          if (scheduler.chance(0.05)) return away;
          this.#platform.count(`messages by ${by}`);
          const isRefused = scheduler.chance(0.02);
          this.#platform.onHappening({
            type: "told",
            at: scheduler.now,
            userId,
            messageId,
            notice,
            isRefused,
          });
          if (scheduler.chance(0.05)) return away;
          return isRefused ? undeliverable("no") : delivered("taken");
        });
        if (!scheduler.chance(0.02)) return answer;
        await new Promise<void>((resolve) => scheduler.at(scheduler.now + SLOW_MS, resolve));
        return call(() => answer);
      },
    };
  }
}
