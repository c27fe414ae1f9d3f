import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { z } from "zod";
import { freePort } from "../../scripts/server.ts";
import type { Ec2Credentials } from "../../src/providers/ec2/api.ts";
import { ec2 } from "../../src/providers/ec2/driver.ts";
import { gpusOfType } from "../../src/providers/ec2/gpus.ts";
import type { MachinePage, Provider, Target } from "../../src/providers/provider.ts";

/** The driver for EC2 before moto, a stand-in for Amazon's API that others keep true: http://docs.getmoto.org. */

const run = promisify(execFile);
const REGION = "eu-central-1";
const ELSEWHERE = "us-east-1";
/** One of those that moto knows. */
const IMAGE = "ami-12c6146b";

const typesSchema = z.object({
  DescribeInstanceTypesResponse: z.object({
    instanceTypeSet: z.object({
      item: z.array(
        z.object({
          instanceType: z.string(),
          gpuInfo: z
            .object({ gpus: z.object({ item: z.array(z.object({ count: z.string() })) }) })
            .optional(),
        }),
      ),
    }),
  }),
});

type Keys = Pick<Ec2Credentials, "access_key_id" | "secret_access_key">;

let directory: string;
let server: ChildProcess;
let url: string;
let owner: Keys;
let reader: Keys;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dumont-moto-"));
  await run("python3", ["-m", "venv", directory]);
  const packages = ["moto[ec2,iam]==5.2.5", "flask", "flask-cors"];
  await run(join(directory, "bin/pip"), ["install", "--quiet", ...packages]);
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  server = spawn(join(directory, "bin/moto_server"), ["--port", String(port)], { stdio: "ignore" });
  await answers();
  owner = await newKeys("owner", "ec2:*", "autoscaling:*");
  reader = await newKeys("reader", "ec2:Describe*");
  // From now on keys and permissions are checked.
  await fetch(`${url}moto-api/reset-auth`, { method: "POST", body: "0" });
}, 600_000);
afterAll(async () => {
  if (server?.exitCode === null) {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGKILL");
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
});

async function answers(): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    const answer = await fetch(`${url}moto-api/`).catch(() => null);
    if (answer?.ok === true) return;
  }
  throw new Error("moto does not answer");
}

/** One call to moto, by which the world of a test is made. Answers with the XML. */
async function ask(
  keys: Keys,
  service: "ec2" | "iam" | "autoscaling",
  region: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const client = new AwsClient({
    accessKeyId: keys.access_key_id,
    secretAccessKey: keys.secret_access_key,
    service,
    region,
    retries: 0,
  });
  const answer = await client.fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: new URLSearchParams(parameters).toString(),
  });
  const xml = await answer.text();
  if (!answer.ok) throw new Error(xml);
  return xml;
}

function textOf(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  if (text === undefined) throw new Error(`no ${name} in ${xml}`);
  return text;
}

/** Keys of a new user who may call these actions. */
async function newKeys(UserName: string, ...actions: readonly string[]): Promise<Keys> {
  const root = { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "any" };
  const iam = (Action: string, more: Readonly<Record<string, string>> = {}) =>
    ask(root, "iam", "us-east-1", { Action, Version: "2010-05-08", UserName, ...more });
  const policy = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
  };
  await iam("CreateUser");
  await iam("PutUserPolicy", { PolicyName: "all", PolicyDocument: JSON.stringify(policy) });
  const made = await iam("CreateAccessKey");
  return { access_key_id: textOf(made, "AccessKeyId"), secret_access_key: textOf(made, "SecretAccessKey") };
}

const call = (action: string, parameters: Readonly<Record<string, string>>, region = REGION) =>
  ask(owner, "ec2", region, { Action: action, Version: "2016-11-15", ...parameters });

let orders = 0;

/** A new instance, and what orders to it are given for. */
async function launch(more: Readonly<Record<string, string>> = {}, region = REGION): Promise<Target> {
  const parameters = { ImageId: IMAGE, InstanceType: "g5.xlarge", MinCount: "1", MaxCount: "1", ...more };
  const ref = textOf(await call("RunInstances", parameters, region), "instanceId");
  return { ref, instanceId: "rig", actionId: `order-${++orders}` };
}

const provider = (keys: Keys = owner, region = REGION): Provider => ec2({ ...keys, region }, url);

async function everything(keys: Keys = owner, region = REGION): Promise<MachinePage[]> {
  const { list } = provider(keys, region);
  const pages: MachinePage[] = [];
  for (let after: string | null = null; pages.length === 0 || after !== null; ) {
    const page: MachinePage | undefined = await list?.(after);
    if (page === undefined) throw new Error("EC2 has no list");
    pages.push(page);
    after = page.next;
  }
  return pages;
}

describe("EC2 by moto", () => {
  it("stops and starts an instance, and shows it", async () => {
    const target = await launch();
    expect(await provider().status(target)).toEqual({ state: "running", gpus: null, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().hibernate(target)).toBe("done");
    expect(await provider().wake(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it("takes an image, tagged with its instance, and terminates afterwards", async () => {
    const target = await launch();
    const { snapshotId, done } = await provider().snapshot(target);
    expect({ snapshotId, done }).toEqual({ snapshotId: expect.stringMatching(/^ami-/), done: false });
    expect(await provider().snapshotState(String(snapshotId))).toBe("ready");
    const image = await call("DescribeImages", { "ImageId.1": String(snapshotId) });
    expect(textOf(image, "name")).toBe(`dumont-${target.actionId}`);
    expect(image).toMatch(/<key>dumont-instance<\/key>\s*<value>rig<\/value>/);
    expect(await provider().delete(target)).toBe("accepted");
    expect(await provider().status(target)).toEqual({ state: "terminated" });
    expect(await provider().delete(target)).toBe("done");
    // What it does not show may be too new to be shown.
    expect(await provider().snapshotState("ami-00000000000000000")).toBe("pending");
  });

  it("shows protection before it is asked to stop, and to delete", async () => {
    const target = await launch();
    const protect = (attribute: string) =>
      call("ModifyInstanceAttribute", { InstanceId: target.ref, [`${attribute}.Value`]: "true" });
    await protect("DisableApiTermination");
    await protect("DisableApiStop");
    expect(await provider().status(target)).toMatchObject({ obstacle: "its stop protection is on" });
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "refused" });
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "refused" });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
  });

  it("neither knows nor touches an instance of another region, and never takes it for gone", async () => {
    const target = await launch({}, ELSEWHERE);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    for (const order of [
      provider().hibernate,
      provider().forceHibernate,
      provider().wake,
      provider().delete,
    ]) {
      await expect(order(target)).rejects.toMatchObject({ code: "not_found" });
    }
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "not_found" });
    expect(await provider(owner, ELSEWHERE).status(target)).toMatchObject({ state: "running" });
    const refs = (await everything()).flatMap(({ machines }) => machines.map(({ ref }) => ref));
    expect(refs).not.toContain(target.ref);
  });

  it("marks a member of an Auto Scaling group, and leaves it alone", async () => {
    const region = "eu-west-3";
    const scaling = (Action: string, more: Readonly<Record<string, string>>) =>
      ask(owner, "autoscaling", region, { Action, Version: "2011-01-01", ...more });
    const template = { LaunchConfigurationName: "gpu", ImageId: IMAGE, InstanceType: "g5.xlarge" };
    await scaling("CreateLaunchConfiguration", template);
    await scaling("CreateAutoScalingGroup", {
      AutoScalingGroupName: "trainers",
      LaunchConfigurationName: "gpu",
      MinSize: "1",
      MaxSize: "1",
      "AvailabilityZones.member.1": `${region}a`,
    });
    const [machine] = (await everything(owner, region)).flatMap(({ machines }) => machines);
    expect(machine).toMatchObject({ state: "running", gpus: 1, memberOf: "Auto Scaling group trainers" });
    const target = { ref: String(machine?.ref), instanceId: "rig", actionId: "group" };
    const obstacle = /Auto Scaling group trainers, which would replace it/;
    expect(await provider(owner, region).status(target)).toMatchObject({
      obstacle: expect.stringMatching(obstacle),
    });
    for (const order of ["hibernate", "forceHibernate", "snapshot", "delete"] as const) {
      await expect(provider(owner, region)[order](target)).rejects.toThrow(obstacle);
    }
    expect(await provider(owner, region).status(target)).toMatchObject({ state: "running" });
  });

  it("lists a region page by page: each instance once, with what is known of it", async () => {
    const region = "eu-west-1";
    const name = {
      "TagSpecification.1.ResourceType": "instance",
      "TagSpecification.1.Tag.1.Key": "Name",
      "TagSpecification.1.Tag.1.Value": "Ada's <rig> & more",
    };
    const launched: string[] = [];
    const rig = await launch({ ...name, InstanceType: "p4d.24xlarge" }, region);
    launched.push(rig.ref);
    for (let count = 0; count < 100; count++) {
      launched.push((await launch({ InstanceType: "t3.micro" }, region)).ref);
    }
    await provider(owner, region).delete({ ...rig, ref: String(launched.at(-1)) });
    const pages = await everything(owner, region);
    expect(pages.length).toBeGreaterThan(1);
    const machines = pages.flatMap((page) => page.machines);
    expect(machines.map(({ ref }) => ref).sort()).toEqual(launched.sort());
    expect(machines.find(({ ref }) => ref === rig.ref)).toEqual({
      ref: rig.ref,
      name: "Ada's <rig> & more",
      state: "running",
      gpu: "A100",
      gpus: 8,
      region,
      createdAt: expect.any(Number),
      hourlyCost: null,
      stoppedHourlyCost: null,
      memberOf: null,
    });
    expect(machines.filter(({ state }) => state === "terminated")).toHaveLength(1);
    expect(machines.filter(({ gpus }) => gpus === 0)).toHaveLength(100);
    expect(await everything(owner, "eu-west-2")).toEqual([{ machines: [], next: null }]);
  });

  it("says of each type how many GPUs it has, as Amazon's own data does", async () => {
    const parser = new XMLParser({ isArray: (name) => name === "item", parseTagValue: false });
    const types = typesSchema.parse(
      parser.parse(await call("DescribeInstanceTypes", {})),
    ).DescribeInstanceTypesResponse;
    expect(types.instanceTypeSet.item.length).toBeGreaterThan(1_000);
    for (const { instanceType, gpuInfo } of types.instanceTypeSet.item) {
      const { gpus } = gpusOfType(instanceType);
      const counts = gpuInfo?.gpus.item.map(({ count }) => Number(count));
      // Amazon counts a part of a GPU as none. A type without GPUs may have accelerators of another kind.
      const expected = counts === undefined ? [0, null] : [Math.max(1, ...counts)];
      expect(expected, instanceType).toContain(gpus);
    }
  });

  it("tries keys by dry runs, which change nothing", async () => {
    const target = await launch();
    await expect(provider().verify(null)).resolves.toBeUndefined();
    await expect(provider().verify(target)).resolves.toBeUndefined();
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    const images = await call("DescribeImages", { "Owner.1": "self" });
    expect(images).not.toContain("dumont-dry-run");
  });

  it("with keys that may only read shows, and is not good enough for orders", async () => {
    const target = await launch();
    expect(await provider(reader).status(target)).toMatchObject({ state: "running" });
    await expect(provider(reader).verify(null)).resolves.toBeUndefined();
    await expect(provider(reader).verify(target)).rejects.toMatchObject({ code: "unauthorised" });
    for (const order of ["hibernate", "forceHibernate", "wake", "snapshot", "delete"] as const) {
      await expect(provider(reader)[order](target)).rejects.toMatchObject({ code: "unauthorised" });
    }
    expect(await provider().status(target)).toMatchObject({ state: "running" });
  });

  it.each([
    ["a wrong secret", () => ({ ...owner, secret_access_key: "wrong-wrong-wrong-wrong-wrong-wrong-wron" })],
    ["an unknown id", () => ({ ...owner, access_key_id: "AKIA0000000000000000" })],
  ])("with %s is refused, and knows nothing of any instance", async (_, keys) => {
    const target = await launch();
    const stranger = provider(keys());
    await expect(stranger.status(target)).rejects.toMatchObject({ code: "unauthorised", isPassing: false });
    await expect(stranger.hibernate(target)).rejects.toMatchObject({ code: "unauthorised" });
    await expect(stranger.delete(target)).rejects.toMatchObject({ code: "unauthorised" });
    await expect(stranger.verify(null)).rejects.toMatchObject({ code: "unauthorised" });
    await expect(stranger.list?.(null)).rejects.toMatchObject({ code: "unauthorised" });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
  });
});
