import type { ChannelKind } from "../../channel-fields.ts";
import type { ChannelWords } from "./english.ts";

const help: Record<ChannelKind, string> = {
  slack:
    "No Slack: seu app, Incoming Webhooks, Add New Webhook. Cole o endereço que começa com https://hooks.slack.com/.",
  email: "Primeiro vai uma mensagem com um link. Nada mais é enviado até que ele seja aberto.",
  webhook: "Qualquer endereço https seu. As mensagens são assinadas por Standard Webhooks com o segredo.",
  discord: "No Discord: configurações do canal, Integrações, Webhooks, Novo webhook, Copiar URL do webhook.",
  teams:
    "No Teams: menu do canal, Fluxos de Trabalho, “Enviar alertas de webhook para um canal”. Copie o endereço inteiro: ele é o segredo.",
  telegram:
    "Peça ao @BotFather um bot e o token dele. Ponha o bot no chat; @userinfobot, ou getUpdates do seu bot, diz o número do chat.",
  ntfy: "Escolha um tópico que ninguém adivinhe e assine-o no aplicativo. Deixe o servidor vazio para ntfy.sh; o token só é preciso se o tópico for protegido.",
  pagerduty:
    "No PagerDuty: o serviço, Integrations, Events API v2. Copie a chave de integração. Cada problema é um incidente, que se resolve quando termina.",
};

const fields: Readonly<Record<string, string>> = {
  url: "URL",
  to: "Endereço",
  secret: "Segredo de assinatura (whsec_…)",
  token: "Token",
  chat_id: "Chat",
  server: "Servidor",
  topic: "Tópico",
  routing_key: "Chave de integração",
  region: "Região (us ou eu)",
};

export const portugueseChannels: ChannelWords = {
  help: (kind) => help[kind],
  field: (field) => fields[field] ?? field,
  optional: "opcional",
  edit: "Editar",
  save: "Salvar",
  cancel: "Cancelar",
  pause: "Pausar",
  resume: "Retomar",
  paused: {
    asked: "Em pausa: nada é avisado aqui.",
    gone: "Em pausa: o outro lado diz que isto não existe mais. Digite um novo endereço para retomar.",
  },
  keepSettings: "Deixe os campos abaixo vazios para manter o que está definido: nunca é mostrado de novo.",
  fixedAddress: "O endereço fica: adicione um canal para outro.",
};
