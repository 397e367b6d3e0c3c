import { runUserScript, scriptFailure, startFailure, type UserScriptEnd } from '../../sys/index.ts'
import { type Asked, badAnswer, failed, shown } from './errors.ts'
import type { NetSetup } from './setup.ts'

export interface ScriptOptions {
  /** An absolute path. */
  readonly file: string
  /** Its environment, to which `__mtu` is added. */
  readonly env: () => Promise<Readonly<Record<string, string | undefined>>>
  /** Receives its standard error. */
  readonly log: (text: string) => Promise<void>
}

/** Far longer than any options. */
const most = 64 << 10

/**
 * A user's script, called the way of `__net_setup`: `"$__net_setup" <node> <net>` in the cluster's namespace,
 * with `__mtu` in its environment. Its standard output is the options.
 */
export function scriptSetup({ file, env, log }: ScriptOptions): NetSetup {
  return async (node, net, { mtu, namespace, signal }) => {
    const end = await runUserScript({
      ...{ file, namespace, signal, most },
      args: [`${node}`, `${net}`],
      env: { ...(await env()), __mtu: `${mtu}` },
    })
    if (end.stderr) await log(`${end.stderr.trimEnd().replace(/^/gm, `node ${node} net ${net}: `)}\n`)
    signal.throwIfAborted()
    const asked = { node, net, who: file }
    if (end.overflowed)
      throw badAnswer(asked, `printed more than ${most >> 10} KiB, beginning with ${start(end)}`)
    if (end.code !== 0) throw exitFailure(asked, end)
    return { args: end.stdout.toString() }
  }
}

function start({ stdout }: UserScriptEnd): string {
  return shown(stdout.toString().slice(0, 60))
}

function exitFailure(asked: Asked, end: UserScriptEnd) {
  const why = startFailure(end)
  if (why === undefined) return failed(asked, { reason: scriptFailure(end) })
  const remedy = 'Make it executable, and let it begin with its interpreter (#!/bin/sh)'
  return failed(asked, { reason: `cannot be started: ${why}`, remedy })
}
