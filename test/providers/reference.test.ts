import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { abilitiesOf, CALLED_PROVIDERS, type CalledProvider } from "../../src/lifecycle/model/provider.ts";
import { referenceIssue } from "../../src/lifecycle/model/reference.ts";
import { azure } from "../../src/providers/azure/driver.ts";
import { digitalocean } from "../../src/providers/digitalocean/driver.ts";
import { ec2 } from "../../src/providers/ec2/driver.ts";
import { gcpCredentialsSchema } from "../../src/providers/gcp/credentials.ts";
import { gcp } from "../../src/providers/gcp/driver.ts";
import { hyperstack } from "../../src/providers/hyperstack/driver.ts";
import { lambda } from "../../src/providers/lambda/driver.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { runpod } from "../../src/providers/runpod/driver.ts";
import { scaleway } from "../../src/providers/scaleway/driver.ts";
import { tensordock } from "../../src/providers/tensordock/driver.ts";
import { vast } from "../../src/providers/vast/driver.ts";
import { verda } from "../../src/providers/verda/driver.ts";
import { webhook } from "../../src/providers/webhook/driver.ts";
import { keyFile, PROJECT_ID } from "./gcp/key.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const SUBSCRIPTION = "22222222-2222-4222-8222-222222222222";
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
  gcp: gcp(gcpCredentialsSchema.parse(keyFile)),
  azure: azure({
    tenant_id: "11111111-1111-4111-8111-111111111111",
    client_id: "33333333-3333-4333-8333-333333333333",
    client_secret: "a-secret-0123456789",
    subscription_id: SUBSCRIPTION,
  }),
  hyperstack: hyperstack({ api_key: "hyperstack-key-0123" }),
  scaleway: scaleway({ secret_key: "22222222-2222-4222-8222-222222222222" }),
  tensordock: tensordock({ api_token: "tensordock-token-0123" }),
  lambda: lambda({ api_key: "lambda-key-0123456789" }),
  digitalocean: digitalocean({ api_token: "dop_v1_0123456789abcdef" }),
  verda: verda({ client_id: "Ibk5bdxV64lKAWOqYnvSi", client_secret: "verda-secret-0123456789" }),
  webhook: webhook({ url: "https://plane.example.com/orders", secret }, false),
};

const TOKEN = '{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}';

/** The only addresses that a provider is called at for a machine, whatever its reference. */
const ADDRESSES: Readonly<Record<CalledProvider, (ref: string) => readonly string[]>> = {
  vast: (ref: string) => [`https://console.vast.ai/api/v0/instances/${ref}/`],
  runpod: (ref) => [`https://api.runpod.io/v2/pods/${ref}`, `https://api.runpod.io/v2/pods/${ref}/action`],
  ec2: () => ["https://ec2.eu-central-1.amazonaws.com/"],
  gcp: (ref) => ["https://oauth2.googleapis.com/token", `https://compute.googleapis.com/compute/v1/${ref}`],
  azure: (ref) => {
    const [group, name] = ref.split("/");
    const groupUrl = `https://management.azure.com/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}`;
    const url = `${groupUrl}/providers/Microsoft.Compute/virtualMachines/${name}`;
    return [
      "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token",
      `${url}?api-version=2025-04-01`,
      `${url}?api-version=2025-04-01&$expand=instanceView`,
      `${url}/start?api-version=2025-04-01`,
      `${url}/deallocate?api-version=2025-04-01`,
    ];
  },
  hyperstack: (ref) => [
    `https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/${ref}`,
    `https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/${ref}/hibernate?retain_ip=true`,
    "https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/0/hibernate",
  ],
  scaleway: (ref) => {
    const [zone, id] = ref.split("/");
    const servers = `https://api.scaleway.com/instance/v1/zones/${zone}/servers`;
    return [
      `${servers}/${id}`,
      `${servers}/${id}/action`,
      `${servers}/00000000-0000-0000-0000-000000000000/action`,
    ];
  },
  tensordock: (ref) => [`https://dashboard.tensordock.com/api/v2/instances/${ref}`],
  lambda: (ref) => [`https://cloud.lambda.ai/api/v1/instances/${ref}`],
  digitalocean: (ref) => [`https://api.digitalocean.com/v2/droplets/${ref}`],
  verda: (ref) => ["https://api.verda.com/v1/oauth2/token", `https://api.verda.com/v1/instances/${ref}`],
  webhook: () => ["https://plane.example.com/orders"],
};

afterEach(() => vi.restoreAllMocks());

it("is called at the machine's own address or, for a reference that is none, not at all", async () => {
  const called: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    called.push(input instanceof Request ? input.url : String(input));
    return new Response(called.at(-1)?.endsWith("/token") ? TOKEN : "{}");
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
      `projects/${PROJECT_ID}/zones/us-central1-a/instances/trainer-1`,
      "my-group/my-vm",
      "fr-par-2/11111111-1111-4111-8111-111111111111",
      "fr-par-2/../../servers",
      "0920582c7ff041399e34823a0be62549",
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
    return new Response(called.at(-1)?.endsWith("/token") ? TOKEN : "{}");
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CALLED_PROVIDERS),
      fc.oneof(fc.string({ unit: "binary" }), fc.webUrl()),
      async (kind, after) => {
        const { list } = PROVIDERS[kind];
        if (list === null) return;
        called.length = 0;
        await list(null).catch(() => {});
        const first = called.splice(0).map((url) => new URL(url));
        await list(after).catch(() => {});
        // Some refuse it without a call.
        for (const later of called.map((url) => new URL(url))) {
          const same = first.find((url) => url.origin === later.origin && url.pathname === later.pathname);
          expect(same?.href, later.href).toBeDefined();
          expect([...later.searchParams].length).toBeLessThanOrEqual(
            [...(same?.searchParams ?? [])].length + 1,
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});
