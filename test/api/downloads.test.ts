import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import list from "../../agent/released/SHA256SUMS?raw";
import { sha256Hex } from "../../src/accounts/digest.ts";

/** Every version of the agent that was ever released is served, as it was released. */

const released = [...list.matchAll(/^([0-9a-f]{64}) {2}(\S+)\/dumont-agent$/gm)].map(
  ([, sha256 = "", version = ""]) => ({ version, sha256 }),
);

const download = (path: string) => exports.default.fetch(`https://dumont.test/downloads/agent/${path}`);

describe.each(released)("agent $version", ({ version, sha256 }) => {
  it("is served with the digest of its release, for ever", async () => {
    const agent = await download(`${version}/dumont-agent`);
    expect(agent.status).toBe(200);
    expect(agent.headers.get("Cache-Control")).toContain("immutable");
    expect(await sha256Hex(await agent.text())).toBe(sha256);
    expect(await (await download(`${version}/dumont-agent.sha256`)).text()).toBe(`${sha256}  dumont-agent\n`);
  });
});

it("has a latest version, which is one of them, and no other", async () => {
  const latest = await download("latest/dumont-agent");
  expect(latest.headers.get("Cache-Control")).not.toContain("immutable");
  expect(released.map(({ sha256 }) => sha256)).toContain(await sha256Hex(await latest.text()));
  expect((await download("0.0.0/dumont-agent")).status).toBe(404);
  expect((await download("1.0.0/else")).status).toBe(404);
});
