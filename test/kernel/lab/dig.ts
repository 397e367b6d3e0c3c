import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Dns, type DnsOptions, openDns } from '../../../src/dns/index.ts'

const run = promisify(execFile)

/** What dig(1) prints of an answer. */
export interface Dug {
  readonly status: string
  /** `qr rd ra`. */
  readonly flags: readonly string[]
  /** Lines of the answer section, with one space between words, without class. */
  readonly answer: readonly string[]
  readonly authority: readonly string[]
  /** Extended errors: `EDE: 4 (Forged Answer)`. */
  readonly opt: readonly string[]
  readonly text: string
}

/** A forwarder on a free port of loopback, without upstreams unless some are given. */
export function openLab(options: DnsOptions = {}): Promise<Dns> {
  return openDns({ listen: ['127.0.0.1:0'], upstreams: [], loopCheck: false, ...options })
}

/** Asks with dig(1), once: `dig(dns, 'www.lab.test', 'AAAA', '+tcp')`. Status `none`: no answer within a second. */
export async function dig({ port }: Pick<Dns, 'port'>, ...words: readonly string[]): Promise<Dug> {
  const fixed = ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=1', '+nosplit', '+nocookie']
  const { stdout } = await run('dig', [...fixed, ...words]).catch((failure: { stdout: string }) => failure)
  const section = (name: string) => {
    const [, lines = ''] = new RegExp(`;; ${name} SECTION:\n([\\s\\S]*?)\n\n`).exec(stdout) ?? []
    return lines
      .split('\n')
      .filter(Boolean)
      .map(line => line.replace(/\s+/g, ' ').replace(' IN ', ' '))
  }
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? 'none',
    flags: (/;; flags: ([a-z ]*);/.exec(stdout)?.[1] ?? '').split(' '),
    answer: section('ANSWER'),
    authority: section('AUTHORITY'),
    opt: Array.from(stdout.matchAll(/^; (EDE: .*)$/gm), ([, line]) => line!),
    text: stdout,
  }
}
