import { Listr, type ListrTask } from 'listr2'
import { type Deferred, defer, indentedLines, printable, withOptions } from '../../base/index.ts'
import { tell } from '../output.ts'
import type { Progress, ProgressMessage, ProgressOptions } from './types.ts'

const titles = {
  image: 'Guest image',
  network: 'Network',
  template: 'Templates',
  vms: 'Virtual machines',
  configure: 'Addresses and routes',
} as const

/** One line of the list. `done` completes it. */
interface Line {
  readonly done: Deferred<void>
  text: string
  set: (text: string) => void
}

/** The list of tasks on a terminal. Notices are printed below it at the end: in between they would break it up. */
export function openTaskList({ nodes: total, clones }: Omit<ProgressOptions, 'live' | 'quiet'>): Progress {
  const lines = new Map<string, Line>()
  const notices: string[] = []
  const shown = Object.entries(titles).filter(([step]) => clones || step !== 'template')
  const tasks = shown.map(([step, title]) => {
    const line: Line = { done: defer(), text: '', set: () => {} }
    lines.set(step, line)
    return taskOf(title, line)
  })
  // listr2's own listener for Ctrl-C would end this process before everything has been removed.
  const options = { concurrent: true, registerSignalListeners: false }
  const running = new Listr(tasks, options).run().catch(() => {}) // followStart throws the failure
  const nodes = new Map<number, string>()
  return {
    show(message) {
      if (message.type === 'notice') notices.push(message.text)
      else if (message.type === 'node')
        lines
          .get('configure')
          ?.set(`${readyIn(nodes.set(message.id, message.state))} of ${total} nodes are ready`)
      else if (message.type === 'step') step(lines, message)
    },
    async end(failure) {
      for (const { done } of lines.values()) {
        if (failure === undefined) done.resolve()
        else done.reject(new Error('not done'))
      }
      await running
      for (const text of notices) tell(`note: ${indentedLines(withOptions(text))}`)
    },
  }
}

function taskOf(title: string, line: Line): ListrTask {
  line.done.promise.catch(() => {}) // the list shows it
  return {
    title,
    task: (_, task) => {
      line.set = text => {
        task.title = `${title}: ${printable(text)}`
      }
      if (line.text) line.set(line.text)
      return line.done.promise
    },
  }
}

type StepMessage = Extract<ProgressMessage, { type: 'step' }>

function step(lines: ReadonlyMap<string, Line>, message: StepMessage): void {
  const template = lines.get('template')
  // The owner reports no step for templates from the cache.
  if (message.step === 'vms' && template)
    apply(template, { text: template.text || 'from the cache', state: 'end' })
  const line = lines.get(message.step)
  if (line) apply(line, message.step === 'template' ? aboutTemplates(message) : message)
}

function aboutTemplates({ state, text }: StepMessage): Pick<StepMessage, 'state' | 'text'> {
  const now = `made once, nodes are their clones: ${text}`
  return { state, text: state === 'begin' ? now : 'made, and cached for the next start' }
}

function apply(line: Line, { state, text }: Pick<StepMessage, 'state' | 'text'>): void {
  line.text = text
  line.set(text)
  if (state === 'end') line.done.resolve()
}

function readyIn(nodes: ReadonlyMap<number, string>): number {
  return [...nodes.values()].filter(state => state === 'ready').length
}
