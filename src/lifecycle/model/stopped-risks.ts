import { type ComingBack, comingBackOf } from "./coming-back.ts";
import {
  abilitiesOf,
  type Billed,
  type ConnectedProvider,
  calledKind,
  kindOf,
  type Lost,
  nameOfKind,
} from "./provider.ts";
import { onlyDeletes } from "./stopping.ts";
import { type PlainCode, phrase, together } from "./words/phrase.ts";
import type { Phrase } from "./words/said.ts";

/** What stopping a machine risks: said before it is stopped, from the table of abilities. */

/** In one sentence; null where nobody knows what a stop means, or nothing is stopped. */
export function sayStoppedRisks(provider: ConnectedProvider, hourlyCost: number | null): Phrase | null {
  const kind = calledKind(kindOf(provider));
  const { lost, mayNotComeBack } = abilitiesOf(provider);
  if (kind === null || onlyDeletes(kind) || (lost.includes("not said") && mayNotComeBack === null))
    return null;
  const { endsByItself } = comingBackOf(kind);
  const losses = lost.map((each) => phrase(LOST[each]));
  const risks = [
    sayBilled(kind, hourlyCost),
    phrase("stopped.lost", { parts: together("and", losses), count: losses.length }),
    sayComingBack(kind),
    ...(endsByItself === null ? [] : [phrase(ENDS[endsByItself])]),
  ];
  return phrase("stopped.risks", { provider: nameOfKind(kind), risks: together("semicolons", risks) });
}

export function sayUnknownRisks(provider: ConnectedProvider): Phrase {
  return onlyDeletes(provider) ? phrase("stopped.never") : phrase("stopped.not_said");
}

function sayBilled(kind: ConnectedProvider, hourlyCost: number | null): Phrase {
  if (hourlyCost === 0) return phrase("stopped.costs_nothing");
  const billed = abilitiesOf(kind).billedWhenStopped.flatMap((each) =>
    isWithoutParts(each) ? [] : [phrase(`stopped.${each}`)],
  );
  if (billed.length === 0) {
    return hourlyCost === null
      ? phrase("stopped.may_be_billed")
      : phrase("stopped.may_be_billed_at", { rate: hourlyCost });
  }
  const parts = together("and", billed);
  return hourlyCost === null
    ? phrase("stopped.billed", { parts })
    : phrase("stopped.billed_at", { parts, rate: hourlyCost });
}

type WithoutParts = "everything" | "perhaps everything" | "not said";

/** Whether that is billed, or may be, without saying which part of the machine. */
export function isWithoutParts(billed: Billed): billed is WithoutParts {
  return billed === "everything" || billed === "perhaps everything" || billed === "not said";
}

const LOST = {
  memory: "stopped.memory",
  "container disk": "stopped.container_disk",
  "local disks": "stopped.local_disks",
  "not said": "stopped.unsaved",
} as const satisfies Record<Lost, PlainCode>;

function sayComingBack(kind: ConnectedProvider): Phrase {
  const why = abilitiesOf(kind).mayNotComeBack === "its host" ? "taken" : "full";
  switch (comingBackOf(kind).startWithoutGpu) {
    case "waits":
      return phrase(`stopped.${why}_waits`);
    case "comes without":
      return phrase(`stopped.${why}_without`);
    case "fails":
    case null:
      return phrase(`stopped.${why}_fails`);
  }
}

const ENDS = {
  "after its contract": "stopped.ends_with_contract",
  "without balance": "stopped.ends_without_balance",
} as const satisfies Record<NonNullable<ComingBack["endsByItself"]>, PlainCode>;
