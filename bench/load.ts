import { Agent, request } from "node:http";
import { z } from "zod";

/** The load, as a process of its own: told what to post, it posts for a while and tells how long each took. */

const orderSchema = z.object({
  posts: z.array(z.object({ url: z.string(), token: z.string().nullable(), body: z.string() })),
  durationMs: z.number(),
  expectedStatus: z.number(),
});

export type LoadOrder = z.infer<typeof orderSchema>;

type Post = LoadOrder["posts"][number];

/** So many are on their way at any moment; each goes through its share of the posts, again and again. */
const CONNECTIONS = 32;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

process.on("message", async (message) => {
  const { posts, durationMs, expectedStatus } = orderSchema.parse(message);
  const endsAt = performance.now() + durationMs;
  const latenciesMs: number[] = [];
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      for (let index = connection; performance.now() < endsAt; index += CONNECTIONS) {
        const post = posts[index % posts.length];
        if (post === undefined) return;
        const sentAt = performance.now();
        const status = await send(post);
        if (status !== expectedStatus) throw new Error(`a post was answered ${status}`);
        latenciesMs.push(performance.now() - sentAt);
      }
    }),
  );
  process.send?.(latenciesMs);
});

function send({ url, token, body }: Post): Promise<number | undefined> {
  return new Promise((answered, failed) => {
    const headers = {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    };
    request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().once("end", () => answered(response.statusCode));
    })
      .once("error", failed)
      .end(body);
  });
}
