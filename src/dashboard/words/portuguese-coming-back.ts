import { comingBackOf } from "../../lifecycle/model/coming-back.ts";
import {
  abilitiesOf,
  type Billed,
  type CalledProvider,
  calledKind,
  type Lost,
  nameOfKind,
} from "../../lifecycle/model/provider.ts";
import { isWithoutParts, sayStoppedRisks } from "../../lifecycle/model/stopped-risks.ts";
import { price } from "../format.ts";
import type { ComingBackWords } from "./english-coming-back.ts";

const billed = {
  disks: "os discos",
  volumes: "os volumes",
  addresses: "os endereços",
  snapshots: "os snapshots",
} satisfies Partial<Record<Billed, string>>;

const lost: Record<Lost, string> = {
  memory: "o que está na memória",
  "container disk": "tudo fora dos volumes",
  "local disks": "o que está nos discos locais",
  "not said": "o que não está salvo em outro lugar",
};

export const portugueseComingBack: ComingBackWords = {
  risks: (provider, hourlyCost) => {
    const kind = calledKind(provider);
    if (kind === null || sayStoppedRisks(kind, hourlyCost) === null) return null;
    const { endsByItself } = comingBackOf(kind);
    const losses = abilitiesOf(kind).lost.map((each) => lost[each]);
    const parts = [
      sayBilled(kind, hourlyCost),
      `${losses.length === 1 ? "perde-se" : "perdem-se"} ${listed(losses)}`,
      sayComingBack(kind),
      ...(endsByItself === null ? [] : [ENDS[endsByItself]]),
    ];
    return `Parada em ${nameOfKind(kind)}: ${parts.join("; ")}.`;
  },
  hibernated: "Por hora, hibernada",
  unknown: "desconhecido",
  wakeFailed: "A última tentativa de acordá-la falhou",
  mayStart: (provider) =>
    `Não se sabe se a partida foi cancelada. ${provider} recebe a ordem de pará-la, e é consultado, até que se saiba. Se você quer que ela rode, acorde-a aqui, não lá.`,
  ways: { wait: "Espere e acorde-a de novo", recreate: "Recrie-a", fetch_data: "Busque os dados" },
  mayBeFree: "A GPU pode ficar livre mais tarde.",
  openPage: (provider) => `Abrir ${provider}`,
};

function sayBilled(kind: CalledProvider, hourlyCost: number | null): string {
  if (hourlyCost === 0) return "não custa nada";
  const parts = abilitiesOf(kind).billedWhenStopped.flatMap((each) =>
    isWithoutParts(each) ? [] : [billed[each]],
  );
  const cost = hourlyCost === null ? "" : `, a ${price(hourlyCost, "pt-BR")} por hora`;
  return parts.length === 0
    ? `ainda pode ser cobrada por inteiro${cost}`
    : `${listed(parts)} ainda são cobrados${cost}`;
}

function sayComingBack(kind: CalledProvider): string {
  const taken =
    abilitiesOf(kind).mayNotComeBack === "its host"
      ? "a GPU pode ser ocupada por outros, e então a partida"
      : "enquanto o provedor não tem capacidade a partida";
  switch (comingBackOf(kind).startWithoutGpu) {
    case "waits":
      return `${taken} espera até que fique livre, ou em vão`;
    case "comes without":
      return `${taken} falha, ou vem sem GPU`;
    case "fails":
    case null:
      return `${taken} falha`;
  }
}

const ENDS = {
  "after its contract": "48 horas após o fim do contrato ela é excluída com os dados",
  "without balance": "sem saldo ela é excluída, a menos que tenha um volume de rede",
} as const;

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(", ")} e ${parts.at(-1)}`;
}
