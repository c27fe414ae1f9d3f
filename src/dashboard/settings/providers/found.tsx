import { useId, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { refreshFleet } from "../../fleet/fleet.ts";
import { price } from "../../format.ts";
import { InstallCommand } from "../../parts/install.tsx";
import { errorText, say } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { may } from "../../session.ts";
import { language } from "../../words.ts";
import { keyOf, type ListedMachine, nameOf, priceOf, totalOf } from "./inventory.ts";
import { providersWords } from "./words.ts";

/** The service registers so many at once. */
const AT_ONCE = 50;

/** A list of thousands is cut: who watches the first sees the next. */
const SHOWN = 200;

interface Adopted {
  readonly connection: string;
  readonly ref: string;
  readonly instance_id: string;
  readonly token: string;
}

interface Refused {
  readonly connection: string;
  readonly ref: string;
  readonly because: string;
}

/** Machines that nobody watches, to be watched by one click, and then the command of each. */
export function Found({
  machines,
  onWatched,
}: {
  machines: readonly ListedMachine[];
  onWatched: () => void;
}) {
  /** Null: all that can be chosen. */
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const [adopted, setAdopted] = useState<readonly Adopted[]>([]);
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  const [isBusy, setBusy] = useState(false);
  const { found } = providersWords.value;
  const done = new Set(adopted.map(keyOf));
  const open = machines.filter((machine) => !done.has(keyOf(machine)));
  const shown = open.slice(0, SHOWN);
  const free = shown.filter(({ member_of }) => member_of === null);
  const isChosen = (machine: ListedMachine) => chosen === null || chosen.has(keyOf(machine));
  const asked = free.filter(isChosen).slice(0, AT_ONCE);
  const choose = (machine: ListedMachine, isOn: boolean) => {
    const next = new Set(free.filter(isChosen).map(keyOf));
    if (isOn) next.add(keyOf(machine));
    else next.delete(keyOf(machine));
    setChosen(next);
  };
  const onWatch = async () => {
    setBusy(true);
    try {
      const answer = await ask<{ adopted: readonly Adopted[]; refused: readonly Refused[] }>(
        "POST",
        "/api/agent/inventory/adopt",
        { machines: asked.map(({ connection, ref }) => ({ connection, ref })) },
      );
      setAdopted([...adopted, ...answer.adopted]);
      setRefused(answer.refused);
      setChosen(null);
      say(found.watching(answer.adopted.length));
      refreshFleet();
      onWatched();
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
    setBusy(false);
  };
  return (
    <div class="found">
      {open.length > 0 && (
        <>
          <h4>{found.title(open.length)}</h4>
          <p class="faint">{totalText(open)}</p>
          <ul class="machines">
            {shown.map((machine) => (
              <li key={keyOf(machine)}>
                <MachineChoice
                  type="checkbox"
                  machine={machine}
                  isChosen={machine.member_of === null && isChosen(machine)}
                  onChoose={(isOn) => choose(machine, isOn)}
                />
              </li>
            ))}
          </ul>
          {open.length > SHOWN && <p class="faint">{found.truncated(SHOWN)}</p>}
          {may("operator") && (
            <div class="buttons">
              <button type="button" class="primary" disabled={isBusy || asked.length === 0} onClick={onWatch}>
                {found.watch(asked.length)}
              </button>
            </div>
          )}
        </>
      )}
      {refused.length > 0 && (
        <div class="wrong" role="alert">
          <p>{found.refused(refused.length)}</p>
          <ul>
            {refused.map((each) => (
              <li key={keyOf(each)}>
                {each.ref}: {found.because[each.because] ?? each.because}
              </li>
            ))}
          </ul>
        </div>
      )}
      {adopted.length > 0 && (
        <div class="commands">
          <p>
            <b>{found.watching(adopted.length)}</b> {found.install}
          </p>
          {adopted.map(({ instance_id, token }) => (
            <details key={instance_id} open={adopted.length === 1}>
              <summary>{instance_id}</summary>
              <InstallCommand instanceId={instance_id} token={token} />
            </details>
          ))}
        </div>
      )}
    </div>
  );
}

/** One machine of a list, to be chosen; a member of a group can't be. */
export function MachineChoice(props: {
  type: "checkbox" | "radio";
  machine: ListedMachine;
  isChosen: boolean;
  onChoose: (isOn: boolean) => void;
}) {
  const { type, machine, isChosen, onChoose } = props;
  const { found } = providersWords.value;
  const id = useId();
  const isMember = machine.member_of !== null;
  const costs = priceOf(machine);
  const input = {
    id,
    name: "machine",
    checked: isChosen,
    disabled: isMember,
    onChange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => onChoose(currentTarget.checked),
  };
  const about = [
    machine.name === null ? null : machine.ref,
    machine.gpu === null ? null : `${(machine.gpus ?? 1) > 1 ? `${machine.gpus} × ` : ""}${machine.gpu}`,
    machine.region,
    found.states[machine.state] ?? machine.state,
    isMember ? found.isMember : null,
  ].filter((part) => part !== null);
  return (
    <label class="machine" for={id}>
      {type === "radio" ? <input {...input} type="radio" /> : <input {...input} type="checkbox" />}
      <span class="what">
        <b>{nameOf(machine)}</b> <span class="faint">{about.join(" · ")}</span>
      </span>{" "}
      <span class="figure">
        {costs === null ? found.unknownPrice : found.anHour(price(costs, language.value))}
      </span>
    </label>
  );
}

/** What they cost, with what is not known of it. */
export function totalText(machines: readonly ListedMachine[]): string {
  const { found } = providersWords.value;
  const { dollars, unknown } = totalOf(machines);
  if (dollars === null) return found.costsUnknown;
  const text = price(dollars, language.value);
  return unknown === 0 ? found.costs(text) : found.costsMore(text, unknown);
}
