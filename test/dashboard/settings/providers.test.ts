import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { protectionOf } from "../../../src/dashboard/instance/add/protection.ts";
import {
  type ListedMachine,
  totalOf,
  watchable,
} from "../../../src/dashboard/settings/providers/inventory.ts";
import { pastedFields } from "../../../src/dashboard/settings/providers/pasted.ts";
import { englishProviders } from "../../../src/dashboard/settings/providers/words/english.ts";
import { portugueseProviders } from "../../../src/dashboard/settings/providers/words/portuguese.ts";
import { mergePolicy } from "../../../src/lifecycle/model/policy-settings.ts";
import { CALLED_PROVIDERS } from "../../../src/lifecycle/model/provider.ts";

const machine = (ref: string, more: Partial<ListedMachine> = {}): ListedMachine => ({
  connection: "vast",
  ref,
  name: null,
  state: "running",
  gpu: null,
  gpus: null,
  region: null,
  hourly_cost: 1,
  stopped_hourly_cost: 0.1,
  member_of: null,
  vanished_at: null,
  ...more,
});

describe("machines that nobody watches", () => {
  it("are those of the connection that are still there, the dearest that bills first", () => {
    const machines = [
      machine("gone", { state: "terminated" }),
      machine("vanished", { vanished_at: "2026-11-27T00:00:00Z" }),
      machine("elsewhere", { connection: "runpod" }),
      machine("member", { member_of: "group", hourly_cost: 9 }),
      machine("asleep", { state: "stopped" }),
      machine("unpriced", { hourly_cost: null }),
      machine("dear", { hourly_cost: 4 }),
    ];
    expect(watchable(machines, "vast").map(({ ref }) => ref)).toEqual([
      "dear",
      "unpriced",
      "asleep",
      "member",
    ]);
  });

  it("cost what bills of them, and a price that is not known is not nothing", () => {
    expect(totalOf([machine("a"), machine("b", { state: "stopped", hourly_cost: 5 })])).toEqual({
      dollars: 1,
      unknown: 0,
    });
    expect(totalOf([machine("a", { hourly_cost: null })])).toEqual({ dollars: null, unknown: 1 });
    expect(totalOf([machine("a"), machine("b", { hourly_cost: null })])).toEqual({ dollars: 1, unknown: 1 });
  });
});

describe("credentials that are pasted", () => {
  const fields = [{ name: "client_email" }, { name: "private_key" }, { name: "project_id" }];

  it("fill each field that their file names, and no other", () => {
    const file = { client_email: "a@b", private_key: "-----BEGIN", token_uri: "https://x", project_id: 7 };
    expect(pastedFields(JSON.stringify(file, null, 2), fields)).toEqual({
      client_email: "a@b",
      private_key: "-----BEGIN",
    });
  });

  it("are left as they are where they are no such file", () => {
    for (const text of ["", "{", "{}", "[]", "null", '{"other":"1"}', "{".repeat(30_000), "a@b"]) {
      expect(pastedFields(text, fields), text.slice(0, 20)).toBeNull();
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        const found = pastedFields(text, fields);
        expect(found === null || Object.values(found).every((value) => typeof value === "string")).toBe(true);
      }),
    );
  });
});

describe("what protects a machine", () => {
  const codes = (
    overrides: Parameters<typeof mergePolicy>[0],
    provider: Parameters<typeof protectionOf>[1],
  ) => protectionOf(mergePolicy(overrides), provider).map(({ code }) => code);

  it("is what its policy does at its provider, and never more", () => {
    expect(codes({}, "ec2")).toEqual(["idle", "silence", "deleted"]);
    expect(codes({ orphan: { delete_after_days: null } }, "ec2")).toEqual([
      "idle",
      "silence",
      "never_deleted",
    ]);
    expect(codes({}, "agent")).toEqual(["idle", "silence", "nobody_stops_silent"]);
    expect(codes({}, "none")).toEqual(["idle", "silence", "told_only"]);
    expect(codes({}, "lambda")).toEqual(["idle", "silence", "only_deletes", "never_deleted"]);
    expect(codes({ orphan: { delete_while_running: true } }, "lambda")).toEqual([
      "idle",
      "silence",
      "only_deletes",
      "deleted",
    ]);
    expect(codes({ mode: "observe", idle: { enabled: false }, orphan: { enabled: false } }, "vast")).toEqual([
      "observes",
      "idle_off",
      "silence_off",
    ]);
  });

  it("says of a silent machine that it is stopped only where somebody can", () => {
    for (const provider of ["agent", "none", ...CALLED_PROVIDERS] as const) {
      const silence = protectionOf(mergePolicy({}), provider).find(({ code }) => code === "silence");
      const canStop = !["agent", "none", "lambda", "digitalocean", "verda"].includes(provider);
      expect(silence, provider).toMatchObject({ hibernateSeconds: canStop ? 1800 : null });
    }
  });
});

it("each kind of provider is told where its key is made, in both languages", () => {
  for (const { connect } of [englishProviders, portugueseProviders]) {
    for (const kind of CALLED_PROVIDERS) expect(connect.keyHelp[kind].length, kind).toBeGreaterThan(10);
  }
});
