import type { SettingsWords } from "./english-settings.ts";
import { spelledOut } from "./spelled-out.ts";

const channelKind: Record<string, string> = {
  email: "E-mail",
  teams: "Microsoft Teams",
  ntfy: "ntfy",
  pagerduty: "PagerDuty",
};

const credentialField: Record<string, string> = {
  api_key: "Chave da API",
  url: "URL",
  secret: "Segredo de assinatura (whsec_…)",
  access_key_id: "Id da chave de acesso",
  secret_access_key: "Chave de acesso secreta",
  region: "Região",
};

export const portugueseSettings: SettingsWords = {
  channels: "Onde você é avisado",
  channelsHint: "Os alertas vão a cada canal a partir da sua gravidade.",
  unconfirmed: "Não confirmado: nenhum alerta é enviado até que o link da mensagem enviada seja aberto.",
  sendConfirmation: "Enviar o link de novo",
  noChannels: "Nenhum canal ainda: ninguém é avisado de nada.",
  severity: { info: "tudo", warning: "avisos e pior", critical: "só o crítico" },
  severityLabel: "A partir de",
  kind: "Tipo",
  channelKind: (kind) => channelKind[kind] ?? spelledOut(kind),
  addChannel: "Adicionar canal",
  test: "Testar",
  delivered: (detail) => `Entregue: ${detail}`,
  notDelivered: (detail) => `Não entregue: ${detail}`,
  lastDelivery: "Último",
  neverUsed: "nunca usado",
  delete: "Excluir",
  deleteChannelQuestion: (name) => `Excluir o canal ${name}?`,
  deleteChannelStakes: "Ninguém mais é avisado por ele.",
  connectionChecked: (when) => `verificada em ${when}`,
  neverChecked: "nunca verificada",
  connectionWorks: (name) => `A chave de ${name} funciona.`,
  check: "Verificar",
  rename: "Renomear",
  credentialField: (field) => credentialField[field] ?? spelledOut(field),
  deleteConnectionQuestion: (name) => `Excluir a conexão ${name}?`,
  deleteConnectionStakes: "A chave dela é esquecida. Nenhuma máquina é tocada.",
  enrollments: "Tokens de inscrição",
  enrollmentsHint:
    "Para imagens e modelos de lançamento: uma máquina que tem um deles se registra sozinha na EC2, no Google, na Azure, na RunPod e na Vast.ai.",
  noEnrollments: "Nenhum token: cada máquina é registrada à mão.",
  enrollmentState: {
    active: (until) => `até ${until}`,
    used_up: (_) => "esgotado",
    expired: (since) => `expirou em ${since}`,
  },
  usesLeft: (left, uses) =>
    `${left === 1 ? "resta" : "restam"} ${left} de ${uses} ${uses === 1 ? "máquina" : "máquinas"}`,
  usesLabel: "Máquinas",
  daysLabel: "Dias",
  makeEnrollment: "Criar um token",
  enrollWithThis: "Isto registra a máquina em que roda e inicia o agente",
  revoke: "Revogar",
  revokeQuestion: (name) => `Revogar o token de inscrição ${name}?`,
  revokeStakes: "Nenhuma outra máquina é registrada com ele. As que já foram continuam.",
  defaultPolicy: "Política de todas as instâncias",
};
