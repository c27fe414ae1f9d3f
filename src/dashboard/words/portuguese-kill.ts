import type { KillWords } from "./english-kill.ts";

const machines = (count: number) => (count === 1 ? "1 máquina" : `${count} máquinas`);

function saves(dollars: string, unknown: number, will: string): string {
  if (unknown === 0) return `${will} ${dollars} por hora.`;
  return `${will} ${dollars} por hora, e mais: não se sabe o preço de ${machines(unknown)}.`;
}

export const portugueseKill: KillWords = {
  title: "Hibernar muitas",
  hint: "Tudo, ou o que você escolher. Veja primeiro o que isso faria: nada é parado antes que você tenha visto.",
  anyProvider: "Qualquer provedor",
  tag: "Etiqueta",
  anyTag: "Qualquer etiqueta",
  onlyIdle: "Só o que está ocioso além do aviso",
  keptAliveToo: "Também o que é mantido vivo à mão",
  look: "Ver o que isso faria",
  would: (count) => (count === 1 ? "1 máquina seria hibernada" : `${machines(count)} seriam hibernadas`),
  wouldSave: (dollars, unknown) => saves(dollars, unknown, "Isso economizaria"),
  saves: (dollars, unknown) => saves(dollars, unknown, "Isso economiza"),
  nobody: "Nada seria hibernado.",
  noInstances: "Essa instância não existe.",
  meant: "A hibernar",
  savesColumn: "Economiza por hora",
  nowColumn: "Agora",
  whyColumn: "Por quê",
  leftAlone: (count) => (count === 1 ? "1 máquina fica como está" : `${machines(count)} ficam como estão`),
  leftBecause: (count, why) => `${count} · ${why}`,
  more: (count) => `E mais ${count}, que não são nomeadas aqui.`,
  button: (count) => `Hibernar ${machines(count)}`,
  question: (count) => `Hibernar ${machines(count)}?`,
  stakes: "O que roda nelas para, e trabalho não salvo em disco se perde.",
  old: "Isto tem mais de dois minutos. Veja de novo o que isso faria.",
  changed: "Algo mudou entretanto, e nada foi feito: agora seriam hibernadas mais do que você viu.",
  ordered: (count) =>
    count === 1
      ? "1 máquina recebeu a ordem de hibernar"
      : `${machines(count)} receberam a ordem de hibernar`,
  told: "Com ordem de hibernar",
  last: "Da última vez:",
  lastByBudget: "Por um orçamento:",
  progress: (ordered, all) => `${ordered} de ${machines(all)} com ordem de hibernar.`,
  waiting: (count) => (count === 1 ? "Falta 1." : `Faltam ${count}.`),
  which: "Quais não",
  uses: { working: "trabalha", idle: "ociosa", silent: "silenciosa" },
  reasons: {
    kept_alive: "mantida viva à mão",
    pending: "nunca ouvida: outra pessoa pode estar usando a máquina",
    hibernating: "já está hibernando",
    hibernated: "já está hibernada",
    waking: "está acordando",
    deleting: "está sendo excluída",
    deleted: "excluída",
    not_idle: "não está ociosa",
    no_provider: "não há provedor que pudesse pará-la",
    silent: "silenciosa, e só o próprio agente poderia pará-la",
    not_connected: "o provedor não está conectado",
    refused: "as chaves da conexão são recusadas",
    cannot_stop: "o provedor não pode parar máquinas",
    changed:
      "mudou desde então: foi acordada, mantida viva, registrada de novo, tem outra máquina ou outro status, ou já não faz parte da escolha",
    busy: "está acordando ou sendo excluída",
    not_possible: "não é possível",
    suspended: "a conta está suspensa",
    unknown: "foi removida",
    unreadable: "o que está guardado dela não pode ser lido",
    out_of_reach: "não pôde ser alcançada por uma hora",
    observe: "a política dela apenas observa",
    within_budget: "poupada: o orçamento foi aumentado, ou o dia ou mês dele acabou",
    dropped: "abandonada: a conta foi suspensa ou restaurada",
    waiting: "ainda falta",
  },
};
