import { z } from "zod";
import { component } from "../http/openapi.ts";
import { comingBackOf } from "../lifecycle/model/coming-back.ts";
import { abilitiesOf, type CalledProvider, nameOfKind } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { type Connection, isRefused } from "../providers/connections.ts";
import { calledProviderSchema, credentialForm } from "../providers/registry.ts";

/** How connections, and what can be connected, are shown: never with their credentials. */

const abilitiesSchema = component(
  "ProviderAbilities",
  z
    .object({
      hibernates: z.string().describe("`by call`, or `never` where the provider can't stop a machine"),
      snapshots: z.boolean(),
      lists: z.boolean().describe("Whether it can list all machines of the account"),
      billed_when_stopped: z.array(z.string()).readonly(),
      lost: z.array(z.string()).readonly().describe("What a stop loses"),
      may_not_come_back: z.string().nullable().describe("What may keep a stopped machine from coming back"),
      start_without_gpu: z
        .string()
        .nullable()
        .describe("What a start does while no GPU is free: it `waits`, `comes without`, or `fails`"),
      ends_by_itself: z.string().nullable().describe("What ends a stopped machine, with its data"),
    })
    .describe("What this kind of provider can do, and what stopping a machine there means"),
);

export const connectionSchema = component(
  "Connection",
  z.object({
    id: z.string().describe("The first connection of a kind has the kind for its id"),
    provider: calledProviderSchema,
    name: z.string(),
    state: z
      .enum(["active", "refused"])
      .describe(
        "`refused`: the provider has refused the credentials three times in a row. Nothing is called with them until others are set, or a check succeeds",
      ),
    checked_at: z.string().nullable().describe("When the credentials were last checked"),
    problem: z.string().nullable().describe("What was wrong when they were last tried"),
    created_at: z.string(),
    updated_at: z.string().describe("When the credentials were set"),
    abilities: abilitiesSchema,
  }),
);

const providerSchema = component(
  "Provider",
  z
    .object({
      provider: calledProviderSchema,
      name: z.string(),
      credentials: z.array(z.object({ name: z.string(), required: z.boolean() })),
      abilities: abilitiesSchema,
    })
    .describe("A kind of provider that can be connected, and what its credentials consist of"),
);

export const connectionsSchema = component(
  "ConnectionList",
  z.object({ connections: z.array(connectionSchema), providers: z.array(providerSchema) }),
);

export const connectionExample: z.infer<typeof connectionSchema> = {
  id: "c-7a0c5b436d9b4f6c",
  provider: "vast",
  name: "Team B",
  state: "active",
  checked_at: "2025-12-18T12:00:00Z",
  problem: null,
  created_at: "2025-12-18T12:00:00Z",
  updated_at: "2025-12-18T12:00:00Z",
  abilities: abilitiesView("vast"),
};

export function connectionView(connection: Connection): z.infer<typeof connectionSchema> {
  const { id, kind, name, checkedAt, problem, createdAt, setAt } = connection;
  return {
    id,
    provider: kind,
    name,
    state: isRefused(connection) ? "refused" : "active",
    checked_at: checkedAt === null ? null : toIso(checkedAt),
    problem,
    created_at: toIso(createdAt),
    updated_at: toIso(setAt),
    abilities: abilitiesView(kind),
  };
}

export function providerView(kind: CalledProvider): z.infer<typeof providerSchema> {
  return {
    provider: kind,
    name: nameOfKind(kind),
    credentials: credentialForm(kind).map(({ name, isRequired }) => ({ name, required: isRequired })),
    abilities: abilitiesView(kind),
  };
}

function abilitiesView(kind: CalledProvider): z.infer<typeof abilitiesSchema> {
  const { hibernates, snapshots, lists, billedWhenStopped, lost, mayNotComeBack } = abilitiesOf(kind);
  const { startWithoutGpu, endsByItself } = comingBackOf(kind);
  return {
    hibernates,
    snapshots,
    lists,
    billed_when_stopped: billedWhenStopped,
    lost,
    may_not_come_back: mayNotComeBack,
    start_without_gpu: startWithoutGpu,
    ends_by_itself: endsByItself,
  };
}
