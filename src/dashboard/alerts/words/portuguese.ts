import type { AlertWords } from "./english.ts";

const count = (of: number, one: string, many: string) => `${of} ${of === 1 ? one : many}`;

export const portugueseAlerts: AlertWords = {
  title: "Alertas",
  whereTold: "Onde você é avisado",
  needsAnEye: "O que precisa de atenção",
  nothingOpen: "Não há nada errado que alguém já não tenha visto.",
  counts: (open, unseen) =>
    open === 0
      ? "Está tudo bem."
      : `${count(open, "alerta aberto", "alertas abertos")}, ${unseen === 0 ? "todos reconhecidos" : `${unseen} sem reconhecimento`}.`,
  moreOpen: (more) => `E mais ${more}, que um filtro mostra.`,
  history: "Histórico",
  historyHint: "Do que você foi avisado nos últimos 30 dias, do mais novo ao mais antigo.",
  noHistory: "Nenhum alerta nos últimos 30 dias.",
  older: "Mais antigos",
  severity: { info: "Informação", warning: "Aviso", critical: "Crítico" },
  filterSeverity: "Gravidade",
  anySeverity: "Qualquer gravidade",
  onlyInstance: (instance) => `Só ${instance}`,
  allInstances: "Todas as instâncias",
  since: (when) => `desde ${when}`,
  acknowledge: "Reconhecer",
  acknowledged: (by, when) => `Reconhecido por ${by}, ${when}`,
  nowAcknowledged: "Reconhecido: não é avisado de novo, a menos que piore.",
  choose: "Escolher",
  chooseAll: "Escolher todos",
  chosen: (chosen) => count(chosen, "escolhido", "escolhidos"),
  acknowledgeChosen: (chosen) => `Reconhecer ${count(chosen, "alerta", "alertas")}`,
  allAcknowledged: (done) => `${count(done, "alerta reconhecido", "alertas reconhecidos")}.`,
  someAcknowledged: (done, refused, why) =>
    `${count(done, "alerta reconhecido", "alertas reconhecidos")}, ${refused} não. ${why}`,
  status: { open: "Aberto", acknowledged: "Reconhecido", over: "Encerrado" },
  snooze: "Silenciar",
  snoozeFor: { 1: "1 hora", 4: "4 horas", 24: "1 dia", 168: "7 dias" },
  snoozeHint: "Enquanto isso, só os alertas críticos dela são avisados.",
  nowSnoozed: (when) => `Silenciada até ${when}. Os alertas críticos são avisados mesmo assim.`,
  snoozed: "Silenciadas",
  snoozedBy: (by, until) => `até ${until}, por ${by}`,
  endSnooze: "Avisar de novo",
  nowTold: "Todos os alertas dela são avisados de novo.",
  of: (what, whose) => `${what}: ${whose}`,
};
