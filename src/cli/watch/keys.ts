/** What a key asks for. */
export type KeyAction = 'up' | 'down' | 'quit' | 'console' | Change
/** Changes to the selected node, with the question before those that lose something. */
export type Change = keyof typeof changes

export const changes = {
  pause: { verb: 'pause', done: 'Paused', question: undefined },
  resume: { verb: 'resume', done: 'Resumed', question: undefined },
  halt: { verb: 'halt', done: 'Stopped', question: 'Stop' },
  reset: { verb: 'reset', done: 'Reset', question: 'Reset' },
} as const

const esc = '\u001b'
const keys: Readonly<Record<string, KeyAction>> = {
  [`${esc}[A`]: 'up',
  [`${esc}OA`]: 'up',
  k: 'up',
  [`${esc}[B`]: 'down',
  [`${esc}OB`]: 'down',
  j: 'down',
  '\r': 'console',
  c: 'console',
  p: 'pause',
  r: 'resume',
  s: 'halt',
  R: 'reset',
  q: 'quit',
  '\u0003': 'quit',
  [esc]: 'quit',
}

/** The action of a key; undefined for keys without one. */
export function actionOf(key: string): KeyAction | undefined {
  return keys[key]
}
