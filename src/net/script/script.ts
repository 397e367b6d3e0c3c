import { runUserScript, type UserScriptEnd } from '../../sys/index.ts'
import { type Asked, failed, nonsense, saidOn, shown } from './errors.ts'
import type { NetSetup } from './setup.ts'

export interface ScriptOptions {
  /** An absolute path. */
  readonly file: string
  /** Its environment, beside `__mtu`. */
  readonly env: () => Promise<Readonly<Record<string, string | undefined>>>
  /** Told what it said on standard error. */
  readonly log: (text: string) => Promise<void>
}

/** Far more than options are. */
const most = 64 << 10

/**
 * A user's script as it is called for `__net_setup`: `"$__net_setup" <node> <net>` in the cluster's namespace, with
 * `__mtu` in its environment. Its standard output are the options.
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
    if (end.overflowed) throw nonsense(asked, `printed more than ${most >> 10} KiB, the first: ${start(end)}`)
    if (end.code !== 0) throw notWilling(asked, end)
    return { args: end.stdout }
  }
}

function start({ stdout }: UserScriptEnd): string {
  return shown(stdout.slice(0, 60))
}

/** The launcher's own failures have its name before them. */
function notWilling(asked: Asked, { code, signal, stderr }: UserScriptEnd) {
  const [, why] = /^xcluster-launcher: .*: (.*)$/m.exec(code === 126 || code === 127 ? stderr : '') ?? []
  if (why !== undefined) {
    const remedy = 'It has to be executable, and to begin with what runs it (#!/bin/sh)'
    return failed(asked, { reason: `cannot be started: ${why}`, remedy })
  }
  const how = signal ? `was killed by ${signal}` : `exited with status ${code}`
  return failed(asked, { reason: `${how}${saidOn(stderr)}` })
}
