import { createServer, type Server, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import type { OutsideTrouble } from "./plan.ts";

/** Where alerts are told: a webhook channel for each path, which fails as it is asked to. */

const dataSchema = z.object({
  title: z.string(),
  severity: z.string(),
  groups: z.array(
    z.object({
      kind: z.string(),
      heading: z.string(),
      // The link is made anew with each try.
      alerts: z.array(
        z.object({
          event_id: z.string(),
          instance_id: z.string().nullable(),
          message: z.string(),
          at: z.string(),
        }),
      ),
      more: z.number(),
    }),
  ),
});

const payloadSchema = z.object({ data: dataSchema });

export interface Message {
  readonly channel: string;
  readonly messageId: string;
  readonly at: number;
  readonly data: z.infer<typeof dataSchema>;
}

const SLOW_MS = 12_000;

export class Receiver {
  readonly secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  /** Those that were taken, answered or not. */
  readonly messages: Message[] = [];
  /** Messages whose signature or form was wrong. */
  readonly malformed: string[] = [];
  /** Asked at each message; null while nothing goes wrong. */
  trouble: (channel: string) => OutsideTrouble | null = () => null;
  lastCallAt = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.lastCallAt = Date.now();
        const channel = request.url ?? "";
        const take = () => this.#take(channel, Buffer.concat(chunks).toString("utf8"), request.headers);
        this.#answer(channel, take, response);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", listening));
    const address = this.#server.address();
    return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #answer(channel: string, take: () => void, response: ServerResponse): void {
    const trouble = this.trouble(channel);
    switch (trouble) {
      case "refuses":
        response.writeHead(500).end("not now");
        return;
      case "asks to wait":
        response.writeHead(503, { "Retry-After": "10" }).end("later");
        return;
      case "forgets":
        take();
        response.destroy();
        return;
      case "is slow":
        take();
        setTimeout(() => response.writeHead(204).end(), SLOW_MS);
        return;
      case null:
        take();
        response.writeHead(204).end();
    }
  }

  #take(
    channel: string,
    text: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    const messageId = String(headers["webhook-id"]);
    try {
      const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      const { data } = payloadSchema.parse(new Webhook(this.secret).verify(text, given));
      this.messages.push({ channel, messageId, at: Date.now(), data });
    } catch (error) {
      this.malformed.push(`${channel} ${messageId}: ${String(error)}`);
    }
  }
}
