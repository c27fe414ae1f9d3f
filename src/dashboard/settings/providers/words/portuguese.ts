import type { ProvidersWords } from "./english.ts";

const keyHelp: ProvidersWords["connect"]["keyHelp"] = {
  webhook: "Um painel de controle seu, chamado por ordens assinadas. O segredo começa por whsec_.",
  vast: "Na Vast.ai, em Account, Keys. Precisa de instance_read e instance_write.",
  runpod: "Na RunPod, em Settings, API Keys. Precisa poder ler e escrever.",
  ec2: "Na AWS, em IAM, Users, Security credentials. Só se veem as máquinas desta região.",
  gcp: "A chave de uma conta de serviço, um arquivo JSON: cole-o inteiro em qualquer campo.",
  azure: "Um aplicativo do Microsoft Entra ID com um segredo de cliente, e o id da assinatura.",
  hyperstack: "Na Hyperstack, em API Keys. Ela tem os direitos do usuário dela.",
  scaleway: "Na Scaleway, em IAM, API keys, com InstancesFullAccess.",
  tensordock: "Na TensorDock, em Developers, um token de API da organização.",
  lambda: "Na Lambda Cloud, em API keys.",
  digitalocean: "Na DigitalOcean, em API, Tokens, com droplet:read; para excluir, também droplet:delete.",
  verda: "Na Verda, em Keys, credenciais da API de nuvem.",
};

const count = (machines: number, one: string, many: string) =>
  machines === 1 ? `1 ${one}` : `${machines.toLocaleString("pt-BR")} ${many}`;

export const portugueseProviders: ProvidersWords = {
  title: "Provedores",
  hint: "Contas e regiões que param, ligam e excluem suas máquinas. As chaves ficam seladas e não são mostradas de novo.",
  none: "Nenhum provedor conectado: ninguém pode parar uma máquina silenciosa.",
  state: { active: "Conectado", refused: "Chave recusada", unchecked: "Não verificado" },
  refusedHelp: "O provedor recusa a chave: nada é ordenado lá até que ela seja trocada.",
  watched: (machines) => count(machines, "máquina vigiada", "máquinas vigiadas"),
  unwatched: (machines) => `${count(machines, "máquina", "máquinas")} que ninguém vigia`,
  allWatched: "todas as máquinas de lá são vigiadas",
  notListed: "as máquinas de lá não podem ser listadas",
  listedAt: (ago) => `listadas há ${ago}`,
  listProblem: "A última listagem falhou:",
  show: "Mostrar",
  abilities: {
    title: "O que ele pode fazer, e o que uma parada significa",
    stops: "para e liga máquinas",
    stopsNot: "não para máquinas: só excluí-las encerra a cobrança",
    reaches: "alcança máquinas silenciosas",
    snapshots: "faz um snapshot antes de excluir",
    snapshotsNot: "não faz snapshots",
    lists: "acha máquinas que ninguém vigia",
    listsNot: "não lista máquinas",
    yes: "Sim:",
    no: "Não:",
  },
  tags: { stops: "para", deletes: "só exclui", snapshots: "snapshots", lists: "lista" },
  actions: {
    check: "Verificar",
    rename: "Renomear",
    replace: "Trocar a chave",
    remove: "Excluir",
    look: "Procurar de novo",
  },
  connect: {
    title: "Conectar um provedor",
    another: "Conectar outro provedor",
    of: (provider) => `Conectar ${provider}`,
    name: "Nome",
    nameHint: "Para distinguir suas contas e regiões.",
    submit: "Verificar e conectar",
    checking: (provider) => `Perguntando a ${provider} …`,
    cancel: "Outro",
    refused: (provider) => `${provider} não aceitou a chave.`,
    unchecked: "Guardar assim mesmo",
    uncheckedHint: "Ela é guardada sem verificação e testada quando for necessária.",
    form: "Não está na forma que o provedor usa.",
    connected: (name) => `${name} está conectado: a chave funciona.`,
    keptUnchecked: (name) => `${name} está conectado. A chave não foi verificada.`,
    looking: "Procurando as máquinas de lá …",
    keyHelp,
  },
  found: {
    title: (machines) =>
      machines === 1
        ? "1 máquina encontrada que ninguém vigia"
        : `${machines.toLocaleString("pt-BR")} máquinas encontradas que ninguém vigia`,
    nothing: "Não se achou lá nenhuma máquina que ninguém vigie.",
    looksFailed: (problem) => `As máquinas de lá não puderam ser listadas: ${problem}`,
    costs: (dollars) => `Custam ${dollars} por hora.`,
    costsMore: (dollars, unknown) =>
      `Custam ${dollars} por hora e mais: o preço de ${unknown} não é conhecido.`,
    costsUnknown: "Não se sabe quanto custam.",
    isMember: "pertence a um grupo que a liga e para",
    states: {
      running: "ligada",
      starting: "ligando",
      stopping: "parando",
      stopped: "parada",
      unknown: "estado desconhecido",
    },
    anHour: (dollars) => `${dollars}/h`,
    unknownPrice: "preço desconhecido",
    choose: (name) => `Vigiar ${name}`,
    all: "Todas",
    watch: (machines) => (machines === 1 ? "Vigiar" : `Vigiar ${machines} máquinas`),
    watching: (machines) =>
      machines === 1
        ? "1 máquina é vigiada a partir de agora."
        : `${machines} máquinas são vigiadas a partir de agora.`,
    refused: (machines) =>
      machines === 1
        ? "1 máquina não pôde ser registrada:"
        : `${machines} máquinas não puderam ser registradas:`,
    because: {
      unknown: "não está mais na lista",
      gone: "não existe mais",
      member: "pertence a um grupo que a liga e para",
      watched: "já é vigiada",
      bad_reference: "o nome dela não pode ser usado aqui",
      bad_policy: "sua política pede o que este provedor não faz",
      too_many: "você tem tantas instâncias quantas um usuário pode ter",
      unavailable: "tente de novo",
    },
    install: "Falta uma coisa: rode em cada máquina o comando dela, para que ela diga quando está ociosa.",
    more: "Há mais: continue com as próximas.",
    truncated: (shown) => `As primeiras ${shown} são mostradas.`,
  },
};
