import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import {
  abilitiesOf,
  CALLED_PROVIDERS,
  type CalledProvider,
  referenceIssue,
} from "../../src/lifecycle/model/provider.ts";
import { ec2 } from "../../src/providers/ec2/driver.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { runpod } from "../../src/providers/runpod/driver.ts";
import { vast } from "../../src/providers/vast/driver.ts";
import { webhook } from "../../src/providers/webhook/driver.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const PROVIDERS: Readonly<Record<CalledProvider, Provider>> = {
  vast: vast({ api_key: "vast-key-0123456789" }, undefined, {
    engineUrl: "https://run.vast.ai",
    pause: async () => {},
  }),
  runpod: runpod({ api_key: "rpa_0123456789" }),
  ec2: ec2({
    access_key_id: "AKIAIOSFODNN7EXAMPLE",
    secret_access_key: "x".repeat(40),
    region: "eu-central-1",
  }),
  webhook: webhook({ url: "https://plane.example.com/orders", secret }, false),
};

/** The only addresses that a provider is called at for a machine, whatever its reference. */
const ADDRESSES: Readonly<Record<CalledProvider, (ref: string) => readonly string[]>> = {
  vast: (ref: string) => [`https://console.vast.ai/api/v0/instances/${ref}/`],
  runpod: (ref: string) => [
    `https://api.runpod.io/v2/pods/${ref}`,
    `https://api.runpod.io/v2/pods/${ref}/action`,
  ],
  ec2: () => ["https://ec2.eu-central-1.amazonaws.com/"],
  webhook: () => ["https://plane.example.com/orders"],
};

afterEach(() => vi.restoreAllMocks());

it("is called at the machine's own address or, for a reference that is none, not at all", async () => {
  const called: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    called.push(input instanceof Request ? input.url : String(input));
    return new Response("{}");
  });
  const pieces = fc.constantFrom("..", ".", "/", "%2e%2e", "a", "7", "i-12345678", "?", "#", "\\", "\n", "@");
  const references = fc.oneof(
    fc.constantFrom(
      "..",
      ".",
      "",
      "1/../2",
      "../users/current",
      "28864630",
      "xedezhzb9la3ye",
      "i-1234567890abcdef0",
    ),
    fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...CALLED_PROVIDERS), references, async (kind, ref) => {
      called.length = 0;
      const target = { ref, instanceId: "rig", actionId: "a-1" };
      const provider = PROVIDERS[kind];
      const sighting = await provider.status(target).catch((error: unknown) => error);
      for (const order of [provider.hibernate, provider.forceHibernate, provider.wake, provider.delete]) {
        await order(target).catch(() => {});
      }
      await provider.verify(target).catch(() => {});
      if (referenceIssue(kind, ref) === null) {
        expect(called.length).toBeGreaterThan(0);
        for (const address of called) expect(ADDRESSES[kind](ref)).toContain(address);
      } else {
        expect(called).toEqual([]);
        expect(sighting).toMatchObject({
          state: "unknown",
          because: expect.stringContaining("reference must"),
        });
      }
    }),
    { numRuns: 500 },
  );
});

it.each(CALLED_PROVIDERS)("%s lists machines if its kind says so", (kind) => {
  expect(PROVIDERS[kind].list !== null).toBe(abilitiesOf(kind).lists);
});

it("is not led to another address by where a page begins", async () => {
  const called: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    called.push(input instanceof Request ? input.url : String(input));
    return new Response("{}");
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CALLED_PROVIDERS),
      fc.string({ unit: "binary" }),
      async (kind, after) => {
        const { list } = PROVIDERS[kind];
        if (list === null) return;
        const pages: URL[] = [];
        for (const from of [null, after]) {
          called.length = 0;
          await list(from).catch(() => {});
          pages.push(new URL(String(called[0])));
        }
        const [first, later] = pages;
        expect([later?.origin, later?.pathname]).toEqual([first?.origin, first?.pathname]);
        expect([...(later?.searchParams ?? [])].length).toBeLessThanOrEqual(
          [...(first?.searchParams ?? [])].length + 1,
        );
      },
    ),
    { numRuns: 200 },
  );
});
