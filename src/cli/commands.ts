import { dashed, type VerbName, verbs } from '../api/index.ts'
import type { CommandEntry, CommandFile } from './command.ts'
import type { PlainVerb } from './verb-command.ts'

type Shaped = Pick<CommandEntry, 'name' | 'load'>

/** Verbs whose commands have a file of their own. Undefined: a verb without a command. */
const shaped = {
  status: { name: 'status', load: () => import('./commands/status.ts') },
  stop: { name: 'stop', load: () => import('./commands/stop.ts') },
  spawn: undefined,
  exec: { name: 'exec', load: () => import('./commands/exec.ts') },
  console: { name: 'vm', load: () => import('./commands/vm.ts') },
  capture: { name: 'tcpdump', load: () => import('./commands/traffic/tcpdump.ts') },
  packets: { name: 'capture', load: () => import('./commands/traffic/capture.ts') },
  counters: { name: 'watch', load: () => import('./commands/watch.ts') },
  apply: { name: 'apply', load: () => import('./commands/topologies/apply.ts') },
  links: undefined,
  impair: { name: 'link', load: () => import('./commands/traffic/link.ts') },
  metrics: { name: 'metrics', load: () => import('./commands/metrics.ts') },
  log: { name: 'logs', load: () => import('./commands/logs.ts') },
  events: undefined,
} satisfies { readonly [Name in VerbName]?: Shaped | undefined }

/** All other verbs. A type error here means that a verb needs a file of its own for its parameters or answer. */
const plain: { readonly [Name in Exclude<VerbName, keyof typeof shaped>]: PlainVerb } = verbs

/** The command that follows from a verb's description. */
export function plainCommand(verb: PlainVerb): CommandEntry {
  const configured = async (): Promise<CommandFile> => {
    const { configureVerb } = await import('./verb-command.ts')
    return { configure: (command, session) => configureVerb(command, session, verb) }
  }
  const { name, alias, summary } = verb
  return { name: dashed(name), ...(alias !== undefined && { alias }), summary, verb, load: configured }
}

function verbCommand(name: VerbName): CommandEntry[] {
  if (!Object.hasOwn(shaped, name)) return [plainCommand(plain[name as keyof typeof plain])]
  const own = shaped[name as keyof typeof shaped]
  return own ? [{ ...own, summary: verbs[name].summary, verb: verbs[name] }] : []
}

/** All commands. Each loads its file when it is used, so that no command slows down another. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'start',
    alias: 'starts',
    summary: 'start a cluster and wait until every node is ready',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'host',
    summary: 'run the part of a lab over several hosts that is on this one',
    load: () => import('./commands/machine/host.ts'),
  },
  {
    name: 'fork',
    summary: 'start clusters that go on from a snapshot',
    load: () => import('./commands/snapshots/fork.ts'),
  },
  {
    name: 'snapshots',
    summary: 'list the snapshots of clusters',
    load: () => import('./commands/snapshots/list.ts'),
  },
  {
    name: 'snapshot',
    summary: 'remove, export or import a snapshot',
    load: () => import('./commands/snapshots/snapshot.ts'),
  },
  {
    name: 'graph',
    summary: 'draw a topology: nodes, nets and links',
    load: () => import('./commands/topologies/graph.ts'),
  },
  {
    name: 'convert',
    summary: 'make a topology file of one of containerlab',
    load: () => import('./commands/topologies/convert.ts'),
  },
  {
    name: 'topology',
    summary: 'list the topologies, or print one as a file',
    load: () => import('./commands/topologies/topology.ts'),
  },
  { name: 'ls', summary: 'list the running clusters', load: () => import('./commands/ls.ts') },
  ...(Object.keys(verbs) as VerbName[]).flatMap(verbCommand),
  {
    name: 'extcap',
    summary: 'answer Wireshark, which starts it (capture --install-extcap)',
    load: () => import('./commands/traffic/extcap.ts'),
  },
  {
    name: 'put',
    summary: 'copy files and directories to a node',
    load: () => import('./commands/files/put.ts'),
  },
  {
    name: 'get',
    alias: 'rcp',
    summary: 'copy files and directories from a node',
    load: () => import('./commands/files/get.ts'),
  },
  {
    name: 'rsh',
    summary: 'run a line of shell on a node',
    load: () => import('./commands/files/rsh.ts'),
  },
  {
    name: 'setup',
    summary: 'prepare this machine: QEMU, native code, the image for guests',
    load: () => import('./commands/machine/setup.ts'),
  },
  {
    name: 'kernel',
    summary: 'build a small kernel for guests from source',
    load: () => import('./commands/machine/kernel.ts'),
  },
  {
    name: 'doctor',
    summary: 'check whether this machine has what clusters need',
    load: () => import('./commands/machine/doctor.ts'),
  },
  {
    name: 'cache',
    summary: 'list, clear, export or import the templates of VMs',
    load: () => import('./commands/cache.ts'),
  },
  {
    name: 'nsadd',
    summary: 'make a named network namespace with an uplink and bridges',
    load: () => import('./commands/nsadd.ts'),
  },
  {
    name: 'nsadd-docker',
    summary: "make a named network namespace on Docker's bridge",
    load: () => import('./commands/nsadd-docker.ts'),
  },
  { name: 'nsdel', summary: 'remove a named network namespace', load: () => import('./commands/nsdel.ts') },
  {
    name: 'nsenter',
    summary: 'open a shell in a named network namespace',
    load: () => import('./commands/nsenter.ts'),
  },
  {
    name: 'br-setup',
    summary: 'add a bridge to a named network namespace',
    load: () => import('./commands/br-setup.ts'),
  },
  {
    name: 'dns',
    summary: 'run a caching DNS forwarder',
    load: () => import('./commands/dns.ts'),
  },
  {
    name: 'dns-route',
    summary: "print how this machine's resolver asks a cluster for its domain",
    load: () => import('./commands/dns-route.ts'),
  },
  {
    name: 'ovl',
    summary: 'list overlays, show what one gives, or make a new one',
    load: () => import('./commands/overlay/ovl.ts'),
  },
  {
    name: 'ovld',
    summary: 'print the directory of an overlay',
    load: () => import('./commands/overlay/ovld.ts'),
  },
  {
    name: 'mkcdrom',
    summary: 'make an ISO image of overlays, for the next starts',
    load: () => import('./commands/overlay/mkcdrom.ts'),
  },
  {
    name: 'ximage',
    summary: 'make a disk image with overlays on it',
    load: () => import('./commands/overlay/ximage.ts'),
  },
  {
    name: 'inject',
    summary: 'unpack overlays on a node that runs',
    load: () => import('./commands/overlay/inject.ts'),
  },
  {
    name: 'install-prog',
    alias: 'cplib',
    summary: 'copy programs with their libraries, for the tar of an overlay',
    load: () => import('./commands/overlay/install-prog.ts'),
  },
  {
    name: 'submit',
    summary: 'start a lab on several hosts as a job of Slurm',
    load: () => import('./commands/fleet/submit.ts'),
  },
  {
    name: 'cancel',
    summary: 'end the job of a lab, and wait until it is gone',
    load: () => import('./commands/fleet/cancel.ts'),
  },
  { name: 'env', summary: 'print all settings, fit for eval', load: () => import('./commands/env.ts') },
  {
    name: 'completion',
    summary: 'print the completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
]
