import { Listr, type ListrTask } from 'listr2'
import { type Deferred, defer } from '../base/index.ts'
import type { Progress, ProgressMessage } from './progress.ts'
import { tell } from './session.ts'

const titles = {
  image: 'Guest image',
  network: 'Network',
  vms: 'Virtual machines',
  configure: 'Addresses and routes',
} as const

/** One line of the list, which others complete. */
interface Line {
  readonly done: Deferred<void>
  text: string
  set: (text: string) => void
}

/** The list of tasks on a terminal. Notices come below it when it is over: they would tear it apart. */
export function openTaskList(total: number): Progress {
  const lines = new Map<string, Line>()
  const notices: string[] = []
  const tasks = Object.entries(titles).map(([step, title]) => {
    const line: Line = { done: defer(), text: '', set: () => {} }
    lines.set(step, line)
    return taskOf(title, line)
  })
  // Its own listener for Ctrl-C would end this process before everything has been taken back.
  const options = { concurrent: true, registerSignalListeners: false }
  const running = new Listr(tasks, options).run().catch(() => {}) // the failure is thrown, and told, by whoever follows the start
  const nodes = new Map<number, string>()
  return {
    show(message) {
      if (message.event === 'notice') notices.push(message.text)
      else if (message.event === 'node')
        lines
          .get('configure')
          ?.set(`${readyIn(nodes.set(message.id, message.state))} of ${total} nodes are ready`)
      else if (message.event === 'step') apply(lines.get(message.step), message)
    },
    async end(failure) {
      for (const { done } of lines.values()) {
        if (failure === undefined) done.resolve()
        else done.reject(new Error('not done'))
      }
      await running
      for (const text of notices) tell(`note: ${text}`)
    },
  }
}

function taskOf(title: string, line: Line): ListrTask {
  line.done.promise.catch(() => {}) // told by the list
  return {
    title,
    task: (_, task) => {
      line.set = text => {
        task.title = `${title}: ${text}`
      }
      if (line.text) line.set(line.text)
      return line.done.promise
    },
  }
}

function apply(line: Line | undefined, message: Extract<ProgressMessage, { event: 'step' }>): void {
  if (!line) return
  line.text = message.text
  line.set(message.text)
  if (message.state === 'end') line.done.resolve()
}

function readyIn(nodes: ReadonlyMap<number, string>): number {
  return [...nodes.values()].filter(state => state === 'ready').length
}
