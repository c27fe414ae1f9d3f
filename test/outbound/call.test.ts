import { createServer, type Server } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { post, postSigned } from "../../src/outbound/call.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
let server: Server;
let url: string;
let reached = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      switch (request.url) {
        case "/redirect":
          response.writeHead(302, { Location: `${url}/secret` }).end();
          return;
        case "/secret":
          reached += 1;
          response.end("secret");
          return;
        case "/long":
          response.end("x".repeat(1_000_000));
          return;
        case "/signed":
          try {
            const {
              "webhook-id": id = "",
              "webhook-timestamp": at = "",
              "webhook-signature": by = "",
            } = request.headers;
            new Webhook(secret).verify(body, {
              "webhook-id": String(id),
              "webhook-timestamp": String(at),
              "webhook-signature": String(by),
            });
            response.end(`good ${id}`);
          } catch {
            response.writeHead(401).end("bad");
          }
          return;
        default:
          response.writeHead(429, { "Retry-After": "7" }).end("slow down");
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
});
afterAll(() => server.close());

it("does not follow a redirect, which may lead where the address itself may not", async () => {
  expect(await post(`${url}/redirect`, "{}", {}, true)).toMatchObject({ status: 302, body: "" });
  expect(reached).toBe(0);
});

it("gives back what the other side said, and what it asks to wait", async () => {
  expect(await post(`${url}/any`, "{}", {}, true)).toEqual({
    status: 429,
    body: "slow down",
    retryAfterSeconds: 7,
  });
});

it("reads no more than it has to of an answer that does not end", async () => {
  expect((await post(`${url}/long`, "{}", {}, true)).body.length).toBeLessThanOrEqual(64 * 1024);
});

it("calls nothing that is refused", async () => {
  await expect(post(`${url}/secret`, "{}", {}, false)).rejects.toThrow("must begin with https://");
  expect(reached).toBe(0);
});

it("signs so that the library of Standard Webhooks takes it, and nothing that was changed", async () => {
  const endpoint = { url: `${url}/signed`, secret };
  expect(await postSigned(endpoint, "msg-1", '{"type":"alert"}', true)).toMatchObject({
    status: 200,
    body: "good msg-1",
  });
  const other = { url: `${url}/signed`, secret: `whsec_${Buffer.alloc(32, 1).toString("base64")}` };
  expect(await postSigned(other, "msg-1", "{}", true)).toMatchObject({ status: 401 });
});
