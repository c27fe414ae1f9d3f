import { beginConnection, type Known, NOTHING_KNOWN, receive } from "../../src/dashboard/fleet/known.ts";
import { liveRequest } from "../../src/fleet/live/live.ts";
import type { LiveMessage } from "../../src/fleet/live/messages.ts";
import { ANYBODY } from "../../src/lifecycle/model/words/said.ts";
import { fleetOf } from "../../src/platform/address.ts";
import type { Platform } from "./platform.ts";
import { type Arrival, Connection } from "./sockets.ts";

const MINUTE = 60_000;

/** The token of every viewer. */
export const VIEWER_TOKEN = "t-viewer";

/** Somebody who looks at the page of a user's fleet, and what the page's own rules make of what it is sent. */
export class Viewer {
  readonly userId: string;
  known: Known = NOTHING_KNOWN;
  readonly #platform: Platform;
  #connection: Connection | null = null;

  constructor(platform: Platform, userId: string) {
    this.#platform = platform;
    this.userId = userId;
  }

  /** Opens the page within the first minutes, and looks from then on. */
  start(): void {
    const { scheduler } = this.#platform;
    scheduler.at(scheduler.now + scheduler.between(0, 5 * MINUTE), () => {
      void this.#connect();
      this.#look();
    });
  }

  #look(): void {
    const { scheduler } = this.#platform;
    if (!scheduler.hostile) return;
    if (scheduler.chance(0.1) && this.#connection !== null) {
      this.#platform.count("live connections cut");
      this.#connection.cut();
    }
    if (scheduler.chance(0.05)) this.#leave();
    scheduler.at(scheduler.now + MINUTE, () => this.#look());
  }

  /** For a while, or to open the page anew. */
  #leave(): void {
    if (this.#connection === null) return;
    const { scheduler } = this.#platform;
    this.#connection.close();
    this.#connection = null;
    if (scheduler.random() < 0.3) this.known = NOTHING_KNOWN;
    this.#connectLater(scheduler.between(1, 10 * MINUTE));
  }

  #connectLater(ms: number): void {
    const { scheduler } = this.#platform;
    scheduler.at(scheduler.now + ms, () => void this.#connect());
  }

  async #connect(): Promise<void> {
    const { scheduler } = this.#platform;
    const since = this.known.revision ?? undefined;
    try {
      const answered: unknown = await this.#platform.request(async (env) => {
        const asked = liveRequest({
          sessionId: null,
          stemId: VIEWER_TOKEN,
          since,
          offersProtocol: true,
          reader: ANYBODY,
        });
        return (await fleetOf(env, this.userId).fetch(asked)).webSocket;
      });
      if (!(answered instanceof Connection)) throw new Error("no connection was opened");
      this.#platform.count(`live connections ${since === undefined ? "opened" : "resumed"}`);
      this.#connection = answered;
      this.known = beginConnection(this.known);
      answered.listen((arrival) => {
        if (answered === this.#connection) this.#take(answered, arrival);
      });
    } catch {
      this.#connectLater(scheduler.between(500, MINUTE));
    }
  }

  #take(connection: Connection, arrival: Arrival): void {
    switch (arrival.type) {
      case "message": {
        const message: LiveMessage = JSON.parse(arrival.text);
        this.known = receive(this.known, message);
        if (message.type === "confirm") connection.send('{"type":"confirmed"}');
        return;
      }
      case "closed":
        this.#platform.count(`live connections lost with ${arrival.code}`);
        this.#connection = null;
        this.#connectLater(this.#platform.scheduler.between(500, MINUTE));
    }
  }
}
