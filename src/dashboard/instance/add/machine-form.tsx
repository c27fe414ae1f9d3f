import { useState } from "preact/hooks";
import type { PolicySettings } from "../../../lifecycle/model/policy-settings.ts";
import { abilitiesOf, calledKind } from "../../../lifecycle/model/provider.ts";
import { ask } from "../../api.ts";
import { tagsIn } from "../../fleet/tags.ts";
import { TextField } from "../../parts/field.tsx";
import { asApiError, useLive } from "../../poll.ts";
import { changeQuery, query } from "../../route.ts";
import { type ListedMachine, nameOf } from "../../settings/providers/inventory.ts";
import { words } from "../../words.ts";
import { CostFields, numberOrNull, SnapshotAndRefusals, TagsField } from "../common-fields.tsx";
import {
  type ChosenMachine,
  machineFields,
  policyWithout,
  referenceOfMachine,
  snapshotAfterDays,
  type WithoutSnapshot,
} from "../machine.ts";
import { partsOf as partsIn, suggestedId } from "../reference.ts";
import { type Refusals, refusalsOf } from "../refusals.tsx";
import { Step } from "./add-step.tsx";
import { MachineStep } from "./machine-step.tsx";
import type { Place } from "./place.ts";
import { Protections } from "./protections.tsx";
import { addWords } from "./words.ts";

const POLICY_PAUSE_MS = 60_000;

export interface Registered {
  readonly instance_id: string;
  readonly token: string;
}

/** Which machine it is, and what will protect it. */
export function MachineForm(props: {
  place: Place;
  /** Those of its account that nobody watches; null while they are not known, or can't be. */
  machines: readonly ListedMachine[] | null;
  onLooked: () => void;
  onAdded: (registered: Registered) => void;
}) {
  const { place, machines, onLooked, onAdded } = props;
  const [entered, setEntered] = useState<ChosenMachine>({
    provider: place.provider,
    connection: place.connection?.id ?? null,
    parts: {},
  });
  /** Null until it is entered: till then it follows from the rest. */
  const [givenName, setName] = useState<string | null>(null);
  const [givenId, setId] = useState<string | null>(null);
  const [costs, setCosts] = useState({ hourlyCost: "", hibernatedCost: "" });
  const [tags, setTags] = useState("");
  const [withoutSnapshot, setWithoutSnapshot] = useState<WithoutSnapshot>("never");
  const [refusals, setRefusals] = useState<Refusals>({});
  const [isBusy, setBusy] = useState(false);
  const { data } = useLive<{ policy: PolicySettings }>("/api/agent/policy", POLICY_PAUSE_MS);
  const { protection, details, submit: submitLabel, submitting, machine: said } = addWords.value;
  const { fields, instances } = words.value;
  const listed = machines?.find(({ ref }) => ref === query.value.get("machine")) ?? null;
  const machine = listed === null ? entered : { ...entered, parts: partsOf(place.provider, listed) };
  const name = givenName ?? listed?.name ?? "";
  const id = givenId ?? suggestedId(referenceOfMachine(machine) || name);
  const afterDays = data === null ? null : snapshotAfterDays(machine.provider, data.policy);
  const isNamed = place.connection === null || referenceOfMachine(machine) !== "";
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!isNamed) {
      setRefusals({ reference: said.needed });
      return;
    }
    setBusy(true);
    setRefusals({});
    try {
      onAdded(
        await ask<Registered>("POST", "/api/agent/instances", {
          instance_id: id.trim(),
          ...(name.trim() === "" ? {} : { name: name.trim() }),
          ...machineFields(machine),
          hourly_cost: numberOrNull(costs.hourlyCost),
          hibernated_hourly_cost: numberOrNull(costs.hibernatedCost),
          ...(tags.trim() === "" ? {} : { tags: tagsIn(tags) }),
          ...(afterDays === null ? {} : { policy: { orphan: policyWithout(withoutSnapshot) } }),
        }),
      );
    } catch (error) {
      setRefusals(refusalsOf(asApiError(error), machine));
      setBusy(false);
    }
  };
  const step = (
    <MachineStep
      place={place}
      machines={machines}
      chosen={machine}
      listed={listed}
      refusals={refusals}
      onChange={(changed) => {
        setEntered(changed);
        changeQuery({ machine: null }, "replace");
      }}
      onLooked={onLooked}
    />
  );
  if (query.value.has("several")) {
    return (
      <Step number={2} title={said.title}>
        {step}
      </Step>
    );
  }
  return (
    <form class="contents" onSubmit={submit}>
      <Step number={2} title={said.title}>
        {place.connection !== null && step}
        <div class="pair">
          <TextField
            name="name"
            label={fields.name}
            isOptional
            problem={refusals.name ?? null}
            value={name}
            onChange={setName}
          />
          <TextField
            name="id"
            label={instances.id}
            hint={instances.idHint}
            problem={refusals.id ?? null}
            isRequired={isNamed}
            value={id}
            onChange={setId}
          />
        </div>
        <details class="more" open={isWrongBelow(refusals)}>
          <summary>{details.title}</summary>
          <CostFields
            costs={costs}
            isListed={place.connection !== null && abilitiesOf(place.provider).lists}
            refusals={refusals}
            onChange={setCosts}
          />
          <TagsField tags={tags} problem={refusals.tags} onChange={setTags} />
        </details>
      </Step>
      <Step number={3} title={protection.title}>
        {data !== null && (
          <Protections
            policy={afterDays === null ? data.policy : withChoice(data.policy, withoutSnapshot)}
            provider={machine.provider}
            listed={listed}
          />
        )}
        <SnapshotAndRefusals
          machine={machine}
          afterDays={afterDays}
          withoutSnapshot={withoutSnapshot}
          onWithoutSnapshot={setWithoutSnapshot}
          refusals={refusals}
        />
        <div class="buttons">
          <button type="submit" class="primary" disabled={isBusy}>
            {isBusy ? submitting : submitLabel}
          </button>
          {listed !== null && <span class="faint">{nameOf(listed)}</span>}
        </div>
      </Step>
      <Step number={4} title={addWords.value.command.title} />
    </form>
  );
}

/** As its provider's list names it. */
function partsOf(provider: ChosenMachine["provider"], { ref }: ListedMachine): ChosenMachine["parts"] {
  const kind = calledKind(provider);
  return kind === null ? {} : (partsIn(kind, ref) ?? { id: ref });
}

function withChoice(policy: PolicySettings, choice: WithoutSnapshot): PolicySettings {
  return { ...policy, orphan: { ...policy.orphan, ...policyWithout(choice) } };
}

/** What is folded must be seen where something is wrong there. */
function isWrongBelow({ hourlyCost, hibernatedCost, tags }: Refusals): boolean {
  return [hourlyCost, hibernatedCost, tags].some((problem) => problem !== undefined);
}
