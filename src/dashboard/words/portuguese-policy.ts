import { portugueseNames } from "../settings/policy-fields.ts";
import type { PolicyWords } from "./english-policy.ts";

const hints: PolicyWords["hints"] = {
  sources:
    "Uma instância só está ociosa enquanto cada um destes fica abaixo do seu valor, e a GPU abaixo do dela.",
  schedule: "No horário de uso nada é hibernado por ociosidade. Sem nenhum, não há horários.",
  maintenance: "Enquanto dura uma janela, o silêncio não move nada; ele conta a partir do fim dela.",
  max_runtime_hours: "Faça ela o que fizer; o dono é avisado 15 minutos antes.",
  prepare_max_seconds: "Para que salvem o trabalho. 0: sem espera.",
  wake_at_start: "As que os horários ou a ociosidade hibernaram, onde o provedor consegue.",
};

const meanings: PolicyWords["meanings"] = {
  mode: {
    act: "Cada passo é dado quando chega a hora.",
    observe:
      "Cada passo é decidido, registrado e avisado como um que seria dado, e nenhum é. O que você mesmo pede é feito.",
  },
  outside: {
    idle_rules: "As regras de ociosidade valem como sempre.",
    hibernate:
      "Tudo o que estiver ligado é hibernado ao fim do horário, ocupado ou não, com aviso 15 minutos antes.",
  },
};

const choices: Readonly<Record<string, string>> = {
  act: "Agir",
  observe: "Só observar",
  gpu: "a GPU",
  cpu: "a CPU",
  auto: "a GPU; a CPU onde não há",
  idle_rules: "a ociosidade é julgada",
  hibernate: "tudo é hibernado",
  off: "nada",
  suggest: "avisar",
  register: "registrá-las",
};

export const portuguesePolicy: PolicyWords = {
  names: portugueseNames,
  hints,
  meanings,
  choice: (choice) => choices[choice] ?? choice,
  units: {
    seconds: "s",
    minutes: "min",
    hours: "h",
    days: "dias",
    percent: "%",
    cores: "núcleos",
    kilobytes: "kB/s",
  },
  none: { never: "nunca", ignored: "ignorado" },
  unit: "Unidade",
  preset: {
    legend: "Em quanto tempo",
    names: {
      thrifty: "Econômica",
      balanced: "Equilibrada",
      careful: "Cautelosa",
      custom: "Personalizada",
    },
    above: { instance: "Como o seu padrão", user: "Como o padrão do serviço" },
    numbers: (warn, hibernate, remove) =>
      `avisa após ${warn}, hiberna após ${hibernate}, ${
        remove === null ? "nunca exclui" : `exclui após ${remove} de silêncio`
      }`,
    customHint: "números seus, abaixo",
  },
  windows: {
    none: "nenhuma",
    setHere: "Definir aqui",
    takeBack: "Como acima",
    add: "Adicionar horas da semana",
    addDated: "Adicionar uma data",
    remove: "Remover",
    row: (index) => `Janela ${index}`,
    days: "Dias em que começa",
    from: "De",
    to: "Até",
    nextDay: "termina no dia seguinte",
    everyDay: "todo dia",
    inZone: (zone) => `Hora de ${zone}`,
  },
  timezone: {
    suggested: "Sugeridos",
    others: "Outros",
    browser: (zone) => `Seu navegador está em ${zone}.`,
    take: "Usar",
  },
  notSaved: (problems) =>
    problems === 1
      ? "Não salvo: um valor não pode ficar."
      : `Não salvo: ${problems} valores não podem ficar.`,
  problems: {
    forInstance: (id, problem) => `Na instância ${id}, com o que está definido nela: ${problem}`,
    lessThan: (other, limit, is) => `Precisa ser menor que “${other}” (${limit}), mas é ${is}.`,
    atMost: (other, limit, is) => `Não pode passar de “${other}” (${limit}), mas é ${is}.`,
    leftOut: (other, limit, is) =>
      `Precisa deixar livre, de uma vez em cada semana, tanto quanto “${other}” (${limit}), mas deixa ${is}.`,
    oneInterval: (limit) => `Precisa ser de ao menos um intervalo de heartbeat (${limit}).`,
    threeIntervals: (limit) => `Precisa ser de ao menos três intervalos de heartbeat (${limit}).`,
    noSnapshots: (provider) =>
      `${provider} não faz snapshots: ponha aqui “não”, ou “Excluir após” em “nunca”.`,
    tooSmall: (limit) => `Precisa ser ao menos ${limit}.`,
    tooBig: (limit) => `Pode ser no máximo ${limit}.`,
    tooMany: (limit) => `No máximo ${limit}.`,
    noDay: "Escolha ao menos um dia.",
    whole: "Precisa ser um número inteiro.",
    time: "Precisa ser uma hora do dia, como 09:30.",
    dated: "Precisa terminar depois de começar, e em até sete dias.",
    zone: "Este fuso horário não é conhecido.",
    window: "Precisa de ao menos um dia e de uma hora para o começo e para o fim.",
    missing: "Falta.",
  },
};
