import type { Command } from 'commander'
import { type VerbName, verbs } from '../api/index.ts'
import type { CommandEntry, CommandFile } from './command.ts'
import type { Session } from './session.ts'
import type { PlainVerb } from './verb-command.ts'

/** Gives a command, known by its name and summary until now, all the rest. */
export async function configureCommand(command: Command, session: Session): Promise<void> {
  const { configure } = await commands.find(({ name }) => name === command.name())!.load()
  command.option('--debug', 'print where an error comes from')
  configure(command, session)
}

type Shaped = Pick<CommandEntry, 'name' | 'load'>

/** Verbs whose commands have a shape, and a file, of their own. Undefined: a verb without a command. */
const shaped = {
  stop: { name: 'stop', load: () => import('./commands/stop.ts') },
  exec: { name: 'exec', load: () => import('./commands/exec.ts') },
  console: { name: 'vm', load: () => import('./commands/vm.ts') },
  log: { name: 'logs', load: () => import('./commands/logs.ts') },
  events: undefined,
} satisfies { readonly [Name in VerbName]?: Shaped | undefined }

/** All others. One that does not fit here has parameters or an answer that call for a file of its own. */
const plain: { readonly [Name in Exclude<VerbName, keyof typeof shaped>]: PlainVerb } = verbs

/** The command that follows from a verb's description. */
export function plainCommand(verb: PlainVerb): CommandEntry {
  const configured = async (): Promise<CommandFile> => {
    const { configureVerb } = await import('./verb-command.ts')
    return { configure: (command, session) => configureVerb(command, session, verb) }
  }
  return { name: verb.name, summary: verb.summary, verb, load: configured }
}

function verbCommand(name: VerbName): CommandEntry[] {
  if (!Object.hasOwn(shaped, name)) return [plainCommand(plain[name as keyof typeof plain])]
  const own = shaped[name as keyof typeof shaped]
  return own ? [{ ...own, summary: verbs[name].summary, verb: verbs[name] }] : []
}

/** All commands. The file of one is loaded when it is used: no command pays for another. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'start',
    alias: 'starts',
    summary: 'start a cluster and wait until all of it is ready',
    load: () => import('./commands/start.ts'),
  },
  { name: 'ls', summary: 'list the running clusters', load: () => import('./commands/ls.ts') },
  ...(Object.keys(verbs) as VerbName[]).flatMap(verbCommand),
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
  {
    name: 'completion',
    summary: 'print what lets bash or zsh complete these commands',
    load: async () => {
      const { completionOf } = await import('./commands/completion.ts')
      return completionOf(commands, configureCommand)
    },
  },
]
