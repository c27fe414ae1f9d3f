import type { PolicyWords } from "./english-policy.ts";

const names: PolicyWords["names"] = {
  heartbeat_interval_seconds: "Intervalo de heartbeat",
  keep_alive_minutes: "Um keep-alive dura",
  idle: "Ociosidade",
  orphan: "Silêncio",
  guard: "Proteção contra quedas em massa",
  enabled: "Ligado",
  metric: "Mede-se por",
  threshold_percent: "Ociosa abaixo de",
  warn_after_seconds: "Avisar após",
  hibernate_after_seconds: "Hibernar após",
  respect_activity: "Atividade além da GPU conta como uso",
  prepare_max_seconds: "Esperar pelos hooks da máquina por no máximo",
  sources: "O que conta como uso",
  ssh_connections: "Conexões SSH",
  notebook_connections: "Conexões a notebooks e editores",
  busy_kernels: "Kernels do Jupyter que calculam",
  cpu_cores: "CPU",
  network_kb_per_second: "Rede, nos dois sentidos",
  disk_kb_per_second: "Disco, lido e escrito",
  compute_processes: "Processos na GPU que são novos ou cresceram",
  work: "Requisições que um servidor atendeu",
  scripts: "Seus próprios scripts",
  mode: "Modo",
  max_runtime_hours: "Hibernar após funcionar por",
  schedule: "Horários",
  timezone: "Fuso horário",
  awake: "Horário de uso",
  outside: "Fora desse horário",
  wake_at_start: "Acordar no início dele",
  maintenance: "Manutenção",
  windows: "Janelas",
  orphan_after_seconds: "Conta como órfã após",
  force_hibernate_after_seconds: "Hibernar à força após",
  delete_after_days: "Excluir após",
  snapshot_before_delete: "Snapshot antes de excluir",
  never_heard_after_seconds: "Conta como nunca ouvida após",
  act_on_never_heard: "Hibernar a que nunca foi ouvida, se estiver ligada",
  delete_while_running: "Excluir também a que não pôde ser hibernada, ainda ligada",
  fraction: "Fecha quando esta fração silencia",
  minimum_instances: "e ao menos tantas instâncias",
  window_seconds: "dentro de",
  max_hold_seconds: "Retém por no máximo",
  inventory: "Máquinas que ninguém vigia",
  adopt: "O que se faz com elas",
  reports: "Relatórios",
  monthly: "Dizer no dia 1º quanto custou o mês anterior",
};

const hints: PolicyWords["hints"] = {
  sources:
    "Uma instância só está ociosa enquanto cada um destes fica abaixo do seu valor, e a GPU abaixo do dela.",
  schedule: "No horário de uso nada é hibernado por ociosidade. Sem nenhum, não há horários.",
  maintenance: "Durante uma janela, o silêncio não tem consequência. Depois, ele conta a partir do fim dela.",
  max_runtime_hours: "Ocupada ou não. O dono é avisado 15 minutos antes.",
  prepare_max_seconds: "Para que salvem o trabalho. 0: sem espera.",
  wake_at_start:
    "As instâncias que os horários ou a ociosidade hibernaram, se o provedor consegue acordá-las.",
};

const meanings: PolicyWords["meanings"] = {
  mode: {
    act: "Cada passo é dado quando chega a hora.",
    observe: "Cada passo é decidido, registrado e avisado, mas não é dado. O que você mesmo pede é feito.",
  },
  outside: {
    idle_rules: "Instâncias ociosas são hibernadas como sempre.",
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
  idle_rules: "valem as regras de ociosidade",
  hibernate: "tudo é hibernado",
  off: "nada",
  suggest: "avisar",
  register: "registrá-las",
};

export const portuguesePolicy: PolicyWords = {
  names,
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
  preset: {
    legend: "Em quanto tempo",
    names: {
      thrifty: "Econômica",
      balanced: "Equilibrada",
      careful: "Cautelosa",
      custom: "Própria",
    },
    above: { instance: "Como o seu padrão", user: "Como o padrão do serviço" },
    numbers: (warn, hibernate, remove) =>
      `avisa após ${warn}, hiberna após ${hibernate}, ${
        remove === null ? "nunca exclui" : `exclui após ${remove} de silêncio`
      }`,
    customHint: "números seus, abaixo",
  },
  windows: {
    none: "sem janelas",
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
    problems === 1 ? "Não salvo: um valor não é válido." : `Não salvo: ${problems} valores não são válidos.`,
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
