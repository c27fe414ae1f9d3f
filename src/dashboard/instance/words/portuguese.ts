import type { InstanceWords } from "./english.ts";

export const portugueseInstance: InstanceWords = {
  tabs: {
    overview: "Visão geral",
    history: "Histórico",
    policy: "Política",
    machine: "Máquina",
  },
  tabsLabel: "Partes desta instância",
  now: "Agora",
  anHour: (dollars) => `${dollars}/h`,
  noPrice: "preço desconhecido",
  progress: "Quanto falta para o próximo passo",
  keep: {
    title: "Manter viva",
    until: "até …",
  },
  latest: "O que aconteceu por último",
  whole: "Tudo",
};
