import { createServer, type Server } from "node:http";
import { z } from "zod";

/**
 * A Slack incoming webhook, by https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: it takes
 * valid Block Kit and answers `ok`, else says why not.
 */

const textSchema = z.object({ type: z.enum(["plain_text", "mrkdwn"]), text: z.string().min(1).max(3000) });

const messageSchema = z.object({
  text: z.string().min(1),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.object({
          type: z.literal("header"),
          text: textSchema.extend({ text: z.string().min(1).max(150) }),
        }),
        z.object({ type: z.literal("section"), text: textSchema }),
      ]),
    )
    .min(1)
    .max(50),
});

export type SlackMessage = z.infer<typeof messageSchema>;

export class FakeSlack {
  readonly messages: SlackMessage[] = [];
  /** Answers so many posts with 429 and this Retry-After first. */
  rateLimited = { times: 0, retryAfterSeconds: 1 };
  readonly refusals: string[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        if (request.url !== "/services/T0/B0/good") {
          response.writeHead(404).end("no_service");
          return;
        }
        if (this.rateLimited.times > 0) {
          this.rateLimited.times -= 1;
          response.writeHead(429, { "Retry-After": String(this.rateLimited.retryAfterSeconds) });
          response.end("rate_limited");
          return;
        }
        const message = messageSchema.safeParse(JSON.parse(body));
        if (!message.success) {
          this.refusals.push(message.error.message);
          response.writeHead(400).end("invalid_blocks");
          return;
        }
        this.messages.push(message.data);
        response.writeHead(200).end("ok");
      });
    });
  }

  static async start(): Promise<FakeSlack> {
    const slack = new FakeSlack();
    await new Promise<void>((listening) => slack.#server.listen(0, "127.0.0.1", listening));
    const address = slack.#server.address();
    slack.#port = address !== null && typeof address === "object" ? address.port : 0;
    return slack;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/services/T0/B0/good`;
  }

  get texts(): string[] {
    return this.messages.map(({ blocks }) => blocks.map(({ text }) => text.text).join("\n"));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
