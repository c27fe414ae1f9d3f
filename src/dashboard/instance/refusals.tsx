import type { ComponentChildren } from "preact";
import { instanceAddress } from "../address.ts";
import type { ApiError } from "../api-error.ts";
import { fleet } from "../fleet/fleet.ts";
import { errorText } from "../parts/notice.tsx";
import { words } from "../words.ts";
import { type ChosenMachine, referenceOfMachine } from "./machine.ts";

/** What the service says against an instance that is added or changed, at the field that it is about. */

export type FieldName =
  | "id"
  | "name"
  | "machine"
  | "reference"
  | "hourlyCost"
  | "hibernatedCost"
  | "tags"
  | "policy"
  | "form";

export type Refusals = Readonly<Partial<Record<FieldName, ComponentChildren>>>;

const FIELD_OF_PATH: Readonly<Record<string, FieldName>> = {
  instance_id: "id",
  name: "name",
  provider: "machine",
  connection: "machine",
  provider_ref: "reference",
  hourly_cost: "hourlyCost",
  hibernated_hourly_cost: "hibernatedCost",
  tags: "tags",
  policy: "policy",
};

export function refusalsOf(error: ApiError, machine: ChosenMachine): Refusals {
  const { refusals } = words.value.instances;
  const provider = words.value.providers[machine.provider];
  switch (error.code) {
    case "invalid":
      return Object.fromEntries(error.issues.map(problemOf));
    case "exists":
      return { id: refusals.exists };
    case "machine_watched":
      return { reference: <WatchedBy machine={machine} /> };
    case "not_seen":
      return { reference: refusals.notSeen(provider) };
    case "cannot_stop":
      return {
        reference: (
          <>
            {refusals.cannotStop(provider)} {error.message}
          </>
        ),
      };
    case "no_credentials":
      return { machine: words.value.instances.notConnected(provider) };
    case "credentials_refused":
      return { machine: refusals.credentialsRefused(provider) };
    case "busy":
      return { form: refusals.busy };
    case "too_many":
      return { form: refusals.tooMany };
    case "too_many_requests":
      return { form: refusals.tooFast };
    case "suspended":
      return { form: refusals.suspended };
    default:
      return { form: errorText(error) };
  }
}

function problemOf({ path, message }: ApiError["issues"][number]): [FieldName, ComponentChildren] {
  const { refusals } = words.value.instances;
  const field = FIELD_OF_PATH[path.replace(/^body\./, "").split(".")[0] ?? ""] ?? "form";
  switch (field) {
    case "id":
      return [field, refusals.id];
    case "name":
      return [field, refusals.name];
    case "reference":
      return [field, refusals.reference];
    case "hourlyCost":
    case "hibernatedCost":
      return [field, refusals.cost];
    case "tags":
      return [field, refusals.tags];
    case "machine":
    case "policy":
    case "form":
      return [field, message];
  }
}

/** Who watches the machine, once the page knows: its list may not have that instance yet. */
function WatchedBy({ machine }: { machine: ChosenMachine }) {
  const { watched, watchedByAnother } = words.value.instances.refusals;
  const reference = referenceOfMachine(machine);
  const holder = fleet.value?.instances.find(
    (each) => each.provider === machine.provider && (each.provider_ref ?? each.instance_id) === reference,
  );
  if (holder === undefined) return <>{watchedByAnother}</>;
  return (
    <>
      {watched} <a href={instanceAddress(holder.instance_id)}>{holder.name}</a>.
    </>
  );
}
