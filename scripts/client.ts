import { z } from "zod";

/** The service's REST API as the scripts use it. Each call throws when it is not answered as expected. */

export interface User {
  readonly id: string;
  readonly token: string;
}

export async function createUser(url: string, adminToken: string, name: string): Promise<User> {
  const user = z
    .object({ user_id: z.string() })
    .parse(await request(`${url}/api/admin/users`, "POST", adminToken, { name }));
  const issued = z
    .object({ token: z.string() })
    .parse(await request(`${url}/api/admin/users/${user.user_id}/tokens`, "POST", adminToken));
  return { id: user.user_id, token: issued.token };
}

/** A further token of a user. */
export async function issueUserToken(url: string, adminToken: string, userId: string): Promise<string> {
  const issued = await request(`${url}/api/admin/users/${userId}/tokens`, "POST", adminToken);
  return z.object({ token: z.string() }).parse(issued).token;
}

/** A link that signs a browser in to the user's account, once. */
export async function createSignInLink(
  url: string,
  adminToken: string,
  userId: string,
  minutes: number,
): Promise<string> {
  const address = `${url}/api/admin/users/${userId}/sign-in-links`;
  const answer = await request(address, "POST", adminToken, { expires_in_minutes: minutes });
  return z.object({ url: z.string() }).parse(answer).url;
}

/** Registers an instance and gives back its token. */
export async function registerInstance(
  url: string,
  userToken: string,
  registration: {
    readonly instance_id: string;
    readonly name: string;
    readonly hourly_cost: number;
    readonly hibernated_hourly_cost: number;
    readonly provider?: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly policy?: unknown;
  },
): Promise<string> {
  const answer = await request(`${url}/api/agent/instances`, "POST", userToken, registration);
  return z.object({ token: z.string() }).parse(answer).token;
}

export async function keepAlive(url: string, userToken: string, instanceId: string): Promise<void> {
  await request(`${url}/api/agent/instances/${instanceId}/keep-alive`, "POST", userToken);
}

const liveSchema = z.object({
  instance_id: z.string(),
  name: z.string(),
  status: z.string(),
  health: z.string(),
  seconds_since_heartbeat: z.number().nullable(),
  gpu_utilization: z.number().nullable(),
  cost_today: z.number(),
  alert: z.string().optional(),
  keep_alive_until: z.string().nullable(),
  lifecycle: z.object({
    next_step: z.string().nullable(),
    in_seconds: z.number().nullable(),
    blocked_by: z.string().nullable(),
  }),
});

export type LiveInstance = z.infer<typeof liveSchema>;

export async function listInstances(url: string, userToken: string): Promise<LiveInstance[]> {
  const page = z.object({ instances: z.array(liveSchema), next_cursor: z.string().nullable() });
  const instances: LiveInstance[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const answer = page.parse(
      await request(`${url}/api/agent/instances?limit=500${query}`, "GET", userToken),
    );
    instances.push(...answer.instances);
    cursor = answer.next_cursor;
  }
  return instances;
}

const eventSchema = z.object({
  id: z.string(),
  at: z.string(),
  instance_id: z.string().nullable(),
  kind: z.string(),
  severity: z.string(),
  message: z.string(),
});

export type LifecycleEvent = z.infer<typeof eventSchema>;

/** The newest events of all of the user's instances, newest first. */
export async function listEvents(url: string, userToken: string): Promise<LifecycleEvent[]> {
  const answer = await request(`${url}/api/agent/events?limit=200`, "GET", userToken);
  return z.object({ events: z.array(eventSchema) }).parse(answer).events;
}

const heartbeatAnswerSchema = z.object({
  next_heartbeat_in_seconds: z.number(),
  actions: z.array(z.object({ type: z.string() })),
});

export type HeartbeatAnswer = z.infer<typeof heartbeatAnswerSchema>;

export async function sendHeartbeat(
  url: string,
  instanceToken: string,
  heartbeat: Record<string, unknown>,
): Promise<HeartbeatAnswer> {
  return heartbeatAnswerSchema.parse(
    await request(`${url}/api/agent/status`, "POST", instanceToken, heartbeat),
  );
}

/** Any other call of the API. */
export async function request(url: string, method: string, token: string, json?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}
