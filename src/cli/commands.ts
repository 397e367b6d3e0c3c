import type { Command } from 'commander'
import type { Session } from './session.ts'

/** What a command's own file gives: its arguments and options, and what it does. */
export interface CommandFile {
  configure(command: Command, session: Session): void
}

interface CommandEntry {
  readonly name: string
  readonly alias?: string
  readonly summary: string
  load(): Promise<CommandFile>
}

/** All commands. The file of one is loaded when it is used: no command pays for another. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'start',
    alias: 'starts',
    summary: 'start a cluster and wait until all of it is ready',
    load: () => import('./commands/start.ts'),
  },
  { name: 'status', summary: 'show a cluster and its nodes', load: () => import('./commands/status.ts') },
  { name: 'ls', summary: 'list the running clusters', load: () => import('./commands/ls.ts') },
  { name: 'stop', summary: 'stop a cluster; nothing of it stays', load: () => import('./commands/stop.ts') },
  { name: 'pause', summary: 'stop nodes where they are', load: () => import('./commands/pause.ts') },
  { name: 'resume', summary: 'let paused nodes go on', load: () => import('./commands/resume.ts') },
  { name: 'reset', summary: 'replace nodes by fresh ones', load: () => import('./commands/reset.ts') },
  { name: 'scaleout', summary: 'add nodes to a cluster', load: () => import('./commands/scaleout.ts') },
  { name: 'scalein', summary: 'take nodes away', load: () => import('./commands/scalein.ts') },
  { name: 'exec', summary: 'run a command on a node', load: () => import('./commands/exec.ts') },
  { name: 'vm', summary: "open a node's console", load: () => import('./commands/vm.ts') },
  { name: 'logs', summary: "print what a node's console has said", load: () => import('./commands/logs.ts') },
  {
    name: 'check',
    summary: 'let the nodes try to reach each other',
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'doctor',
    summary: 'see whether this machine has all it takes',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'cache',
    summary: 'list, clear, export or import what VMs are cloned from',
    load: () => import('./commands/cache.ts'),
  },
  {
    name: 'nsadd',
    summary: 'make a network namespace that stays, with a way out and bridges',
    load: () => import('./commands/nsadd.ts'),
  },
  {
    name: 'nsadd-docker',
    summary: "the same with its way out on Docker's bridge",
    load: () => import('./commands/nsadd-docker.ts'),
  },
  { name: 'nsdel', summary: 'take such a namespace away', load: () => import('./commands/nsdel.ts') },
  { name: 'nsenter', summary: 'open a shell in it', load: () => import('./commands/nsenter.ts') },
  {
    name: 'br-setup',
    summary: 'make one more bridge in such a namespace',
    load: () => import('./commands/br-setup.ts'),
  },
  {
    name: 'dns',
    summary: 'answer DNS questions by asking others, and remember the answers',
    load: () => import('./commands/dns.ts'),
  },
  { name: 'env', summary: 'print all settings, fit for eval', load: () => import('./commands/env.ts') },
]
