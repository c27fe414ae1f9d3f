import type { FrameWords } from "./english.ts";

export const portugueseFrame: FrameWords = {
  places: {
    fleet: "Frota",
    alerts: "Alertas",
    costs: "Custos",
    activity: "Atividade",
    settings: "Configurações",
    operator: "Serviço",
    add: "Adicionar instância",
    signIn: "Entrar",
  },
  navigation: "Lugares",
  section: {
    policy: "Política",
    providers: "Provedores",
    channels: "Canais",
    access: "Acesso",
    account: "Conta",
  },
  sections: "Seções das configurações",
  account: "Sua conta",
  roles: {
    owner: "Proprietário",
    operator: "Operador",
    viewer: "Leitor",
    metrics: "Só métricas",
  },
  themeLabel: "Aparência",
  themes: { system: "Sistema", light: "Clara", dark: "Escura" },
  accountSettings: "Configurações da conta",
  nobodyTold: (names) =>
    `Ninguém mais é avisado dos alertas: ${names.join(", ")} não ${names.length === 1 ? "existe" : "existem"} mais, e não resta outro canal.`,
  toChannels: "Corrigir os canais",
  signedOut: "Você saiu.",
};
