import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { version } from "../../package.json";
import { call } from "../world.ts";

/** What a deployment in stages asks: which release answers, and which upload of it. */

it("names the version of package.json and the upload that answers", async () => {
  const { status, headers } = await call("GET", "/healthz");
  expect(status).toBe(200);
  expect(headers.get("X-Dumont-Version")).toBe(version);
  expect(env.UPLOAD.id).not.toBe("");
  expect(headers.get("X-Dumont-Upload")).toBe(env.UPLOAD.id);
});
