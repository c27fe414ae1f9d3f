import type { CalledProvider } from "../../lifecycle/model/provider.ts";
import type { Control } from "../../lifecycle/views/control.ts";

/** What is said of instances where they are added, changed, removed, and where nobody can stop them. */

type WhyNot = NonNullable<Control["why_not"]>;

/** How a provider calls what its machines are known by there, and an example. */
interface Reference {
  readonly parts: Readonly<Partial<Record<"id" | "project" | "zone" | "group" | "name", string>>>;
  readonly hint: string | null;
}

/** Of the providers that have a word of their own for it. */
type References = Readonly<Partial<Record<CalledProvider, Reference>>>;

const SCALEWAY_ID = "11111111-1111-4111-8111-111111111111";
const GCP_EXAMPLE = "my-project, us-central1-a, trainer-1";

const englishReferences: References = {
  webhook: { parts: { id: "Id in your control plane" }, hint: "Each order to your control plane names it." },
  vast: { parts: { id: "Instance ID" }, hint: "A number, such as 28864630." },
  runpod: { parts: { id: "Pod ID" }, hint: "Such as a1b2c3d4e5f6g7." },
  ec2: {
    parts: { id: "Instance ID" },
    hint: "Such as i-1234567890abcdef0. It must be in the region of the connection.",
  },
  gcp: {
    parts: { project: "Project ID", zone: "Zone", name: "Instance name" },
    hint: `Such as ${GCP_EXAMPLE}. You can paste the whole path of the instance into any of them.`,
  },
  azure: {
    parts: { group: "Resource group", name: "Virtual machine name" },
    hint: "Such as my-group, my-vm. You can paste the whole resource ID into either.",
  },
  hyperstack: { parts: { id: "VM ID" }, hint: "A number, such as 12345." },
  scaleway: { parts: { zone: "Zone", id: "Instance ID" }, hint: `Such as fr-par-2, ${SCALEWAY_ID}.` },
  tensordock: { parts: { id: "Instance ID" }, hint: "Letters, digits, “_” and “-”." },
};

const portugueseReferences: References = {
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

/** A machine that may run. */
const englishCannotStop: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () => "Nobody can stop this machine: no provider is named that could.",
  silent: () => "Nobody can stop this machine: only its own agent could, and it is not heard.",
  not_connected: (provider) => `Nobody can stop this machine: ${provider} is not connected.`,
  refused: (provider) =>
    `Nobody can stop this machine: the keys of its connection are refused (${provider}).`,
  cannot_stop: (provider) =>
    `Nobody can stop this machine: ${provider} can’t stop machines. Only deleting it ends the bill.`,
};

/** One that is stopped. */
const englishCannotWake: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () =>
    "It can’t be woken from here. Start it where it is rented: its first heartbeat will be noticed.",
  silent: () =>
    "It can’t be woken from here. Start it where it is rented: its first heartbeat will be noticed.",
  not_connected: (provider) => `It can’t be woken or deleted from here: ${provider} is not connected.`,
  refused: (provider) =>
    `It can’t be woken or deleted from here: the keys of its connection are refused (${provider}).`,
  cannot_stop: (provider) => `${provider} can neither stop nor start machines.`,
};

const englishRemedy: Readonly<Record<WhyNot, string | null>> = {
  no_provider: "Connect its provider",
  silent: "Connect its provider",
  not_connected: "Connect it",
  refused: "Renew the keys",
  cannot_stop: null,
};

const portugueseCannotStop: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () => "Ninguém pode parar esta máquina: não há um provedor indicado que possa.",
  silent: () => "Ninguém pode parar esta máquina: só o próprio agente poderia, e ele não dá sinal.",
  not_connected: (provider) => `Ninguém pode parar esta máquina: ${provider} não está conectado.`,
  refused: (provider) =>
    `Ninguém pode parar esta máquina: as chaves da conexão dela são recusadas (${provider}).`,
  cannot_stop: (provider) =>
    `Ninguém pode parar esta máquina: ${provider} não para máquinas. Só excluí-la encerra a cobrança.`,
};

const portugueseCannotWake: Readonly<Record<WhyNot, (provider: string) => string>> = {
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

const portugueseRemedy: Readonly<Record<WhyNot, string | null>> = {
  no_provider: "Conectar o provedor dela",
  silent: "Conectar o provedor dela",
  not_connected: "Conectá-lo",
  refused: "Renovar as chaves",
  cannot_stop: null,
};

export const englishInstances = {
  nobodyCanStop: "Nobody can stop it",
  unstoppable: "Can’t be stopped",
  cannotStop: englishCannotStop,
  cannotWake: englishCannotWake,
  remedy: englishRemedy,
  thenChoose: "Then choose it under “Machine” below.",
  filterByConnection: "Connection",
  anyConnection: "Any connection",
  // Adding and changing
  machine: "Machine",
  change: "Change",
  where: "Where it is rented",
  yourConnections: "Your connections",
  withoutProvider: "Without a provider",
  notConnectedYet: "Not connected yet",
  refusedConnection: (name: string) => `${name} (keys refused)`,
  isRefused: "The keys of this connection are refused, so no machine can be looked for.",
  notConnected: (provider: string) => `${provider} is not connected yet.`,
  connectFirst: "Connect it in the settings, then come back",
  renewFirst: "Renew them in the settings",
  agentHint: "Its own agent hibernates it. Once it is silent, nobody can stop it.",
  noneHint: "You are told of everything, and nobody ever stops it.",
  reference: (kind: CalledProvider): Reference =>
    englishReferences[kind] ?? { parts: { id: "Id at the provider" }, hint: null },
  id: "Id here",
  idHint: "You find it here by this id, and its agent reports under it.",
  otherMachine: "This is another machine: what was heard of the former one does not count for it.",
  withoutSnapshots: (provider: string, days: number) =>
    `${provider} takes no snapshots. After ${days} days of silence the machine is`,
  neverDeleted: "never deleted",
  deletedWithout: "deleted all the same, with all its data",
  refusals: {
    id: "1 to 128 letters, digits, “.”, “_”, “:” or “-”, beginning with a letter or digit.",
    name: "1 to 200 characters.",
    cost: "A number of dollars, at most 1,000,000.",
    reference: "This is not in the form that the provider uses.",
    exists: "An instance of this id is registered already.",
    watched: "This machine is watched already as",
    watchedByAnother: "This machine is watched already by another instance.",
    notSeen: (provider: string) =>
      `${provider} shows no such machine. Is this right, and is the connection that of its account, team and region?`,
    cannotStop: (provider: string) =>
      `${provider} could not stop this machine. Without a provider you are told of it all the same. The reason:`,
    credentialsRefused: (provider: string) => `${provider} refuses the keys of this connection.`,
    busy: "Not while an order to this machine is under way: try again when it has ended.",
    tooMany: "You have as many instances as a user may have: remove those that are no longer needed.",
    tooFast: "Too many registrations: go on in a minute.",
    suspended: "The operator has suspended this account.",
  },
  // Removing
  removeStakes: (provider: string | null, cost: string | null) =>
    `It is no longer watched: nobody warns you, and nobody stops it. The machine itself is left alone${
      provider === null ? "" : ` at ${provider}`
    }: if it runs, it goes on running and is billed on${cost === null ? "" : `, at ${cost} an hour`}. Nothing is deleted there. To end the bill, hibernate it first, or delete it where it is rented.`,
  typeToConfirm: (name: string) => `Type ${name} to confirm`,
};

export type InstanceWords = typeof englishInstances;

export const portugueseInstances: InstanceWords = {
  nobodyCanStop: "Ninguém pode pará-la",
  unstoppable: "Ninguém pode parar",
  cannotStop: portugueseCannotStop,
  cannotWake: portugueseCannotWake,
  remedy: portugueseRemedy,
  thenChoose: "Depois, escolha-o abaixo, em “Máquina”.",
  filterByConnection: "Conexão",
  anyConnection: "Qualquer conexão",
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
  reference: (kind) => portugueseReferences[kind] ?? { parts: { id: "Id no provedor" }, hint: null },
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
  removeStakes: (provider, cost) =>
    `Ela deixa de ser vigiada: ninguém avisa você, e ninguém a para. A máquina em si fica como está${
      provider === null ? "" : ` em ${provider}`
    }: se estiver ligada, continua ligada e cobrada${cost === null ? "" : `, a ${cost} por hora`}. Nada é excluído lá. Para encerrar a cobrança, hiberne-a antes, ou exclua-a onde ela é alugada.`,
  typeToConfirm: (name) => `Digite ${name} para confirmar`,
};
