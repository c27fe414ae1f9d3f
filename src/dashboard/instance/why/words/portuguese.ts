import type { Status } from "../../../../lifecycle/model/phase.ts";
import type { WhyWords } from "./english.ts";

const offs: Partial<Record<Status, string>> = {
  hibernated: "Ela estava hibernada: não havia o que julgar.",
  waking: "Ela estava sendo acordada.",
  deleting: "Ela estava sendo excluída.",
  deleted: "Ela estava excluída.",
};

export const portugueseWhy: WhyWords = {
  title: "Por que foi assim?",
  hint: "Escolha um momento, ou aperte “Por quê?” em um evento da linha do tempo: o que a política viu, e o que concluiu?",
  moment: "Momento, no seu relógio",
  show: "Mostrar",
  earlier: "10 min antes",
  later: "10 min depois",
  refused: {
    future: "Esse momento ainda está por vir.",
    notRegistered: (from) => `Ela foi registrada depois disso: ${from}.`,
    notKept: (from) => `Desse tempo nada mais está guardado. O que está guardado começa em ${from}.`,
  },
  verdict: {
    idle: "Nada mostrava uso.",
    idleFor: (since, duration) => `Nada mostrava uso: ociosa desde ${since}, havia ${duration}.`,
    idleAtLeast: (duration) => `Nada mostrava uso, havia pelo menos ${duration}.`,
    inUse: (what) => `Estava em uso: ${what}.`,
    unknown: (what) => `Nada mostrava uso, mas nem tudo podia ser lido, e isso conta como uso: ${what}.`,
    notJudged: "A ociosidade estava desligada na política.",
    silent: (ago) =>
      ago === null ? "Nada se ouvia dela." : `Nada de novo se ouvia: o último heartbeat tinha ${ago}.`,
    off: (status) => offs[status] ?? "Ela estava desligada.",
    notKept: (heartbeats, work, gpu) =>
      [
        `Deste tempo só se guardam horas. Nesta ${heartbeats === 1 ? "veio 1 heartbeat" : `vieram ${heartbeats} heartbeats`}`,
        work === null
          ? ""
          : work === 0
            ? ", e nenhum mostrou trabalho"
            : `, e ${work === 1 ? "1 mostrou" : `${work} mostraram`} trabalho`,
        gpu === null ? "" : `; a GPU chegou a ${gpu}`,
        ".",
      ].join(""),
  },
  figures: {
    status: "Como estava",
    next: "A seguir",
    held: "O que impedia",
    reading: "Última leitura",
    policy: "Política de então",
  },
  nothingNext: "nada",
  nextAt: (step, when) => `${step} às ${when}`,
  notHeld: "nada",
  noReading: "nenhuma",
  policyOf: (threshold, warn, hibernate) =>
    `abaixo de ${threshold}: aviso após ${warn}, hibernação após ${hibernate}`,
  idleOff: "ociosidade desligada",
  observes: "ela só observava",
  policyUnknown: "Não se sabe qual política estava em vigor. O que se mostra segue uma posterior:",
  readings: "Leituras",
  columns: { at: "Quando", reading: "Leitura", seen: "O que mostrava uso", verdict: "Contou como" },
  counted: { quiet: "sem uso", active: "uso", unknown: "uso: não pôde ser lido" },
  now: "a última até então",
  late: "chegou depois",
  preparing: "os hooks rodavam",
  nothing: "nada",
  unread: "desconhecida",
  all: (count) => `Mostrar todas as ${count}`,
  events: "O que aconteceu por volta de então",
  noEvents: "Nada nas seis horas antes, nem na meia hora depois.",
};
