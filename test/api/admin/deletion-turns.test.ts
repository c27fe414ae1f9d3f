import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findAccount, noteProgress, requestDeletion } from "../../../src/accounts/standing.ts";
import { PACE, type Pace } from "../../../src/deletion/parts.ts";
import { startDeletion, UserDeletion } from "../../../src/deletion/workflow.ts";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { mayLog } from "../../quiet.ts";
import { Seeded } from "../../soak/seeded.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, setClock } from "../../world.ts";

/** A deletion goes on, whichever of its workflows fails, and wherever: on workflows whose steps wait for nothing. */

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** As a step of a deletion is tried. */
const TRIES = 151;

/** In place of the platform's workflows. */
class Workflows {
  readonly #parameters = new Map<string, unknown>();
  readonly #statuses = new Map<string, string>();
  #runs: Promise<void>[] = [];
  /** Whether a workflow can't be made now. */
  isAway = (_: string) => false;
  /** The most tries that a step has taken. */
  tries = 0;

  constructor() {
    const platform = Object.getPrototypeOf(env.USER_DELETION);
    vi.spyOn(platform, "create").mockImplementation(async (options) => this.#create(options));
    vi.spyOn(platform, "get").mockImplementation(async (id) => this.#get(String(id)));
  }

  status(userId: string, turn: number): string | undefined {
    return this.#statuses.get(`delete-${userId}-${turn}`);
  }

  /** Until none runs any more. */
  async ended(): Promise<void> {
    while (this.#runs.length > 0) await Promise.all(this.#runs.splice(0));
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the platform's
  #create({ id, params }: any): void {
    if (this.isAway(id)) throw new Error("Workflows are away");
    if (this.#statuses.has(id)) throw new Error("there is one of this id");
    this.#parameters.set(id, params);
    this.#start(id);
  }

  #get(id: string) {
    if (!this.#statuses.has(id)) throw new Error("there is none of this id");
    return {
      status: async () => ({ status: this.#statuses.get(id) }),
      restart: async () => this.#start(id),
    };
  }

  #start(id: string): void {
    this.#statuses.set(id, "running");
    const step = {
      sleep: async () => {},
      do: async (_: string, __: unknown, work: () => Promise<unknown>) => this.#step(work),
    };
    const run = Reflect.apply(UserDeletion.prototype.run, { env }, [
      { payload: this.#parameters.get(id) },
      step,
    ]);
    const ended = (status: string) => () => void this.#statuses.set(id, status);
    this.#runs.push(run.then(ended("complete"), ended("errored")));
  }

  async #step(work: () => Promise<unknown>): Promise<unknown> {
    for (let tried = 1; ; tried++) {
      this.tries = Math.max(this.tries, tried);
      try {
        return await work();
      } catch (error) {
        if (tried === TRIES) throw error;
      }
    }
  }
}

const seen = (userId: string) => call("GET", `/api/admin/users/${userId}`, { token: ADMIN_TOKEN });

/** The first workflow takes the instances and the rows, and the second one finds nothing left of them. */
const BRIEF: Pace = { ...PACE, rowsPerStatement: 1, callsPerWorkflow: 20 };

async function begin(userId: string, pace: Pace): Promise<void> {
  await requestDeletion(env.DB, userId, Date.now());
  await startDeletion(env, userId, { turn: 1 }, pace);
}

/** Which workflow the deletion has come to, as it is noted. */
async function turnOf(userId: string): Promise<number> {
  const row = await env.DB.prepare("SELECT progress FROM user_deletions WHERE user_id = ?")
    .bind(userId)
    .first<{ progress: string }>();
  return JSON.parse(row?.progress ?? "").turn;
}

async function newOwner(instances: number): Promise<string> {
  const user = await newUser();
  for (let index = 0; index < instances; index++) {
    const rig = await Instance.register(user, `rig-${index}`);
    await rig.heartbeat();
    await rig.settled();
  }
  return user.userId;
}

/** Asked again, as `DELETE` does, it goes on. Not by a request: what it began here would end with it. */
async function expectGoesOn(workflows: Workflows, userId: string): Promise<void> {
  const deletion = (await findAccount(env.DB, userId))?.deletion;
  if (deletion == null || deletion.finishedAt !== null) throw new Error("it is not under way");
  await startDeletion(env, userId, deletion.progress);
  await workflows.ended();
  expect((await seen(userId)).body).toMatchObject({
    standing: "deleted",
    deletion: { instances: 2 },
  });
}

/** The fleet answers `answers` times, and then no more. */
function fleetThatFailsAfter(answers: number) {
  const { account } = FleetActor.prototype;
  let asked = 0;
  return vi.spyOn(FleetActor.prototype, "account").mockImplementation(async function (
    this: FleetActor,
    request,
  ) {
    asked += 1;
    if (asked > answers) throw new Error("the fleet is away");
    return account.call(this, request);
  });
}

describe("a deletion that takes several workflows", () => {
  it("goes on though the second one has failed for good at its first step", async () => {
    const workflows = new Workflows();
    mayLog(/away/);
    const userId = await newOwner(2);
    const down = fleetThatFailsAfter(2);
    await begin(userId, BRIEF);
    await workflows.ended();
    expect(workflows.status(userId, 1)).toBe("complete");
    expect(workflows.status(userId, 2)).toBe("errored");
    down.mockRestore();
    expect(await turnOf(userId)).toBe(2);
    await expectGoesOn(workflows, userId);
  });

  it("goes on though the release before had not noted the second one", async () => {
    const workflows = new Workflows();
    mayLog(/away/);
    const userId = await newOwner(2);
    const down = fleetThatFailsAfter(2);
    await begin(userId, BRIEF);
    await workflows.ended();
    down.mockRestore();
    await env.DB.prepare("UPDATE user_deletions SET progress = ? WHERE user_id = ?")
      .bind(JSON.stringify({ turn: 1, instances: 2, rows: 0 }), userId)
      .run();
    await expectGoesOn(workflows, userId);
  });

  it("goes on though the second one could not be made for a day", async () => {
    const workflows = new Workflows();
    const userId = await newOwner(2);
    workflows.isAway = (id) => id.endsWith("-2");
    await begin(userId, BRIEF);
    await workflows.ended();
    expect(workflows.status(userId, 1)).toBe("errored");
    expect(workflows.status(userId, 2)).toBe(undefined);
    workflows.isAway = () => false;
    await expectGoesOn(workflows, userId);
    // It need not begin with the first one again.
    expect(workflows.status(userId, 1)).toBe("errored");
  });

  it("goes on though the second one could not be noted for a day", async () => {
    const workflows = new Workflows();
    const userId = await newOwner(2);
    const prepare = env.DB.prepare.bind(env.DB);
    let notes = 0;
    const down = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.startsWith("UPDATE user_deletions SET progress") && ++notes > 3) {
        throw new Error("D1_ERROR: away");
      }
      return prepare(sql);
    });
    await begin(userId, BRIEF);
    await workflows.ended();
    expect(workflows.status(userId, 1)).toBe("errored");
    expect(workflows.status(userId, 2)).toBe(undefined);
    down.mockRestore();
    await expectGoesOn(workflows, userId);
  });

  it("is never set back to one that was before, by a step that comes too late", async () => {
    const { userId } = await newUser();
    await requestDeletion(env.DB, userId, Date.now());
    await noteProgress(env.DB, userId, { turn: 2, instances: 3, rows: 0 });
    await noteProgress(env.DB, userId, { turn: 1, instances: 2, rows: 0 });
    expect(await turnOf(userId)).toBe(2);
  });

  it("begins no further one once it is finished", async () => {
    const workflows = new Workflows();
    const userId = await newOwner(2);
    await begin(userId, PACE);
    await workflows.ended();
    await startDeletion(env, userId, { turn: 1 });
    expect(workflows.status(userId, 1)).toBe("complete");
    expect(workflows.status(userId, 2)).toBe(undefined);
  });

  it.each([1, 2, 3, 4, 5])("ends though half of all calls fail, as seed %i draws", async (seed) => {
    const workflows = new Workflows();
    mayLog(/not erased|away|D1_ERROR/);
    const userId = await newOwner(5);
    const chance = new Seeded(seed);
    const { erase } = InstanceActor.prototype;
    vi.spyOn(InstanceActor.prototype, "erase").mockImplementation(async function (this: InstanceActor) {
      if (chance.next() < 1 / 2) throw new Error("the instance is away");
      return erase.call(this);
    });
    const { account } = FleetActor.prototype;
    vi.spyOn(FleetActor.prototype, "account").mockImplementation(async function (this: FleetActor, request) {
      const fate = chance.next();
      if (fate < 1 / 4) throw new Error("the fleet is away");
      const answer = await account.call(this, request);
      // The answer was lost: done, though nobody knows.
      if (fate < 1 / 2) throw new Error("the fleet's answer is away");
      return answer;
    });
    const prepare = env.DB.prepare.bind(env.DB);
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (chance.next() < 1 / 8) throw new Error("D1_ERROR: away");
      return prepare(sql);
    });
    const pace = { instancesPerStep: 2, rowsPerStatement: 2, statementsPerStep: 3, callsPerWorkflow: 25 };
    await eventually(() => begin(userId, pace));
    await workflows.ended();
    vi.restoreAllMocks();
    expect((await seen(userId)).body.standing).toBe("deleted");
    expect(await turnOf(userId)).toBeGreaterThan(1);
    expect(workflows.tries).toBeLessThan(TRIES / 2);
  });
});
