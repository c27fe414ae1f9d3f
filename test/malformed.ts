import fc from "fast-check";

/** Requests that must be refused: each is wrong in at least one way, and none of them may change anything. */

export interface BadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

/** Whose tokens the requests carry, so that it is not the token that refuses them. */
export interface Tokens {
  readonly instance: string;
  readonly user: string;
  readonly admin: string;
  readonly enrollment: string;
}

const INSTANCE_ID = "rig";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const instancePath = `/api/agent/instances/${INSTANCE_ID}`;
const previewPath = "/api/agent/policy/preview/0b0f7f9e-3c61-4a53-9c6e-0f2a3e0a7c11";

const notANumber = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.boolean(),
  fc.constant([]),
  fc.constant({}),
  fc.double({ max: -Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true }).filter((value) => value < 0),
  fc.double({ min: 1e11, noDefaultInfinity: true, noNaN: true }),
  fc.array(fc.integer(), { minLength: 1, maxLength: 5 }),
  fc.dictionary(fc.string(), fc.integer(), { minKeys: 1, maxKeys: 5 }),
);

const READINGS = [
  "gpu_utilization",
  "vram_used_gb",
  "cpu_utilization",
  "ram_used_gb",
  "disk_used_gb",
  "cost_accumulated",
  "uptime_seconds",
];

const badHeartbeat = fc.oneof(
  fc
    .record({ field: fc.constantFrom(...READINGS), value: notANumber })
    .map(({ field, value }) => JSON.stringify({ instance_id: INSTANCE_ID, [field]: value })),
  // JSON has no infinity, but a number may grow into one.
  fc.constantFrom(...READINGS).map((field) => `{"instance_id":"${INSTANCE_ID}","${field}":1e999}`),
  fc
    .oneof(fc.integer(), fc.boolean(), fc.constant({}), fc.constant(""), fc.string({ minLength: 33 }))
    .map((status) => JSON.stringify({ instance_id: INSTANCE_ID, status })),
  fc
    .constantFrom<object>(
      { activity: { "ACCOUNT SUSPENDED: verify at https://evil.example.com": 1 } },
      { activity: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a${n}`, 1])) },
      { status: "running\u0007" },
      { boot_id: "a b" },
      { hooks: ["halt"] },
      { preparation: { state: "done", seconds: 1 } },
      { preparation: { id: "a b", state: "running", seconds: 1 } },
      { reclaim: { by: "aws" } },
      { dead_man: { hours: -1 } },
      { gpus: [{ index: 0, name: "\u001b[31m" }] },
      { gpus: Array.from({ length: 65 }, (_, index) => ({ index })) },
    )
    .map((field) => JSON.stringify({ instance_id: INSTANCE_ID, ...field })),
  fc
    .oneof(fc.integer(), fc.constant(null), fc.constant([INSTANCE_ID]), fc.string())
    .filter((id) => id !== INSTANCE_ID)
    .map((instance_id) => JSON.stringify({ instance_id, gpu_utilization: 1 })),
  fc.constantFrom("", "null", "[]", "1", '""', "{}", "true"),
);

const notJson = fc.oneof(
  fc.string({ minLength: 1 }).map((text) => `{${text}`.replaceAll("}", "")),
  fc.json({ maxDepth: 3 }).map((json) => `${json},`),
  fc.json({ maxDepth: 3 }).map((json) => `{"instance_id":"${INSTANCE_ID}","x":${json}`),
  fc.constantFrom(
    "NaN",
    "undefined",
    "{'instance_id':'rig'}",
    "instance_id=rig",
    "<status/>",
    "\u0000",
    "{}{}",
  ),
);

const notUtf8 = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => new Uint8Array([0x22, 0xff, ...bytes, 0x22])),
  fc.constant(Uint8Array.from(Buffer.from(`{"instance_id":"${INSTANCE_ID}"}`, "utf16le"))),
  // gzip's first bytes
  fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array([0x1f, 0x8b, 0x08, ...bytes])),
);

const tooLarge = fc.integer({ min: 16 * 1024 + 1, max: 200_000 }).map((size) => {
  const frame = `{"instance_id":"${INSTANCE_ID}","padding":""}`;
  return frame.replace('""', `"${"x".repeat(size - frame.length)}"`);
});

const tooDeep = fc
  .record({
    depth: fc.integer({ min: 10, max: 7_000 }),
    brackets: fc.constantFrom(["[", "]"] as const, ['{"a":', "}"] as const),
  })
  .map(({ depth, brackets: [open, close] }) => {
    const levels = Math.min(depth, 2_500);
    return open === "["
      ? "[".repeat(depth) + "]".repeat(depth)
      : `${open.repeat(levels)}1${close.repeat(levels)}`;
  })
  .chain((deep) =>
    fc.constantFrom(
      deep,
      `{"instance_id":${deep}}`,
      `{"instance_id":"${INSTANCE_ID}","gpu_utilization":${deep}}`,
    ),
  );

const badToken = (tokens: Tokens) =>
  fc.oneof(
    fc.constantFrom(
      "",
      "Bearer",
      "Bearer ",
      "bearer\tx",
      "Basic cmlnOnJpZw==",
      "Bearer a.b.c",
      "Bearer null",
    ),
    fc.stringMatching(/^[!-~]{1,200}$/).map((text) => `Bearer ${text}`),
    fc
      .record({
        at: fc.nat(),
        of: fc.constantFrom(tokens.instance, tokens.user, tokens.admin, tokens.enrollment),
      })
      .map(({ at, of }) => `Bearer ${of.slice(0, at % of.length)}`),
    fc.record({ at: fc.nat(), of: fc.constantFrom(tokens.instance, tokens.user) }).map(({ at, of }) => {
      // The last letter of base64url holds bits that do not count.
      const place = at % (of.length - 1);
      return `Bearer ${of.slice(0, place)}${of[place] === "A" ? "B" : "A"}${of.slice(place + 1)}`;
    }),
    fc.constantFrom(
      `Bearer ${tokens.user} x`,
      `Token ${tokens.user}`,
      `Bearer ${tokens.user},${tokens.user}`,
    ),
  );

const USER_ROUTES: readonly (readonly [string, string])[] = [
  ["GET", "/api/agent/whoami"],
  ["GET", "/api/agent/account"],
  ["PATCH", "/api/agent/account"],
  ["GET", "/api/agent/tokens"],
  ["POST", "/api/agent/tokens"],
  ["DELETE", "/api/agent/tokens/t-1"],
  ["GET", "/api/agent/sessions"],
  ["DELETE", "/api/agent/sessions/s-1"],
  ["GET", "/api/agent/instances"],
  ["POST", "/api/agent/instances"],
  ["GET", instancePath],
  ["PATCH", instancePath],
  ["DELETE", instancePath],
  ["POST", `${instancePath}/token`],
  ["POST", `${instancePath}/keep-alive`],
  ["POST", `${instancePath}/lifecycle/preview`],
  ["POST", `${instancePath}/hibernate`],
  ["POST", `${instancePath}/wake`],
  ["GET", `${instancePath}/preparation`],
  ["GET", `${instancePath}/heartbeats`],
  ["GET", `${instancePath}/events`],
  ["GET", `${instancePath}/costs`],
  ["GET", `${instancePath}/why`],
  ["GET", "/api/agent/events"],
  ["GET", "/api/agent/budget"],
  ["PUT", "/api/agent/budget"],
  ["GET", "/api/agent/hibernate-all"],
  ["POST", "/api/agent/hibernate-all"],
  ["GET", "/api/agent/policy"],
  ["PUT", "/api/agent/policy"],
  ["GET", "/api/agent/policy/preview"],
  ["POST", "/api/agent/policy/preview"],
  ["GET", previewPath],
  ["DELETE", previewPath],
  ["GET", `${previewPath}/instances`],
  ["GET", "/api/agent/costs"],
  ["GET", "/api/agent/savings"],
  ["GET", "/api/agent/costs/report"],
  ["GET", "/api/agent/channels"],
  ["POST", "/api/agent/channels"],
  ["GET", "/api/agent/alerts"],
  ["POST", "/api/agent/alerts/1/acknowledge"],
  ["PUT", "/api/agent/alerts/snoozes/rig"],
  ["DELETE", "/api/agent/alerts/snoozes/rig"],
  ["PATCH", "/api/agent/channels/c-1"],
  ["DELETE", "/api/agent/channels/c-1"],
  ["POST", "/api/agent/channels/c-1/test"],
  ["GET", "/api/agent/connections"],
  ["POST", "/api/agent/connections"],
  ["PATCH", "/api/agent/connections/vast"],
  ["DELETE", "/api/agent/connections/vast"],
  ["POST", "/api/agent/connections/vast/check"],
  ["POST", "/api/agent/connections/vast/sync"],
  ["GET", "/api/agent/enrollments"],
  ["POST", "/api/agent/enrollments"],
  ["DELETE", "/api/agent/enrollments/n-1"],
  ["GET", "/api/agent/providers/vast"],
  ["PUT", "/api/agent/providers/vast"],
  ["DELETE", "/api/agent/providers/vast"],
  ["GET", "/api/agent/inventory"],
  ["POST", "/api/agent/inventory/adopt"],
  ["POST", "/api/agent/actions/a-1/result"],
  ["GET", "/api/agent/people"],
  ["PATCH", "/api/agent/people/p-1"],
  ["DELETE", "/api/agent/people/p-1"],
  ["DELETE", "/api/agent/people/p-1/identities/none"],
  ["GET", "/api/agent/invitations"],
  ["POST", "/api/agent/invitations"],
  ["DELETE", "/api/agent/invitations/l-1"],
  ["GET", "/api/agent/audit"],
];

const ADMIN_ROUTES: readonly (readonly [string, string])[] = [
  ["POST", "/api/admin/users"],
  ["GET", "/api/admin/users"],
  ["POST", "/api/admin/users/u-1/tokens"],
  ["DELETE", "/api/admin/tokens/t-1"],
  ["POST", "/api/admin/users/u-1/sign-in-links"],
  ["POST", "/api/admin/cleanup"],
  ["GET", "/api/admin/events"],
  ["GET", "/api/admin/service"],
];

const badPolicy = fc.oneof(
  fc.constantFrom<unknown>(
    [],
    null,
    1,
    "policy",
    { idle: null },
    { idle: { enabled: "yes" } },
    { idle: { metric: "disk" } },
    { idle: { threshold_percent: 100.1 } },
    { idle: { warn_after_seconds: 300 } },
    { orphan: { orphan_after_seconds: 179 } },
    { orphan: { delete_after_days: 0 } },
    { guard: { fraction: 0 } },
    { heartbeat_interval_seconds: 1.5 },
    { keep_alive_minutes: 0 },
    { preset: "custom" },
    { preset: "reckless" },
    { preset: null },
    { preset: "thrifty", idle: { warn_after_seconds: 300 } },
    { mode: "watch" },
    { polcy: {} },
  ),
  fc
    .dictionary(fc.stringMatching(/^[a-z]{5,12}$/), fc.jsonValue(), { minKeys: 1, maxKeys: 4 })
    .filter((value) => !Object.keys(value).some((key) => key === "guard" || key === "orphan")),
);

const badUntil = fc.oneof(
  fc
    .oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant({}))
    .filter((until) => !/^([01]\d|2[0-3]):[0-5]\d$/.test(String(until)))
    .map((until) => ({ until })),
  fc.constantFrom<object>(
    { until: "24:00" },
    { until: "18:00", minutes: 60 },
    { until: "18:00", timezone: "Mars/Olympus" },
    { until: "18:00", timezone: "x".repeat(65) },
    { until: "18:00", timezone: null },
    { until: "2025-02-30T00:00:00Z" },
    { until: "1970-01-01T00:00:00Z" },
    { until: "9999-12-31T23:59:59Z" },
    { until: "2025-12-19T18:00:00" },
    { timezone: "UTC" },
  ),
);

const badBudget = fc.oneof(
  fc.constantFrom<unknown>(
    [],
    null,
    50,
    { day: -1 },
    { day: 0 },
    { month: "50" },
    { month: 1e12 },
    { day: {} },
    { at_limit: null },
    { at_limit: "delete_all" },
    { day: 5, week: 20 },
  ),
  fc
    .dictionary(fc.stringMatching(/^[a-z]{4,12}$/), fc.jsonValue(), { minKeys: 1, maxKeys: 4 })
    .filter((body) => !("month" in body)),
);

const badHibernateAll = fc.oneof(
  fc.constantFrom<unknown>(
    [],
    null,
    "all",
    { filter: null },
    { filter: [] },
    { filter: { status: "asleep" } },
    { filter: { provider: "toaster" } },
    { filter: { connection: "A B" } },
    { filter: { tag: "team" } },
    { filter: { tag: ["team:ml"] } },
    { filter: { only_idle: "yes" } },
    { filter: { user: "u-1" } },
    { respect_keep_alive: null },
    { dry_run: 1 },
    { dry_run: "true" },
  ),
  fc
    .dictionary(fc.stringMatching(/^[a-z]{3,7}$/), fc.jsonValue(), { minKeys: 1, maxKeys: 4 })
    .filter((body) => !("filter" in body)),
);

const badPreview = fc.oneof(
  badPolicy.map((policy) => ({ policy })),
  badPolicy
    .filter((policy) => policy !== null)
    .map((instance_policy) => ({ policy: {}, instances: [INSTANCE_ID], instance_policy })),
  fc
    .oneof(fc.constantFrom(0, 31, -1, 1.5, null), fc.string(), fc.constant([7]))
    .map((days) => ({ policy: {}, days })),
  fc.constantFrom<unknown>(
    [],
    null,
    {},
    "policy",
    { policy: {}, instances: [] },
    { policy: {}, instances: INSTANCE_ID },
    { policy: {}, instances: ["nobody"] },
    { policy: {}, instances: ["a/b"] },
    { policy: {}, instances: [null] },
    { policy: {}, instances: Array.from({ length: 201 }, (_, n) => `i-${n}`) },
    { policy: {}, instance_policy: {} },
    { policy: {}, instances: [INSTANCE_ID], instance_policy: null },
    { policy: {}, instances: [INSTANCE_ID], instance_policy: { guard: {} } },
    { policy: {}, instances: [INSTANCE_ID], tag: { team: "x" } },
    { policy: {}, tag: {} },
    { policy: {}, tag: "team:x" },
    { policy: {}, tag: { team: "x", site: "y" } },
    { policy: {}, tag: JSON.parse('{"__proto__":"x"}') },
    { policy: {}, tag: { team: "a\u0000" } },
    { policy: {}, proposal: "no" },
    { policy: {}, apply: true },
  ),
);

const badRegistration = fc.oneof(
  fc
    .oneof(
      fc.constantFrom("", "-x", "a/b", "a b", "ä", "x".repeat(129), ".."),
      fc.integer(),
      fc.constant(null),
      fc.constant(["x"]),
    )
    .map((instance_id) => ({ instance_id })),
  fc.constantFrom(
    { instance_id: "new", provider: "vast" },
    { instance_id: "new", provider: "toaster" },
    { instance_id: "new", hourly_cost: -1 },
    { instance_id: "new", hourly_cost: "1" },
    { instance_id: "new", name: "" },
    { instance_id: "new", name: " ".repeat(10) },
    { instance_id: "new", name: "x".repeat(201) },
    { instance_id: "new", policy: { idle: { warn_after_seconds: 400 } } },
    { instance_id: "new", policy: { guard: { enabled: false } } },
    { instance_id: "new", policy: [] },
    { instance_id: "new", connection: "vast" },
    { instance_id: "new", provider: "vast", connection: "c-1" },
    { instance_id: INSTANCE_ID },
    { instance_id: INSTANCE_ID, name: "another" },
    { instance_id: INSTANCE_ID, tags: { team: "vision" } },
    {},
    [],
    null,
  ),
);

/** A literal would set the prototype. */
const BAD_TAGS: readonly unknown[] = [
  JSON.parse('{"__proto__":"x"}'),
  { Team: "x" },
  { "a b": "x" },
  { team: 1 },
  { team: null },
  { team: "x".repeat(101) },
  { team: "a\u0000" },
  { team: "\ud800" },
  { ["k".repeat(41)]: "x" },
  Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, "v"])),
  [],
  ["team:vision"],
  "team:vision",
];

const badTags = fc
  .constantFrom(...BAD_TAGS)
  .chain((tags) =>
    fc.constantFrom<[string, string, object]>(
      ["PATCH", instancePath, { name: "changed", tags }],
      ["POST", "/api/agent/instances", { instance_id: "new", tags }],
      ["POST", "/api/agent/enrollments", { name: "x", tags }],
    ),
  );

const badTagQuery = fc
  .constantFrom("", "team", ":x", "Team:x", "__proto__:x", `a:${"x".repeat(101)}`, "a:%00", "a:b&tag=c")
  .map((tag) => `tag=${tag}`);

const badChannel = fc.oneof(
  fc
    .oneof(
      fc.constantFrom(
        "",
        "https://",
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "file:///etc/passwd",
        "https://a:b@c.d/",
      ),
      fc.string(),
      fc.integer(),
    )
    .map((url) => ({ name: "x", settings: { kind: "slack", url } })),
  fc.jsonValue().map((settings) => ({ name: "x", settings })),
  fc.constantFrom(
    {},
    { name: "x" },
    { name: "", settings: { kind: "email", to: "a@example.com" } },
    { name: "x", settings: { kind: "email", to: "a@example.com" }, minimum_severity: "loud" },
    { name: "x", settings: { kind: "email", to: ["a@example.com"] } },
  ),
);

const badCredentials = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    { api_key: "" },
    { api_key: 1 },
    { api_key: "x".repeat(600) },
    { api_key: "0123456789", more: "1" },
  ),
);

const badConnection = fc.oneof(
  badCredentials.map((credentials) => ({ provider: "vast", name: "x", credentials })),
  fc.constantFrom(
    {},
    { provider: "agent", name: "x", credentials: { api_key: "0123456789" } },
    { provider: "vast", name: "", credentials: { api_key: "0123456789" } },
    { provider: "vast", name: "x".repeat(201), credentials: { api_key: "0123456789" } },
  ),
);

const badEnrollment = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    { name: "" },
    { name: "x", uses: 0 },
    { name: "x", uses: 1001 },
    { name: "x", uses: 1.5 },
    { name: "x", expires_in_days: 0 },
    { name: "x", expires_in_days: 366 },
    { name: "x", name_prefix: "x".repeat(61) },
    { name: "x", hourly_cost: -1 },
    { name: "x", token: "y" },
  ),
);

const badMachine = fc.oneof(
  fc.jsonValue(),
  fc
    .oneof(fc.string(), fc.integer(), fc.constant(null))
    .map((machine_key) => ({ provider: "ec2", machine_id: "i-1234567890abcdef0", machine_key })),
  fc
    .oneof(fc.string(), fc.integer(), fc.constantFrom("i-", "..", "x".repeat(65), "a/b"))
    .filter((id) => !/^i-[0-9a-f]{8,17}$/.test(String(id)))
    .map((machine_id) => ({ provider: "ec2", machine_id, machine_key: "k".repeat(32) })),
  fc.constantFrom(
    { provider: "webhook", machine_id: "m-1", machine_key: "k".repeat(32) },
    { provider: "gcp", machine_id: "trainer-1", machine_key: "k".repeat(32) },
    { provider: "gcp", machine_id: "1", provider_ref: "a b", machine_key: "k".repeat(32) },
  ),
);

const badInvitation = fc.oneof(
  fc.jsonValue(),
  fc
    .oneof(fc.string(), fc.integer(), fc.constantFrom("metrics", "god", null, ["owner"]))
    .map((role) => ({ name: "x", role })),
  fc
    .oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom("a@b", "a b@example.com", `${"x".repeat(250)}@example.com`),
    )
    .map((email) => ({ email, role: "viewer" })),
  fc.constantFrom(
    { role: "viewer" },
    { name: "x".repeat(201), role: "viewer" },
    { name: "x", role: "viewer", id: "l-1" },
  ),
);

const badPerson = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    {},
    { role: "metrics" },
    { role: null },
    { name: "" },
    { name: "x".repeat(201) },
    { email: "a@example.com" },
  ),
);

/** What a browser sends that wants to sign in. */
const badSignIn = fc.constantFrom<readonly [string, string, unknown]>(
  ["POST", "/api/session/links", {}],
  ["POST", "/api/session/links", { email: "a" }],
  ["POST", "/api/session/links", { email: ["a@example.com"] }],
  ["POST", "/api/session/links", { email: "a@example.com", to: "b@example.com" }],
  ["POST", "/api/session/openid", {}],
  ["POST", "/api/session/openid", { link: "x" }],
  ["POST", "/api/session/openid", { link: "x".repeat(201) }],
  ["POST", "/api/session/openid", { link: "x", to: 1 }],
  ["GET", "/api/session/openid?connect=perhaps", null],
  ["GET", `/api/session/openid?account=${"x".repeat(65)}`, null],
);

const badResult = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom({ outcome: "perhaps" }, { outcome: "succeeded", snapshot_id: "" }, { outcome: 1 }),
);

const badQuery = fc.oneof(
  fc.constantFrom(
    "limit=0",
    "limit=-1",
    "limit=1001",
    "limit=1e9",
    "limit=NaN",
    "limit=%00",
    "cursor=*",
    "cursor=%F0%28%8C%28",
    `cursor=${"A".repeat(1001)}`,
  ),
  fc.stringMatching(/^[a-z]{1,20}$/).map((text) => `limit=${text}`),
);

const badCostsQuery = fc.oneof(
  fc.constantFrom(
    "from=2025-02-29",
    "from=2025-1-1",
    "from=2025-01-01T00:00:00Z",
    "from=9999-12-31",
    "to=0000-00-00",
    "to=%00",
    "from=2025-02-01&to=2025-01-31",
    "from=2024-01-01&to=2025-12-31",
    "by=tag",
    "by=tag&tag=",
    "by=tag&tag=a%22b",
    "by=tag&tag=%F0%9F%98%80",
    `by=tag&tag=${"x".repeat(41)}`,
    "by=day&tag=team",
    "by=instance&cursor=eA",
    "by=__proto__",
  ),
  fc.stringMatching(/^[a-z]{1,20}$/).map((text) => `from=${text}`),
  fc.stringMatching(/^[A-Z]{1,20}$/).map((text) => `by=${text}`),
);

/** Any request of this kind must be answered with a 4xx. */
export function badRequests(tokens: Tokens): fc.Arbitrary<BadRequest> {
  const heartbeat = (body: BadRequest["body"]): BadRequest => ({
    method: "POST",
    path: "/api/agent/status",
    headers: bearer(tokens.instance),
    body,
  });
  const byUser = (method: string, path: string, body: BadRequest["body"] = null): BadRequest => ({
    method,
    path,
    headers: bearer(tokens.user),
    body,
  });
  const enroll = (body: BadRequest["body"]): BadRequest => ({
    method: "POST",
    path: "/api/agent/enroll",
    headers: bearer(tokens.enrollment),
    body,
  });
  const withBody = fc.constantFrom<readonly [string, string, string]>(
    ["POST", "/api/agent/status", tokens.instance],
    ["POST", "/api/agent/instances", tokens.user],
    ["PATCH", instancePath, tokens.user],
    ["POST", `${instancePath}/keep-alive`, tokens.user],
    ["POST", `${instancePath}/lifecycle/preview`, tokens.user],
    ["POST", `${instancePath}/hibernate`, tokens.user],
    ["PUT", "/api/agent/policy", tokens.user],
    ["POST", "/api/agent/policy/preview", tokens.user],
    ["POST", "/api/agent/hibernate-all", tokens.user],
    ["PUT", "/api/agent/budget", tokens.user],
    ["POST", "/api/agent/enrollments", tokens.user],
    ["POST", "/api/agent/enroll", tokens.enrollment],
    ["POST", "/api/admin/users", tokens.admin],
  );
  return fc.oneof(
    badHeartbeat.map(heartbeat),
    fc
      .tuple(
        withBody,
        fc.oneof<fc.Arbitrary<string | Uint8Array<ArrayBuffer>>[]>(notJson, notUtf8, tooLarge, tooDeep),
      )
      .map(([[method, path, token], body]) => ({ method, path, headers: bearer(token), body })),
    badPolicy.map((policy) => byUser("PUT", "/api/agent/policy", JSON.stringify(policy))),
    badPolicy.map((policy) => byUser("PATCH", instancePath, JSON.stringify({ policy }))),
    badPolicy.map((policy) => byUser("POST", `${instancePath}/lifecycle/preview`, JSON.stringify(policy))),
    badPreview.map((body) => byUser("POST", "/api/agent/policy/preview", JSON.stringify(body))),
    badBudget.map((body) => byUser("PUT", "/api/agent/budget", JSON.stringify(body))),
    badHibernateAll.map((body) => byUser("POST", "/api/agent/hibernate-all", JSON.stringify(body))),
    fc.oneof(
      badTags.map(([method, path, body]) => byUser(method, path, JSON.stringify(body))),
      badTagQuery.map((query) => byUser("GET", `/api/agent/instances?${query}`)),
    ),
    badRegistration.map((body) => byUser("POST", "/api/agent/instances", JSON.stringify(body))),
    fc
      .constantFrom("limit=0", "limit=201", "cursor=x", "severity=loud", "status=over", "instance_id=")
      .map((query) => byUser("GET", `/api/agent/alerts?${query}`)),
    fc
      .constantFrom("-1", "x", "1.5", "1e3", "9".repeat(16), "%00")
      .map((id) => byUser("POST", `/api/agent/alerts/${id}/acknowledge`)),
    fc
      .constantFrom(
        {},
        { until: "" },
        { until: "tomorrow" },
        { until: "2001-01-01T00:00:00Z" },
        { until: 5 },
        { until: "9999-12-31T00:00:00Z" },
      )
      .map((body) => byUser("PUT", `/api/agent/alerts/snoozes/${INSTANCE_ID}`, JSON.stringify(body))),
    badChannel.map((body) => byUser("POST", "/api/agent/channels", JSON.stringify(body))),
    fc
      .constantFrom({ name: "" }, { paused: "yes" }, { paused: null }, { settings: [] }, { secret: "x" })
      .map((body) => byUser("PATCH", "/api/agent/channels/c-1", JSON.stringify(body))),
    badCredentials.map((body) => byUser("PUT", "/api/agent/providers/vast", JSON.stringify(body))),
    badConnection.map((body) => byUser("POST", "/api/agent/connections", JSON.stringify(body))),
    badInvitation.map((body) => byUser("POST", "/api/agent/invitations", JSON.stringify(body))),
    badPerson.map((body) => byUser("PATCH", "/api/agent/people/p-1", JSON.stringify(body))),
    badSignIn.map(([method, path, body]) => ({
      method,
      path,
      headers: { "Content-Type": "application/json" },
      body: body === null ? null : JSON.stringify(body),
    })),
    badEnrollment.map((body) => byUser("POST", "/api/agent/enrollments", JSON.stringify(body))),
    badMachine.map((body) => enroll(JSON.stringify(body))),
    fc
      .constantFrom(tokens.instance, tokens.user, tokens.admin)
      .map((token) => ({ ...enroll("{}"), headers: bearer(token) })),
    badToken(tokens).map((Authorization) => ({ ...enroll("{}"), headers: { Authorization } })),
    badResult.map((body) => byUser("POST", "/api/agent/actions/a-1/result", JSON.stringify(body))),
    fc
      .oneof(fc.constantFrom(0, -5, 10_081, 1.5), fc.string(), fc.boolean(), fc.constant({}))
      .map((minutes) => byUser("POST", `${instancePath}/keep-alive`, JSON.stringify({ minutes }))),
    badUntil.map((body) => byUser("POST", `${instancePath}/keep-alive`, JSON.stringify(body))),
    fc
      .constantFrom<unknown>({ prepare: "no" }, { prepare: 0 }, { prepare: null }, { force: true }, [], 1)
      .map((body) => byUser("POST", `${instancePath}/hibernate`, JSON.stringify(body))),
    fc
      .tuple(
        fc.constantFrom(
          "/api/agent/instances",
          `${instancePath}/heartbeats`,
          `${instancePath}/events`,
          "/api/agent/events",
          "/api/agent/costs",
          "/api/agent/savings",
          "/api/agent/inventory",
          "/api/agent/audit",
          `${previewPath}/instances`,
        ),
        badQuery,
      )
      .map(([path, query]) => byUser("GET", `${path}?${query}`)),
    badCostsQuery.map((query) => byUser("GET", `/api/agent/costs?${query}`)),
    fc
      .oneof(
        fc.string({ minLength: 1, maxLength: 40 }).filter((month) => !/^\d{4}-\d\d$/.test(month)),
        fc.constantFrom(
          "2025-13",
          "2025-00",
          "0001-01",
          "1969-12",
          "9999-12",
          "2025-1",
          "2025-11-01",
          "२०२५-११",
        ),
      )
      .map((month) => byUser("GET", `/api/agent/costs/report?month=${encodeURIComponent(month)}`)),
    fc
      .oneof(fc.string({ minLength: 1 }), fc.constantFrom("2025-13-01T00:00:00Z", "1", "now", "2025-01-01"))
      .chain((from) =>
        fc
          .constantFrom("heartbeats", "events")
          .map((part) => byUser("GET", `${instancePath}/${part}?from=${encodeURIComponent(from)}`)),
      ),
    fc
      .constantFrom(
        "severity=loud",
        "severity=",
        "severity=info&severity=loud",
        "severity=info&severity=info&severity=info&severity=info",
        "kind=",
        `kind=${"k".repeat(101)}`,
        `${"kind=k&".repeat(101)}`,
        "from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z",
      )
      .map((query) => byUser("GET", `${instancePath}/events?${query}`)),
    fc
      .constantFrom(
        "from=2025-01-02&to=2025-01-01",
        "from=1900-01-01",
        "to=9999-12-31&from=0001-01-01",
        "from=now",
        "to=2025-13-01",
      )
      .map((query) => byUser("GET", `${instancePath}/costs?${query}`)),
    fc
      .oneof(
        fc.string(),
        fc.constantFrom(
          "2025-13-01T00:00:00Z",
          "9999-12-31T23:59:59Z",
          "1970-01-01T00:00:00Z",
          "2025-01-01",
          "2025-01-01T00:00:00",
          "now",
          "0",
        ),
      )
      .map((at) => byUser("GET", `${instancePath}/why?at=${encodeURIComponent(at)}`)),
    fc
      .constantFrom("", "?", "?when=2025-01-01T00:00:00Z", "?at=")
      .map((query) => byUser("GET", `${instancePath}/why${query}`)),
    fc
      .constantFrom(
        ...[
          "%",
          "%zz",
          "%00",
          "a%2Fb",
          "..%2F..",
          "a%20b",
          "%F0%28%8C%28",
          "x".repeat(300),
          "unknown",
          "%E2%80%AE",
        ],
      )
      .chain((id) =>
        fc
          .constantFrom(
            ["GET", ""],
            ["DELETE", ""],
            ["POST", "/wake"],
            ["POST", "/keep-alive"],
            ["POST", "/lifecycle/preview"],
            ["GET", "/heartbeats"],
            ["GET", "/events?kind=idle"],
            ["GET", "/costs"],
            ["GET", "/preparation"],
            ["GET", "/why?at=2025-12-19T03:02:30Z"],
          )
          .map(([method = "", rest = ""]) => byUser(method, `/api/agent/instances/${id}${rest}`)),
      ),
    fc
      .constantFrom("PUT", "DELETE", "PATCH")
      .map((method) => ({ method, path: "/api/agent/status", headers: bearer(tokens.user), body: null })),
    fc
      .constantFrom(
        "/api/agent",
        "/api/agent/nothing",
        "/api/admin/",
        "/api",
        "//",
        "/api/agent/instances/rig/nothing",
      )
      .chain((path) => fc.constantFrom("GET", "POST").map((method) => byUser(method, path))),
    fc
      .tuple(fc.constantFrom(...USER_ROUTES, ...ADMIN_ROUTES), badToken(tokens))
      .map(([[method, path], Authorization]) => ({ method, path, headers: { Authorization }, body: null })),
    fc
      .tuple(
        fc.constantFrom(...USER_ROUTES),
        fc.constantFrom(tokens.instance, tokens.admin, tokens.enrollment),
      )
      .map(([[method, path], token]) => ({ method, path, headers: bearer(token), body: null })),
    fc
      .tuple(
        fc.constantFrom(...ADMIN_ROUTES),
        fc.constantFrom(tokens.instance, tokens.user, tokens.enrollment),
      )
      .map(([[method, path], token]) => ({ method, path, headers: bearer(token), body: null })),
    badToken(tokens).map((Authorization) => ({
      ...heartbeat(JSON.stringify({ instance_id: INSTANCE_ID, gpu_utilization: 1 })),
      headers: { Authorization },
    })),
  );
}
