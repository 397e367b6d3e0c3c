import { finished } from 'node:stream/promises'
import type { CommandExit, RunningCommand, TerminalSize } from '../stream/index.ts'
import { rawMode } from './terminal.ts'

/** What of this process a command is connected to, besides its outputs. */
export interface ConnectedOptions {
  readonly stdin?: boolean | undefined
  readonly terminal?: boolean | undefined
}

/** Connects this process to a command in a guest: input, outputs, signals, terminal. Resolves when it has ended. */
export async function connected(
  command: RunningCommand,
  { stdin = false, terminal = false }: ConnectedOptions,
): Promise<CommandExit> {
  const undo = terminal ? onTerminal(command) : passSignals(command)
  if (stdin) passInput(command)
  else command.stdin.end()
  command.stdout.pipe(process.stdout, { end: false })
  command.stderr.pipe(process.stderr, { end: false })
  try {
    const [exit] = await Promise.all([command.exit, finished(command.stdout), finished(command.stderr)])
    return exit
  } finally {
    undo()
    process.stdin.destroy()
  }
}

/** The command may take no more of it, and may end before it does. */
function passInput({ stdin }: RunningCommand): void {
  process.stdin.pipe(stdin)
  stdin.on('close', () => process.stdin.destroy())
  process.stdin.on('error', () => stdin.end())
}

/** Keeps the size of the command's terminal that of this one, which is in raw mode: keys go to the command. */
function onTerminal(command: RunningCommand): () => void {
  const restore = rawMode()
  const resized = () => command.resize(sizeOf(process.stdout))
  process.stdout.on('resize', resized)
  return () => {
    process.stdout.off('resize', resized)
    restore()
  }
}

const forwarded = { SIGINT: 2, SIGQUIT: 3, SIGTERM: 15, SIGHUP: 1 } as const
/** So many signals end this process, if the command takes no notice of them. */
const enough = 3

function passSignals(command: RunningCommand): () => void {
  let count = 0
  const listeners = Object.entries(forwarded).map(([signal, number]) => {
    const listener = () => {
      count += 1
      if (count >= enough) process.exit(128 + number)
      command.kill(number)
    }
    process.on(signal, listener)
    return () => process.off(signal, listener)
  })
  return () => {
    for (const remove of listeners) remove()
  }
}

/** The size of a terminal, or the usual one for what is not a terminal. */
export function sizeOf({ rows = 24, columns = 80 }: { rows?: number; columns?: number }): TerminalSize {
  return { rows, columns }
}
