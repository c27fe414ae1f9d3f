import { useState } from "preact/hooks";
import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { abilitiesOf } from "../../lifecycle/model/provider.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { tagsIn } from "../fleet/tags.ts";
import { Field, TextField } from "../parts/field.tsx";
import { asApiError, useLive } from "../poll.ts";
import { words } from "../words.ts";
import {
  type ChosenMachine,
  ITS_OWN_AGENT,
  machineFields,
  policyWithout,
  referenceOfMachine,
  snapshotAfterDays,
  type WithoutSnapshot,
} from "./machine.ts";
import { canBeNamed, MachineFields, SnapshotChoice } from "./machine-fields.tsx";
import { suggestedId } from "./reference.ts";
import { type Refusals, refusalsOf } from "./refusals.tsx";

const POLICY_PAUSE_MS = 60_000;

export interface Registered {
  readonly instance_id: string;
  readonly token: string;
}

/** Names a machine that is to be watched. */
export function RegisterForm({ onRegistered }: { onRegistered: (registered: Registered) => void }) {
  const [machine, setMachine] = useState<ChosenMachine>(ITS_OWN_AGENT);
  const [name, setName] = useState("");
  /** Null until it is entered: till then it follows from the rest. */
  const [givenId, setId] = useState<string | null>(null);
  const [costs, setCosts] = useState({ hourlyCost: "", hibernatedCost: "" });
  const [tags, setTags] = useState("");
  const [withoutSnapshot, setWithoutSnapshot] = useState<WithoutSnapshot>("never");
  const [refusals, setRefusals] = useState<Refusals>({});
  const [isBusy, setBusy] = useState(false);
  const { data } = useLive<{ policy: PolicySettings }>("/api/agent/policy", POLICY_PAUSE_MS);
  const { fields, register, instances } = words.value;
  const id = givenId ?? suggestedId(referenceOfMachine(machine) || name);
  const afterDays = data === null ? null : snapshotAfterDays(machine.provider, data.policy);
  const chooseMachine = (chosen: ChosenMachine) => {
    setMachine(chosen);
    // They were about another one.
    if (chosen.connection !== machine.connection || chosen.provider !== machine.provider) setRefusals({});
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusals({});
    try {
      const registered = await ask<Registered>("POST", "/api/agent/instances", {
        instance_id: id.trim(),
        ...(name.trim() === "" ? {} : { name: name.trim() }),
        ...machineFields(machine),
        hourly_cost: numberOrNull(costs.hourlyCost),
        hibernated_hourly_cost: numberOrNull(costs.hibernatedCost),
        ...(tags.trim() === "" ? {} : { tags: tagsIn(tags) }),
        ...(afterDays === null ? {} : { policy: { orphan: policyWithout(withoutSnapshot) } }),
      });
      refreshFleet();
      onRegistered(registered);
    } catch (error) {
      setRefusals(refusalsOf(asApiError(error), machine));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit}>
      <MachineFields chosen={machine} refusals={refusals} onChange={chooseMachine} />
      {canBeNamed(machine) && (
        <>
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
            isRequired
            value={id}
            onChange={setId}
          />
          <CommonFields
            machine={machine}
            costs={costs}
            onCosts={setCosts}
            tags={tags}
            onTags={setTags}
            afterDays={afterDays}
            withoutSnapshot={withoutSnapshot}
            onWithoutSnapshot={setWithoutSnapshot}
            refusals={refusals}
          />
          <div class="buttons">
            <button type="submit" class="primary" disabled={isBusy}>
              {register}
            </button>
          </div>
        </>
      )}
    </form>
  );
}

/** What both forms end with: the costs, the tags, what is done without snapshots, and what the service refuses. */
export function CommonFields({
  machine,
  costs,
  onCosts,
  tags,
  onTags,
  afterDays,
  withoutSnapshot,
  onWithoutSnapshot,
  refusals,
}: {
  machine: ChosenMachine;
  costs: Costs;
  onCosts: (costs: Costs) => void;
  /** As they are entered. */
  tags: string;
  onTags: (tags: string) => void;
  afterDays: number | null;
  withoutSnapshot: WithoutSnapshot;
  onWithoutSnapshot: (choice: WithoutSnapshot) => void;
  refusals: Refusals;
}) {
  return (
    <>
      <CostFields
        costs={costs}
        isListed={machine.connection !== null && abilitiesOf(machine.provider).lists}
        refusals={refusals}
        onChange={onCosts}
      />
      <TagsField tags={tags} problem={refusals.tags} onChange={onTags} />
      {afterDays !== null && (
        <SnapshotChoice
          provider={machine.provider}
          afterDays={afterDays}
          chosen={withoutSnapshot}
          problem={refusals.policy}
          onChoose={onWithoutSnapshot}
        />
      )}
      {afterDays === null && refusals.policy !== undefined && <p class="wrong">{refusals.policy}</p>}
      {refusals.form !== undefined && (
        <p class="wrong" role="alert">
          {refusals.form}
        </p>
      )}
    </>
  );
}

function TagsField({
  tags,
  problem = null,
  onChange,
}: {
  tags: string;
  problem?: Refusals["tags"];
  onChange: (tags: string) => void;
}) {
  const { tags: label, tagsHint } = words.value.instances;
  return (
    <Field label={label} isOptional hint={tagsHint} problem={problem}>
      {(attributes) => (
        <textarea
          {...attributes}
          name="tags"
          autocomplete="off"
          spellcheck={false}
          rows={Math.max(2, tags.split("\n").length)}
          value={tags}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface Costs {
  readonly hourlyCost: string;
  readonly hibernatedCost: string;
}

function CostFields({
  costs,
  isListed,
  refusals,
  onChange,
}: {
  costs: Costs;
  /** Whether its provider lists the machine, and perhaps its price. */
  isListed: boolean;
  refusals: Refusals;
  onChange: (costs: Costs) => void;
}) {
  const { fields } = words.value;
  const field = (name: keyof Costs, hint: string | null) => (
    <TextField
      name={name}
      type="number"
      label={fields[name]}
      hint={hint}
      isOptional
      problem={refusals[name] ?? null}
      value={costs[name]}
      onChange={(value) => onChange({ ...costs, [name]: value })}
    />
  );
  return (
    <div class="pair">
      {field("hourlyCost", isListed ? fields.hourlyCostListed : fields.hourlyCostUnlisted)}
      {field("hibernatedCost", null)}
    </div>
  );
}

export function numberOrNull(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
