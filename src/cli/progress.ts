import type { OwnerMessage } from '../cluster/index.ts'
import { tell } from './session.ts'

/** What can be shown while a cluster starts. */
export type ProgressMessage = Extract<OwnerMessage, { event: 'notice' | 'step' | 'node' }>

export interface Progress {
  show(message: ProgressMessage): void
  /** Nothing follows; a failure marks what was going on. Resolves when all is on the screen. */
  end(failure?: unknown): Promise<void>
}

/** A list of tasks that changes in place on a terminal, lines on stderr elsewhere. */
export async function openProgress(live: boolean): Promise<Progress> {
  if (!live) return linesOf(tell)
  const { openTaskList } = await import('./task-list.ts')
  return openTaskList()
}

/** One line per step, node and notice. */
export function linesOf(line: (text: string) => void): Progress {
  return {
    show(message) {
      const text = lineOf(message)
      if (text) line(text)
    },
    end: () => Promise.resolve(),
  }
}

function lineOf(message: ProgressMessage): string | undefined {
  if (message.event === 'notice') return `note: ${message.text}`
  if (message.event === 'step')
    return message.state === 'begin' ? `${message.step}: ${message.text}` : undefined
  if (message.state === 'ready') return `${message.name}: ready after ${(message.ms / 1000).toFixed(2)} s`
  return message.state === 'failed' ? `${message.name}: failed` : undefined
}
