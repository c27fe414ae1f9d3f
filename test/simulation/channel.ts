import { type Delivery, delivered, unreachable } from "../../src/alerts/channels/channel.ts";
import type { Notice } from "../../src/alerts/notice.ts";
import type { Platform } from "./platform.ts";

/** Whom an owner is told by: it is away now and then, and forgets to answer. */
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
      send: (userId: string, messageId: string, notice: Notice): Promise<Delivery> =>
        call(() => {
          if (scheduler.chance(0.05)) return away;
          this.#platform.onHappening({ type: "told", at: scheduler.now, userId, messageId, notice });
          return scheduler.chance(0.05) ? away : delivered("taken");
        }),
    };
  }
}
