import type { Environment } from '../plan/index.ts'
import { findProgram, spawnAside } from '../sys/index.ts'
import { HostError } from './errors.ts'

/** A terminal window of xterm(1). */
interface Window {
  readonly title: string
  /** `#040` */
  readonly background: string
  /** The command that it runs. It closes when that ends. */
  readonly command: readonly string[]
}

/** The path of xterm(1). Throws XTERM_MISSING when there is none, and when there is no display for it. */
export function findXterm({ DISPLAY, PATH = '' }: Environment): string {
  const file = findProgram('xterm', PATH)
  if (file === undefined) throw missing('no directory of PATH has it', 'Install the package xterm')
  if (!DISPLAY)
    throw missing('DISPLAY is not set, so it has no screen', 'Log in with ssh -X, or to a desktop')
  return file
}

function missing(reason: string, remedy: string): HostError {
  const about = { op: 'open terminals with', target: 'xterm', reason, remedy }
  return new HostError({ code: 'XTERM_MISSING', kind: 'prerequisite', ...about })
}

/** Opens a window that outlives this process. */
export function openXterm(file: string, { title, background, command }: Window, env: Environment): void {
  spawnAside(file, ['-T', title, '-bg', background, '-fg', 'white', '-e', ...command], env)
}
