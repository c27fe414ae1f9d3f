import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Metadata, Notice } from "./clouds.ts";
import { RunningAgent, SHELLS, toPrepare } from "./running-agent.ts";

/** The agent on a machine that its cloud takes back: the metadata services of three clouds, made up by their descriptions. */

const PATIENCE = { timeout: 90_000 };
const EC2 = "i-1234567890abcdef0";

let metadata: Metadata;
let agent: RunningAgent;
let notice: Notice;

beforeEach(async () => {
  notice = new Notice();
  metadata = await Metadata.start(notice.ec2(EC2));
  agent = await RunningAgent.make({ DUMONT_METADATA_URL: metadata.url, DUMONT_SPOT_WATCH: "auto" });
  await agent.hook(
    "prepare",
    `echo "$DUMONT_REASON $DUMONT_DEADLINE_SECONDS" >>"$S/order"; sleep 2; echo saved`,
  );
  await agent.hook("resume", `echo resumed >>"$S/order"`);
});
afterEach(async () => {
  await agent.end();
  await metadata.stop();
});

/** As EC2 has it: two minutes ahead. */
const ec2Notice = (action = "terminate") =>
  JSON.stringify({ action, time: `${new Date(Date.now() + 120_000).toISOString().slice(0, 19)}Z` });
const watched = (path: string) => metadata.calls.filter((call) => call.path.includes(path)).length;
/** When each question from now on was seen; to be called again and again meanwhile. */
function asksOf(path: string): () => readonly number[] {
  const before = watched(path);
  const askedAt: number[] = [];
  return () => {
    while (before + askedAt.length < watched(path)) askedAt.push(Date.now());
    return askedAt;
  };
}
const hasBeat = () => expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(0);

/** The cloud's own time of an event, as a HTTP date. */
const httpDate = (inMs: number) => new Date(Date.now() + inMs).toUTCString();

function azureEvent(machine: string, type = "Preempt") {
  return JSON.stringify({
    DocumentIncarnation: 2,
    Events: [
      {
        EventId: "A",
        EventType: type,
        Resources: [machine],
        EventStatus: "Scheduled",
        NotBefore: httpDate(60_000),
      },
      {
        EventId: "B",
        EventType: "Reboot",
        Resources: ["Trainer-1"],
        EventStatus: "Scheduled",
        NotBefore: "",
      },
    ],
  });
}

/** The next heartbeat would come in ten minutes. */
async function expectReclaimed(by: string, action: string, atMost: number): Promise<void> {
  const count = agent.beats.length;
  const toldAt = Date.now();
  await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count);
  const first = agent.beats[count];
  // What has passed until it was heard, and a second for each time that is told in whole ones.
  const passed = ((first?.atMs ?? 0) - toldAt) / 1000 + 3;
  expect(first).toMatchObject({ status: "reclaimed", reclaim: { by, action } });
  expect(first?.reclaim?.in_seconds).toBeLessThanOrEqual(atMost);
  expect(first?.reclaim?.in_seconds).toBeGreaterThanOrEqual(Math.max(0, atMost - passed));
  await expect
    .poll(() => agent.last(), PATIENCE)
    .toMatchObject({ status: "reclaimed", preparation: { state: "succeeded", log: "saved" } });
  const [reason, seconds] = (await agent.read("order")).trim().split(" ");
  expect(reason).toBe("reclaimed");
  expect(Number(seconds)).toBeLessThanOrEqual(atMost - 5);
  expect(Number(seconds)).toBeGreaterThanOrEqual(Math.max(1, atMost - 5 - passed));
}

describe.each(SHELLS)("under %s", (shell) => {
  it("a notice of EC2 is told at once, prepared for with what is left, and told again with the result", async () => {
    agent.interval = 600;
    agent.start(shell);
    await hasBeat();
    const asks = asksOf("instance-action");
    await expect.poll(() => asks().length, PATIENCE).toBeGreaterThanOrEqual(3);
    // Every five seconds.
    const gaps = asks()
      .slice(1)
      .map((at, index) => at - (asks()[index] ?? 0));
    expect(Math.min(...gaps)).toBeLessThan(10_000);
    expect(agent.beats).toHaveLength(1);
    notice.text = ec2Notice();
    await expectReclaimed("ec2", "terminate", 120);
    // It goes away, and the machine lives on.
    notice.text = null;
    await expect.poll(() => agent.last()?.status, PATIENCE).toBe("running");
    await expect.poll(() => agent.read("order"), PATIENCE).toMatch(/\nresumed\n$/);
    expect(agent.last()?.reclaim).toBeUndefined();
    // One session to find out where it is, and one for all the rest.
    expect(watched("/latest/api/token")).toBe(2);
  });
});

it("with curl too, and a session that EC2 has forgotten is asked for anew", async () => {
  await agent.program("wget", "exit 1");
  agent.interval = 600;
  agent.start();
  await hasBeat();
  await expect.poll(() => watched("instance-action"), PATIENCE).toBeGreaterThanOrEqual(1);
  const cloud = metadata.cloud;
  const tokens = watched("/latest/api/token");
  metadata.cloud = (call) =>
    call.path.includes("instance-action")
      ? { status: 401, body: "" }
      : (cloud?.(call) ?? { status: 404, body: "" });
  await expect.poll(() => watched("/latest/api/token"), PATIENCE).toBeGreaterThan(tokens);
  metadata.cloud = cloud;
  notice.text = ec2Notice("stop");
  await expectReclaimed("ec2", "stop", 120);
});

it("a notice of Google is told", async () => {
  metadata.cloud = notice.google("4567", "trainer-1");
  agent.interval = 600;
  agent.start();
  await hasBeat();
  await expect.poll(() => watched("preempted"), PATIENCE).toBeGreaterThanOrEqual(1);
  notice.text = "TRUE";
  await expectReclaimed("gcp", "preempted", 30);
});

it("a notice of Azure is told, of this machine alone, and of no other event", async () => {
  metadata.cloud = notice.azure("5c3f8a90-1111-2222-3333-444455556666", "Research", "Trainer-1");
  agent.interval = 600;
  agent.start();
  await hasBeat();
  notice.text = azureEvent("Trainer-10");
  await expect.poll(() => watched("scheduledevents"), PATIENCE).toBeGreaterThanOrEqual(3);
  notice.text = azureEvent("Trainer-1", "Redeploy");
  const count = watched("scheduledevents");
  await expect.poll(() => watched("scheduledevents"), PATIENCE).toBeGreaterThanOrEqual(count + 2);
  expect(agent.beats).toHaveLength(1);
  notice.text = azureEvent("trainer-1");
  await expectReclaimed("azure", "preempt", 60);
});

it("what was prepared a moment ago needs no hooks again", async () => {
  agent.actions = [toPrepare("p-1", 60)];
  agent.interval = 2;
  agent.start();
  await expect.poll(() => agent.last()?.status, PATIENCE).toBe("prepared");
  notice.text = ec2Notice();
  await expect.poll(() => agent.last()?.status, PATIENCE).toBe("reclaimed");
  await sleep(3000);
  // Once, with what is left of the minute.
  expect(await agent.read("order")).toMatch(/^idle \d\d\n$/);
});

it("a notice without a time leaves the shortest", async () => {
  agent.interval = 600;
  agent.start();
  await hasBeat();
  notice.text = '{"action": "terminate", "time": "soon"}';
  await expect
    .poll(() => agent.last(), PATIENCE)
    .toMatchObject({
      status: "reclaimed",
      reclaim: { by: "ec2", in_seconds: null },
    });
  // What is left of 30 s, five of them for the machine itself: in whole seconds, of which one may have begun.
  await expect.poll(() => agent.read("order"), PATIENCE).toMatch(/^reclaimed 2[345]\n$/);
});

it("metadata that hangs delays no heartbeat, and is asked less and less often", async () => {
  agent.start();
  await expect.poll(() => watched("instance-action"), PATIENCE).toBeGreaterThanOrEqual(1);
  metadata.cloud = null;
  const asks = asksOf("instance-action");
  for (const end = Date.now() + 40_000; Date.now() < end; await sleep(20)) asks();
  const askedAt = asks();
  expect(askedAt.length).toBeLessThanOrEqual(5);
  // Whoever waited for the answer would give it up after two seconds, and be heard only then.
  const heard = askedAt.filter((at) => agent.beats.some(({ atMs }) => atMs > at && atMs < at + 1900));
  expect(heard.length).toBeGreaterThanOrEqual(askedAt.length / 2);
});

it("a machine of no such cloud asks once, and one that is told not to never", async () => {
  metadata.cloud = () => ({ status: 404, body: "" });
  agent.interval = 1;
  agent.start();
  await expect.poll(() => metadata.calls.length, PATIENCE).toBeGreaterThanOrEqual(3);
  await sleep(5000);
  const asked = metadata.calls.length;
  await sleep(12_000);
  expect(metadata.calls.length).toBe(asked);
  await agent.stop();
  const off = await RunningAgent.make({ DUMONT_METADATA_URL: metadata.url, DUMONT_SPOT_WATCH: "off" });
  try {
    off.start();
    await expect.poll(() => off.beats.length, PATIENCE).toBeGreaterThan(1);
    await sleep(7000);
    expect(metadata.calls.length).toBe(asked);
  } finally {
    await off.end();
  }
});
