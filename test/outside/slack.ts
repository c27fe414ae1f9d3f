import { z } from "zod";
import { type Call, FakeHttp, type Reply } from "./http.ts";

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
  /** Why a message was refused. */
  readonly refusals: string[] = [];
  #server: FakeHttp | null = null;

  static async start(): Promise<FakeSlack> {
    const slack = new FakeSlack();
    slack.#server = await FakeHttp.start((call) => slack.#answer(call));
    return slack;
  }

  get url(): string {
    return `${this.#server?.url}/services/T0/B0/good`;
  }

  get texts(): string[] {
    return this.messages.map(({ blocks }) => blocks.map(({ text }) => text.text).join("\n"));
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  #answer({ path, body }: Call): Reply {
    if (path !== "/services/T0/B0/good") return { status: 404, body: "no_service" };
    const message = messageSchema.safeParse(JSON.parse(body));
    if (!message.success) {
      this.refusals.push(message.error.message);
      return { status: 400, body: "invalid_blocks" };
    }
    this.messages.push(message.data);
    return { status: 200, body: "ok" };
  }
}
