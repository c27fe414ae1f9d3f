import type { AddWords } from "./english.ts";

export const portugueseAdd: AddWords = {
  title: "Adicionar uma máquina",
  first: "Adicione sua primeira máquina",
  hint: "Alguns cliques e um comando: aí ela é vigiada, e se vê o que ela desperdiça.",
  step: (number) => `Passo ${number}`,
  change: "Alterar",
  where: {
    title: "Onde ela é alugada?",
    connected: "Suas conexões",
    unwatched: (machines) =>
      machines === 0 ? "todas vigiadas" : machines === 1 ? "1 não vigiada" : `${machines} não vigiadas`,
    refused: "chave recusada",
    another: "Conectar um provedor",
    anywhere: "Em outro lugar",
    agent: "Ela mesma se para",
    agentHint: "O próprio agente a hiberna. Quando ele silencia, ninguém pode pará-la.",
    none: "Só alertas",
    noneHint: "Você é avisado de tudo, e ninguém nunca a para.",
    back: "Outro lugar",
  },
  machine: {
    title: "Qual máquina?",
    listed: "Máquinas que ninguém vigia",
    loading: "Procurando …",
    noneListed: (connection) => `${connection} não mostra nenhuma máquina que ninguém vigie.`,
    refused: "As chaves desta conexão são recusadas, então nenhuma máquina pode ser procurada.",
    renew: "Trocar a chave",
    byHand: "Ela não está na lista",
    fromList: "Escolher da lista",
    lookAgain: "Procurar de novo",
    several: (machines) => `Vigiar várias das ${machines} de uma vez`,
    one: "Adicionar só uma",
    needed: "Escolha antes uma máquina.",
  },
  protection: {
    title: "O que vai protegê-la",
    policy: "Sua política",
    observes: "Sua política só observa: cada passo abaixo é avisado, e nenhum é dado.",
    idle: (threshold, warn) => `Ociosa abaixo de ${threshold} por ${warn}: você é avisado.`,
    hibernates: {
      answer: (after) => `Depois de ${after} assim, o próprio agente a hiberna.`,
      call: (after, provider) => `Depois de ${after} assim, manda-se ${provider} pará-la.`,
      nobody: (after) =>
        `Depois de ${after} você é avisado de novo: ninguém pode pará-la sem acabar com ela.`,
    },
    idleOff: "A ociosidade está desligada na sua política.",
    silence: (told) => `Sem sinal por ${told}: você é avisado.`,
    silenceStops: (told, hibernate, provider) =>
      `Sem sinal por ${told}: você é avisado. Depois de ${hibernate}, manda-se ${provider} pará-la, de novo até que pare.`,
    silenceOff: "O silêncio não tem consequência na sua política.",
    nobodyStopsSilent: "Quando ela silencia, ninguém pode pará-la: só o próprio agente poderia.",
    toldOnly: "Ninguém nunca a para: você é avisado, e só.",
    onlyDeletes: (provider) =>
      `${provider} não para máquinas. Só excluí-la encerra a cobrança, e isso precisa da sua palavra.`,
    deleted: (after, withSnapshot) =>
      withSnapshot
        ? `Depois de ${after} de silêncio, faz-se um snapshot e ela é excluída.`
        : `Depois de ${after} de silêncio ela é excluída, sem snapshot.`,
    neverDeleted: "Ela nunca é excluída.",
    keepAlive: "Um clique, aqui ou numa mensagem, a mantém viva por quanto tempo você disser.",
  },
  details: {
    title: "Preço e etiquetas",
  },
  submit: "Vigiar",
  submitting: "Registrando …",
  command: {
    title: "Rode isto na máquina",
    all: "Contém tudo: o endereço deste serviço, o id e o token.",
    lost: "O token foi mostrado uma vez e se foi com a página. Um novo se faz na página dela.",
  },
  heartbeat: {
    title: "Primeiro sinal de vida",
    waiting: "Esperando o primeiro sinal de vida …",
    usually: "Ele chega em até um minuto depois do comando.",
    arrived: (name) => `${name} chegou.`,
    gpu: (percent) => `GPU ${percent}`,
    trouble: "Nada ainda? “journalctl -u dumont-agent” na máquina diz o que o agente faz.",
  },
  open: "Abrir",
  another: "Adicionar outra",
  viewer: "Adicionar uma máquina exige o papel de operador.",
};
