import {
  GCP_EXAMPLE,
  type InstanceWords,
  type References,
  SCALEWAY_ID,
  type WhyNot,
} from "./english-instances.ts";

const references: References = {
  webhook: {
    parts: { id: "Id no seu painel de controle" },
    hint: "Cada ordem ao seu painel de controle a menciona por ele.",
  },
  vast: { parts: { id: "ID da instância (Instance ID)" }, hint: "Um número, como 28864630." },
  runpod: { parts: { id: "ID do pod (Pod ID)" }, hint: "Como a1b2c3d4e5f6g7." },
  ec2: {
    parts: { id: "ID da instância (Instance ID)" },
    hint: "Como i-1234567890abcdef0. Ela deve estar na região da conexão.",
  },
  gcp: {
    parts: { project: "ID do projeto", zone: "Zona", name: "Nome da instância" },
    hint: `Como ${GCP_EXAMPLE}. Você pode colar o caminho inteiro da instância em qualquer um deles.`,
  },
  azure: {
    parts: { group: "Grupo de recursos", name: "Nome da máquina virtual" },
    hint: "Como my-group, my-vm. Você pode colar o ID inteiro do recurso em qualquer um deles.",
  },
  hyperstack: { parts: { id: "ID da VM (VM ID)" }, hint: "Um número, como 12345." },
  scaleway: {
    parts: { zone: "Zona", id: "ID da instância (Instance ID)" },
    hint: `Como fr-par-2, ${SCALEWAY_ID}.`,
  },
  tensordock: { parts: { id: "ID da instância (Instance ID)" }, hint: "Letras, algarismos, “_” e “-”." },
};

const cannotStop: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () => "Ninguém pode parar esta máquina: não há um provedor indicado que possa.",
  silent: () => "Ninguém pode parar esta máquina: só o próprio agente poderia, e ele não dá sinal.",
  not_connected: (provider) => `Ninguém pode parar esta máquina: ${provider} não está conectado.`,
  refused: (provider) =>
    `Ninguém pode parar esta máquina: as chaves da conexão dela são recusadas (${provider}).`,
  cannot_stop: (provider) =>
    `Ninguém pode parar esta máquina: ${provider} não para máquinas. Só excluí-la encerra a cobrança.`,
};

const cannotWake: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () =>
    "Não é possível acordá-la daqui. Inicie-a onde ela é alugada: o primeiro sinal de vida será notado.",
  silent: () =>
    "Não é possível acordá-la daqui. Inicie-a onde ela é alugada: o primeiro sinal de vida será notado.",
  not_connected: (provider) =>
    `Não é possível acordá-la nem excluí-la daqui: ${provider} não está conectado.`,
  refused: (provider) =>
    `Não é possível acordá-la nem excluí-la daqui: as chaves da conexão dela são recusadas (${provider}).`,
  cannot_stop: (provider) => `${provider} não para nem inicia máquinas.`,
};

const remedy: Readonly<Record<WhyNot, string | null>> = {
  no_provider: "Conectar o provedor dela",
  silent: "Conectar o provedor dela",
  not_connected: "Conectá-lo",
  refused: "Renovar as chaves",
  cannot_stop: null,
};

export const portugueseInstances: InstanceWords = {
  nobodyCanStop: "Ninguém pode pará-la",
  unstoppable: "Ninguém pode parar",
  cannotStop,
  cannotWake,
  remedy,
  thenChoose: "Depois, escolha-o em “Máquina”.",
  filterByConnection: "Conexão",
  anyConnection: "Qualquer conexão",
  tags: "Etiquetas",
  chosenTags: "Só com estas etiquetas",
  withTag: (tag) => `Mostrar só o que tem a etiqueta ${tag}`,
  withoutTag: (tag) => `Mostrar também o que não tem a etiqueta ${tag}`,
  tagsHint: "Uma por linha, como team:vision. Servem para achar instâncias e separar custos.",
  machine: "Máquina",
  change: "Alterar",
  where: "Onde ela é alugada",
  yourConnections: "Suas conexões",
  withoutProvider: "Sem provedor",
  notConnectedYet: "Ainda não conectados",
  refusedConnection: (name) => `${name} (chaves recusadas)`,
  isRefused: "As chaves desta conexão são recusadas, então nenhuma máquina pode ser procurada.",
  notConnected: (provider) => `${provider} ainda não está conectado.`,
  connectFirst: "Conecte-o nas configurações e volte aqui",
  renewFirst: "Renove-as nas configurações",
  agentHint: "O próprio agente a hiberna. Quando ele silencia, ninguém pode pará-la.",
  noneHint: "Você é avisado de tudo, e ninguém nunca a para.",
  reference: (kind) => references[kind] ?? { parts: { id: "Id no provedor" }, hint: null },
  id: "Id aqui",
  idHint: "Você a encontra aqui por este id, e o agente dela o usa.",
  otherMachine: "Esta é outra máquina: o que se ouviu da anterior não vale para ela.",
  withoutSnapshots: (provider, days) =>
    `${provider} não faz snapshots. Depois de ${days} dias de silêncio, a máquina`,
  neverDeleted: "nunca é excluída",
  deletedWithout: "é excluída assim mesmo, com todos os dados",
  refusals: {
    id: "De 1 a 128 letras, algarismos, “.”, “_”, “:” ou “-”, começando por letra ou algarismo.",
    name: "De 1 a 200 caracteres.",
    cost: "Um número de dólares, no máximo 1.000.000.",
    tags: "No máximo 20. Uma chave tem de 1 a 40 letras minúsculas, algarismos, “_”, “.” ou “-”, começando por letra; um valor tem no máximo 100 caracteres.",
    reference: "Não está na forma que o provedor usa.",
    exists: "Já existe uma instância registrada com este id.",
    watched: "Esta máquina já é vigiada como",
    watchedByAnother: "Esta máquina já é vigiada por outra instância.",
    notSeen: (provider) =>
      `${provider} não mostra esta máquina. Está certo, e a conexão é a da conta, equipe e região dela?`,
    cannotStop: (provider) =>
      `${provider} não poderia parar esta máquina. Sem provedor você é avisado dela assim mesmo. O motivo:`,
    credentialsRefused: (provider) => `${provider} recusa as chaves desta conexão.`,
    busy: "Não enquanto uma ordem a esta máquina está em andamento: tente de novo quando ela terminar.",
    tooMany:
      "Você tem tantas instâncias quantas um usuário pode ter: remova as que não são mais necessárias.",
    tooFast: "Registros demais: continue em um minuto.",
    suspended: "O operador suspendeu esta conta.",
  },
  removeStakes: (provider, costs, isHibernated) => {
    const at = costs === null ? "" : `, a ${costs} por hora`;
    const left = `A máquina em si fica como está${provider === null ? "" : ` em ${provider}`}`;
    return `Ela deixa de ser vigiada: ninguém avisa você, e ninguém a para. ${left}: ${
      isHibernated
        ? `continua hibernada, e o que se cobra dela assim continua a ser cobrado${at}. Nada é excluído lá. Para encerrar a cobrança, exclua-a onde ela é alugada.`
        : `se estiver ligada, continua ligada e cobrada${at}. Nada é excluído lá. Para encerrar a cobrança, hiberne-a antes, ou exclua-a onde ela é alugada.`
    }`;
  },
  typeToConfirm: (name) => `Digite ${name} para confirmar`,
};
