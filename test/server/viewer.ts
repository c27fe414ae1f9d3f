import { expect } from "vitest";
import type { User } from "../../scripts/client.ts";
import type { LiveMessage } from "../../src/fleet/live/messages.ts";

const PATIENCE = { timeout: 60_000 };

/** A live connection by the WebSocket of Node. `since`: resumes where a former one ended. */
export class Viewer {
  readonly messages: LiveMessage[] = [];
  readonly socket: WebSocket;
  opened = false;
  closed = false;

  constructor(
    url: string,
    offers: { protocols?: string[]; headers?: Record<string, string> },
    since?: number,
  ) {
    const query = since === undefined ? "" : `?since=${since}`;
    const address = `${url.replace("http", "ws")}/api/agent/live${query}`;
    // Node's takes headers too, which the types of a browser's do not know.
    this.socket = Reflect.construct(WebSocket, [address, offers]);
    this.socket.addEventListener("open", () => {
      this.opened = true;
    });
    this.socket.addEventListener("close", () => {
      this.closed = true;
    });
    this.socket.addEventListener("message", ({ data }) => {
      if (data === "pong") return;
      const message: LiveMessage = JSON.parse(String(data));
      this.messages.push(message);
      if (message.type === "confirm") this.socket.send('{"type":"confirmed"}');
    });
  }

  static of(url: string, user: User, since?: number): Viewer {
    return new Viewer(url, { protocols: ["dumont", `bearer.${user.token}`] }, since);
  }

  get fleet(): Map<string, string> {
    const fleet = new Map<string, string>();
    for (const message of this.messages) {
      if (message.type === "rows") for (const id of message.removed) fleet.delete(id);
      if (message.type !== "snapshot" && message.type !== "rows") continue;
      for (const { instance_id, status } of message.rows) fleet.set(instance_id, status);
    }
    return fleet;
  }

  get revision(): number {
    return this.messages.reduce((last, each) => ("revision" in each ? each.revision : last), 0);
  }

  async outcome(): Promise<"opened" | "refused"> {
    await expect.poll(() => this.opened || this.closed, PATIENCE).toBe(true);
    return this.opened ? "opened" : "refused";
  }
}
