import type { CostsWords } from "./english-costs.ts";
import { portugueseKill } from "./portuguese-kill.ts";

export const portugueseCosts: CostsWords = {
  title: "Custos",
  notKnown: "desconhecido",
  orMore: (dollars) => `${dollars} ou mais`,
  notRead: "Não foi possível ler agora o custo de hoje e do mês.",
  stale: "O custo de hoje e do mês pode estar desatualizado.",
  outOfDate: (why) => `O que você vê pode estar desatualizado: ${why}`,
  tryAgain: "Tentar de novo",
  uses: { working: "Trabalhando", idle: "Ociosa", silent: "Silenciosa", hibernated: "Hibernada" },
  cost: "Custo",
  wasted: "Desperdiçado",
  ofItWasted: "Desperdiçado",
  saved: "Economizado",
  total: "Ao todo",
  hours: (hours) => `${hours} h`,
  lastDays: (days) => `Os últimos ${days} dias`,
  utc: "Os dias são UTC.",
  nothing: "Nada custou nada nesses dias.",
  nothingKnown: "sem custos",
  asTable: "Como tabela",
  barsSummary: (first, last, cost, wasted, saved) =>
    `Custos por dia, de ${first} a ${last}: ${cost} ao todo, dos quais ${wasted} desperdiçados; ${saved} economizados. A tabela abaixo tem cada dia.`,
  smallBarsSummary: (first, last, cost, wasted, saved) =>
    `Custos por dia, de ${first} a ${last}: ${cost} ao todo, dos quais ${wasted} desperdiçados; ${saved} economizados. A página de custos tem cada dia.`,
  unpricedDays: (days) =>
    days === 1
      ? "Em um dia não se sabia o preço de uma máquina: ele custou mais do que se vê."
      : `Em ${days} dias não se sabia o preço de uma máquina: eles custaram mais do que se vê.`,
  forecast: (dollars) => `Este mês terá custado cerca de ${dollars}.`,
  forecastBasis: ({ spent, daily, daysLeft, closedDays, unpriced }) => {
    const aDay =
      closedDays === 0
        ? `${daily} pelo ritmo de agora, pois nenhum dia foi fechado ainda`
        : `os ${daily} que ${closedDays === 1 ? "o último dia fechado custou" : `cada um dos últimos ${closedDays} dias fechados custou em média`}`;
    const machines = unpriced === 1 ? "uma máquina" : `${unpriced} máquinas`;
    const without = unpriced === 0 ? "" : `; sem ${machines} de preço desconhecido`;
    return `${spent} até agora e, para cada um dos ${daysLeft} dias que restam, ${aDay}${without}.`;
  },
  whoCosts: "O que custa quanto",
  by: "Por",
  groupings: { instance: "Instância", provider: "Provedor", tag: "Etiqueta", status: "Status" },
  keys: { day: "Dia", instance: "Instância", provider: "Provedor", tag: "Etiqueta", status: "Status" },
  range: "Dias",
  presets: { week: "7 d", thirty: "30 d", month: "Este mês", lastMonth: "Mês passado" },
  from: "De",
  to: "Até",
  tagKey: "Etiqueta",
  rangeProblems: {
    missing: "Diga de que dia a que dia.",
    backwards: "O primeiro dia não pode vir depois do último.",
    "too long": "No máximo 400 dias.",
  },
  noTags: "Nenhuma instância tem etiquetas ainda. Dê-lhe algumas onde ela é alterada.",
  withoutTag: "sem ela",
  isCut: (rows) => `Só as primeiras ${rows}. O arquivo tem todas.`,
  download: "Baixar como CSV",
  downloaded: (name) => `Baixado: ${name}`,
  budget: {
    title: "Orçamentos",
    none: "Nenhum orçamento ainda: ninguém avisa você quando gasta mais do que queria.",
    today: "Hoje",
    thisMonth: "Este mês",
    used: (spent, limit, percent) => `${spent} de ${limit} (${percent}%)`,
    exceeded: "Está esgotado.",
    breaks: (when) => `No ritmo de agora ele se esgota em ${when}.`,
    forecast: (dollars, isOver) =>
      `Se tudo seguir como nos últimos dias: cerca de ${dollars}, ${isOver ? "acima do limite" : "dentro do limite"}.`,
    notCounted: (machines) =>
      machines === 1
        ? "Uma máquina não é contada: não se sabe o preço dela."
        : `${machines} máquinas não são contadas: não se sabe o preço delas.`,
    limits: { day: "Dólares por dia (UTC)", month: "Dólares por mês (UTC)" },
    wrongLimit: "Um número de dólares acima de 0, ou nada para não ter limite.",
    atLimit: "Quando um limite se esgota",
    atLimits: {
      alert: "Avisar",
      hibernate_idle: "Avisar e hibernar o que está ocioso",
      hibernate_all: "Avisar e hibernar tudo",
    },
    atLimitHints: {
      alert: "Você é avisado a 50, 80 e 100%. Nada é parado.",
      hibernate_idle:
        "Você é avisado a 50, 80 e 100%. Então o que está ocioso é hibernado, também mais tarde no mesmo dia ou mês. O que trabalha continua.",
      hibernate_all:
        "Você é avisado a 50, 80 e 100%. Então tudo é hibernado uma vez, o que trabalha também; depois, o que está ocioso. O que é mantido vivo continua.",
    },
  },
  kill: portugueseKill,
};
