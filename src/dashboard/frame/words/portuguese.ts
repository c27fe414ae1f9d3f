import type { FrameWords } from "./english.ts";

export const portugueseFrame: FrameWords = {
  places: {
    fleet: "Frota",
    alerts: "Alertas",
    costs: "Custos",
    activity: "Atividade",
    settings: "Configurações",
    operator: "Operação",
  },
  section: {
    policy: "Política",
    providers: "Provedores",
    channels: "Canais",
    access: "Acesso",
    account: "Conta",
  },
  sections: "Seções das configurações",
};
