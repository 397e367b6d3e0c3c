import { indentedLines, withOptions } from '../../base/index.ts'
import { tell } from '../output.ts'
import type { Progress, ProgressMessage, ProgressOptions } from './types.ts'

export async function openProgress({ live, quiet, ...shown }: ProgressOptions): Promise<Progress> {
  if (quiet) return { show: () => {}, end: () => Promise.resolve() }
  if (!live) return linesOf(tell)
  const { openTaskList } = await import('./task-list.ts')
  return openTaskList(shown)
}

/** Printed once, when the first template is made. */
const whyTemplates = 'one VM of each shape is booted once and saved; nodes are clones of it'

/** One line for each step, node and notice. */
export function linesOf(line: (text: string) => void): Progress {
  let explained = false
  return {
    show(message) {
      if (message.type === 'step' && message.step === 'template' && !explained) {
        line(`template: ${whyTemplates}`)
        explained = true
      }
      const text = lineOf(message)
      if (text) line(text)
    },
    end: () => Promise.resolve(),
  }
}

function lineOf(message: ProgressMessage): string | undefined {
  if (message.type === 'notice') return `note: ${indentedLines(withOptions(message.text))}`
  if (message.type === 'step' && message.state === 'begin') return `${message.step}: ${message.text}`
  if (message.type !== 'node') return undefined
  if (message.state === 'ready') return `${message.name}: ready after ${(message.ms / 1000).toFixed(2)} s`
  return message.state === 'failed' ? `${message.name}: failed` : undefined
}
