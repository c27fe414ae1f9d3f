import type { UseWords } from "./english-use.ts";

const sources: Readonly<Record<string, string>> = {
  ssh_connections: "conexões SSH",
  notebook_connections: "conexões a notebooks e editores",
  busy_kernels: "kernels do Jupyter que calculam",
  cpu_cores: "CPU",
  network_kb_per_second: "rede",
  disk_kb_per_second: "disco",
  compute_processes: "processos na GPU que são novos ou cresceram",
};

const causes: Readonly<Record<Parameters<UseWords["preparation"]["because"]>[0], string>> = {
  idle: "por ociosidade",
  owner: "como você pediu",
  schedule: "pelos horários",
  max_runtime: "porque o tempo máximo ligada acabou",
  budget: "pelo orçamento",
  kill_switch: "pelo botão de parar tudo",
};

const reclaims: Readonly<Record<string, string>> = {
  terminate: "ela será encerrada",
  stop: "ela será parada",
  hibernate: "ela será hibernada",
};

export const portugueseUse: UseWords = {
  title: { idle: "Por que está ociosa", notIdle: "Por que não está ociosa", off: "Para que é usada" },
  columns: { source: "Fonte", value: "Agora", threshold: "Uso a partir de", state: "Estado" },
  sources,
  requests: (server) => `requisições a ${server}`,
  script: (name) => `seu script ${name}`,
  state: {
    active: "em uso",
    quiet: "sem uso",
    unknown: "não pode ser lido: conta como uso",
    ignored: "ignorado",
  },
  quietFor: (duration) => `sem uso há ${duration}`,
  unread: "desconhecido",
  ofGpu: (highest, mean) => `${highest} no máximo, ${mean} em média`,
  cores: "núcleos",
  yes: "em uso",
  no: "sem uso",
  off: "A ociosidade está desligada na política: nada disto tem consequência.",
  idle: (duration) => `Nada mostra uso há ${duration}.`,
  inUse: (what) => `Em uso: ${what}.`,
  unknown: (what) => `Nada mostra uso, mas nem tudo pode ser lido, e isso conta como uso: ${what}.`,
  activity: "O agente diz que ela está em uso.",
  quiet: "Nada mostra uso.",
  noSources: "O agente só informa a GPU. A partir da versão 1.3.0, o agente informa cada fonte de uso.",
  resident: (gigabytes, duration) =>
    `Um modelo ocupa ${gigabytes} GB de memória da GPU${duration === null ? "" : `, sem trabalho há ${duration}`}. Só isso não conta como uso.`,
  preparation: {
    title: "Preparação",
    because: (cause) => `Ela será hibernada ${causes[cause]}, e antes salva o trabalho.`,
    state: {
      waiting: "A máquina ainda não disse que os hooks rodam.",
      running: (duration) => `Os hooks rodam há ${duration}.`,
      succeeded: "Os hooks terminaram: agora ela é hibernada.",
      failed: "Um hook falhou: ele roda de novo.",
    },
    since: "Desde",
    limit: "Hibernada no mais tardar",
    line: "Última linha",
    callOff: "Mantenha-a viva para cancelar.",
    last: "A última preparação",
    none: "Ainda não houve nenhuma.",
    outcome: {
      succeeded: "Ela ficou pronta.",
      failed: "Um hook falhou, e ela foi hibernada no limite assim mesmo.",
      overdue: "Ela não ficou pronta a tempo, e foi hibernada assim mesmo.",
      cancelled: "Foi cancelada.",
    },
    took: (duration) => `Levou ${duration}.`,
    noLog: "Os hooks não escreveram nada.",
    log: "O que os hooks escreveram",
    without: "Imediatamente, sem rodar os hooks",
    prepares: (name) => `${name} salva o trabalho antes, e então é hibernada.`,
  },
  reclaimed: (by, action, when) =>
    `O provedor${by === null ? "" : ` (${by})`} está retomando esta máquina${
      action === null ? "" : `: ${reclaims[action] ?? action}`
    }${when === null ? "" : `, em ${when}`}.`,
  keepAlive: {
    title: "Mantê-la viva",
    hours: (hours) => `${hours} h`,
    until: "até",
    today: (zone) => `A próxima vez que for essa hora em ${zone}.`,
    keep: "Manter",
    kept: (when) => `Mantida viva até ${when}.`,
    done: (name, until) => `${name} é mantida viva até ${until}.`,
  },
  preview: {
    show: "O que viria a seguir",
    title: "Com esta política",
    nothing: "Nada estaria previsto.",
    preset: (name) => `Equivale a: ${name}.`,
    switches: {
      awake: "começa o horário de uso",
      asleep: "termina o horário de uso",
      hibernate: "termina o horário de uso, e ela é hibernada se estiver ligada",
      wake: "começa o horário de uso, e ela é acordada se o provedor consegue",
      maintenance_begins: "começa a manutenção",
      maintenance_ends: "termina a manutenção",
    },
    observed: "Ela só observa: nada disto é feito.",
    notSaved: "Nada foi salvo ainda.",
  },
};
