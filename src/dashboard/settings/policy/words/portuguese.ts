import type { PolicyEditorWords } from "./english.ts";

export const portuguesePolicyEditor: PolicyEditorWords = {
  ladder: {
    title: "O que acontece, e quando",
    lanes: { idle: "Enquanto está ociosa", silence: "Enquanto está em silêncio" },
    off: "desligado",
    rungs: {
      idle: { warn: "Avisar", hibernate: "Hibernar" },
      silence: { orphan: "Órfã", hibernate: "Hibernar", force: "Hibernar à força", delete: "Excluir" },
    },
    never: (rung) => `${rung}: nunca`,
    neverSaid: (rung) => `${rung} nunca`,
    after: (rung, duration) => `${rung} após ${duration}`,
    observes: "Só observa: cada passo é avisado, e nenhum é dado.",
    said: (lane, steps) => `${lane}: ${steps.join(", ")}.`,
  },
  durations: {
    units: { seconds: "s", minutes: "min", hours: "h", days: (count) => (count === 1 ? "dia" : "dias") },
    notRead: "Escreva por quanto tempo, como 5 min, 2 h ou 7 dias.",
    neverToo: "Escreva por quanto tempo, como 5 min, 2 h ou 7 dias, ou “nunca”.",
    means: (duration) => `= ${duration}`,
    never: ["nunca", "never"],
  },
  from: { instance: "definido aqui", user: "do seu padrão", service: "do serviço" },
  takeBack: "Desfazer",
  takesBack: (value) => `Voltar a ${value}`,
  more: {
    running: "Tempo ligada e heartbeats",
    idle: "Ociosidade: tudo o que se ajusta",
    orphan: "Silêncio: tudo o que se ajusta",
  },
  hints: {
    running: "Por quanto tempo uma máquina pode ficar ligada de uma vez, e com que frequência é ouvida.",
  },
  changed: (fields) => (fields === 1 ? "1 mudança não foi salva." : `${fields} mudanças não foram salvas.`),
  discard: "Descartar",
  viewer: "Mudá-la exige o papel de operador.",
  leaving: {
    question: "Sair sem salvar?",
    stakes: "O que você digitou aqui se perde.",
    leave: "Sair",
  },
};
