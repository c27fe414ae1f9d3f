import type { PROVIDERS as English } from "../english/providers.ts";
import type { Translation } from "../template.ts";

export const PROVIDERS: Translation<typeof English> = {
  "provider.only_deletes": "{provider:text} só pode excluir uma máquina, que é cobrada até lá",

  "stopped.not_said":
    "O que uma parada custa, perde e arrisca depende de onde a máquina é alugada: ninguém o diz aqui.",
  "stopped.never":
    "O provedor não pode parar uma máquina e conservá-la: tudo é cobrado até que ela seja excluída, com os dados.",
  "stopped.risks": "Parada em {provider:text}: {risks}.",
  "stopped.costs_nothing": "não custa nada",
  "stopped.may_be_billed": "ainda pode ser cobrada por inteiro",
  "stopped.may_be_billed_at": "ainda pode ser cobrada por inteiro, a {rate:dollars} por hora",
  "stopped.billed": "{parts} ainda são cobrados",
  "stopped.billed_at": "{parts} ainda são cobrados, a {rate:dollars} por hora",
  "stopped.disks": "os discos",
  "stopped.volumes": "os volumes",
  "stopped.addresses": "os endereços",
  "stopped.snapshots": "os snapshots",
  "stopped.lost": "{count:perde-se|perdem-se} {parts}",
  "stopped.memory": "o que está na memória",
  "stopped.container_disk": "tudo fora dos volumes",
  "stopped.local_disks": "o que está nos discos locais",
  "stopped.unsaved": "o que não está salvo em outro lugar",
  "stopped.taken_waits":
    "a GPU pode ser ocupada por outros, e então a partida espera até que fique livre, ou em vão",
  "stopped.taken_without": "a GPU pode ser ocupada por outros, e então a partida falha, ou vem sem GPU",
  "stopped.taken_fails": "a GPU pode ser ocupada por outros, e então a partida falha",
  "stopped.full_waits":
    "enquanto o provedor não tem capacidade a partida espera até que fique livre, ou em vão",
  "stopped.full_without": "enquanto o provedor não tem capacidade a partida falha, ou vem sem GPU",
  "stopped.full_fails": "enquanto o provedor não tem capacidade a partida falha",
  "stopped.ends_with_contract": "48 horas após o fim do contrato ela é excluída com os dados",
  "stopped.ends_without_balance": "sem saldo ela é excluída, a menos que tenha um volume de rede",

  "way.wait": "acordá-la de novo mais tarde",
  "way.vast.recreate": "alugar outra máquina com o mesmo template",
  "way.vast.fetch_data": "copiar os dados enquanto ela está parada",
  "way.runpod.recreate": "criar outro pod, e anexar o volume de rede se ela tiver um",
  "way.runpod.fetch_data": "iniciá-la com zero GPUs na página da RunPod, copiar o volume, e pará-la de novo",
  "way.ec2.recreate": "fazer uma imagem dela, e iniciá-la em outra zona ou com outro tipo",
  "way.ec2.fetch_data": "anexar os volumes, ou cópias deles, a outra instância",
  "way.gcp.recreate": "fazer uma imagem de máquina dela, e criar uma instância em outra zona",
  "way.gcp.fetch_data": "anexar os discos, ou cópias deles, a outra instância",
  "way.azure.recreate": "dar a ela um tamanho que esteja livre",
  "way.azure.fetch_data": "anexar cópias dos discos a outra máquina",
  "way.hyperstack.recreate": "criar outra máquina, e anexar os volumes a ela",
  "way.hyperstack.fetch_data":
    "anexar os volumes a outra máquina; o disco raiz não pode ser lido antes que ela seja restaurada",
  "way.scaleway.recreate": "fazer uma imagem dela, e criar outra Instance a partir dela",
  "way.scaleway.fetch_data": "anexar os volumes a outra Instance na mesma zona",
  "way.tensordock.recreate": "criar outra máquina",

  "reclaim.told": "O provedor retoma a máquina {when} (spot). Por isso ela silencia; {after}",
  "reclaim.now": "agora",
  "reclaim.in": "em {left:short}",
  "reclaim.is_asked": "então {provider:text} é consultado sobre o que houve com ela",
  "reclaim.nobody_to_ask":
    "então ninguém pode ser consultado sobre o que houve com ela, por isso verifique-a onde ela é alugada, ou inicie outra",
  "reclaim.silent_until_provider":
    "Em silêncio desde que o provedor a retomou. Ela conta como hibernada até que o provedor diga o contrário",
  "reclaim.silent_until_heard":
    "Em silêncio desde que o provedor a retomou. Ela conta como hibernada até que um heartbeat diga o contrário",
  "reclaim.its_provider": "O provedor",
  "reclaim.expected": "{provider} retoma a máquina: o silêncio é esperado",
  "reclaim.expected_at": "{provider} retoma a máquina em {at:time}: o silêncio é esperado",
  "reclaim.nobody_knows": "{provider} retomou a máquina: ninguém sabe ainda se ela existe",
  "reclaim.nobody_can_say":
    "{provider} retomou a máquina, e ninguém pode ser consultado se ela ainda existe: verifique-a onde ela é alugada",
};
