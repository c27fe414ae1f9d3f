import type { TimelineWords } from "./english.ts";

const rules: Readonly<Record<string, string>> = {
  idle: "Decidido por “Ociosidade” da política",
  "orphan.orphan_after_seconds": "Decidido por “Conta como órfã após” da política",
  "orphan.hibernate_after_seconds": "Decidido por “Hibernar após” da política, pelo silêncio",
  "orphan.force_hibernate_after_seconds": "Decidido por “Hibernar à força após” da política",
  "orphan.delete_after_days": "Decidido por “Excluir após” da política",
  "orphan.never_heard_after_seconds": "Decidido por “Nunca ouvida após” da política",
};

export const portugueseTimeline: TimelineWords = {
  filter: "Somente",
  severities: { info: "Informações", warning: "Avisos", critical: "Críticos" },
  kind: "Tipo",
  anyKind: "De qualquer tipo",
  nothing: "Nada desse tipo aconteceu.",
  times: (times) => `× ${times}`,
  folded: (times, from, to) => `${times} vezes, de ${from} a ${to}`,
  each: "Mostrar cada um",
  idle: (metric, highest, threshold, since, heartbeats) =>
    [
      `Desde ${since} a ${metric} ficou abaixo de ${threshold}`,
      highest === null ? "" : `, no máximo em ${highest}`,
      heartbeats === null ? "" : `, em ${heartbeats} heartbeats`,
    ].join(""),
  model: (gigabytes) => `Um modelo ocupava ${gigabytes} GB da memória da GPU`,
  silent: (since) => `O último heartbeat chegou em ${since}`,
  orphaned: (since) => `Contava como órfã desde ${since}`,
  keptAlive: (until) => `Foi mantida viva até ${until}`,
  next: (at) => `O próximo passo estava previsto para ${at}`,
  confirmed: (by) => `Confirmado por ${by}`,
  rule: (path) => rules[path] ?? `Decidido por ${path}`,
  other: (name, value) => `${name}: ${value}`,
};
