import { messageOf, XclusterError } from '../../base/index.ts'

/** A hook module that cannot be used, or that failed. */
export class HookError extends XclusterError {}

/** What is wrong with its shape: `commands.mystart.run is missing`. */
export function badShape(file: string, reason: string): HookError {
  return new HookError({
    ...{ code: 'HOOK_SHAPE', kind: 'usage', op: 'use hook', target: file, reason },
    remedy: 'docs/hooks.md has its shape, and defineConfig of xcluster/config its types',
  })
}

/** The hook's own failure, with the line of its file. Errors of `xc` that it passes on stay as they are. */
export function hookFailed(file: string, doing: string, failure: unknown): XclusterError {
  if (failure instanceof XclusterError) return failure
  const line = lineIn(file, failure)
  return new HookError({
    code: 'HOOK_FAILED',
    op: `${doing} of hook`,
    target: line === undefined ? file : `${file}:${line}`,
    reason: firstLine(messageOf(failure)) || 'it threw no message',
    remedy: 'Run it again with --debug for its stack',
    cause: failure,
  })
}

/** The line number from the topmost frame of its stack, or the place of a syntax error, that is in this file. */
export function lineIn(file: string, failure: unknown): string | undefined {
  const text = failure instanceof Error ? `${failure.stack}\n${failure.message}` : ''
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(file)
    const [, place] = (at >= 0 && /^:(\d+)/.exec(line.slice(at + file.length))) || []
    if (place) return place
  }
  return undefined
}

/** A message of a compiler has the source below it. */
export function firstLine(text: string): string {
  return text
    .split('\n')[0]!
    .replace(/^ParseError:\s*/, '')
    .trim()
}
