import { expect, test } from 'vitest'
import * as dns from '../../../src/dns/index.ts'
import { type Call, survivesWrongArguments, untold } from './wrong.ts'

const names = { upstreams: [], mainNamespace: true, resolvConf: '/dev/null' }
const fault = {
  name: 'a.test',
  fault: 'nxdomain',
  type: 'A',
  askers: ['192.168.0.1'],
  probability: 0.5,
  seed: 3,
  times: 1,
}
const options = {
  ...names,
  ...{ zones: [{ domain: 'lab.test', upstreams: ['192.0.2.1'] }], policy: 'sequential', faults: [fault] },
  ...{
    cacheEntries: 10,
    cacheBytes: 1 << 20,
    cacheTtlMax: 30,
    staleSeconds: 5,
    hedgeMs: 400,
    answerWithinMs: 900,
  },
  dns64: { prefix: '64:ff9b::/96', exclude: ['::ffff:0:0/96'] },
}
const own = {
  hosts: [{ name: 'vm-001', addresses: ['192.168.0.1'] }],
  records: [{ name: 'www.lab.test', type: 'A', data: '192.168.0.2', ttl: 5, askers: ['192.168.0.0/24'] }],
  ...{ nets: ['192.168.0.0/24'], domains: ['lab.test'] },
}

const resolver =
  (act: (open: dns.Resolver, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = dns.openResolver(names)
    await act(open, ...args)
  }
const server =
  (act: (open: dns.Dns, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = await dns.openDns({ ...names, listen: ['127.0.0.1:0'] })
    await act(open, ...args)
  }
/** The wait ends by its time, or because its arguments are wrong. */
function unlessWrong(thrown: unknown): void {
  if (!(thrown instanceof dns.DnsError)) throw thrown
}
/** A thread needs the packed code, which only the built package has. */
function unlessUnpacked(thrown: Error): void {
  if (!thrown.message.includes('Unknown file extension')) throw thrown
}
const { signal } = new AbortController()
const pool = { threads: 1, notice() {}, onDeath() {} }

const calls: Readonly<Record<string, Call>> = {
  openResolver: { args: [options], call: dns.openResolver },
  openDns: {
    args: [
      {
        ...options,
        listen: ['127.0.0.1:0'],
        allow: ['192.168.0.0/24'],
        limits: { idleMs: 9 },
        counting: true,
      },
    ],
    without: value => value === undefined,
    call: dns.openDns,
  },
  openThreads: {
    args: [{ ...names, listen: ['127.0.0.1:0'] }, pool],
    needs: ['1', '1.threads', '1.notice'],
    without: value => value === undefined || value === 7 || value === 2 ** 80,
    call: (...args) =>
      dns.openThreads(...(args as unknown as [never, never])).then(one => one.close(), unlessUnpacked),
  },
  lookUp: {
    args: [{ name: 'a.test', type: 'A', server: '127.0.0.1:9', tcp: true, timeoutMs: 1, signal }],
    needs: ['0', '0.name', '0.server'],
    call: async (given: never) => void (await dns.lookUp(given).catch(unlessWrong)),
  },
  existsUpstream: {
    args: ['a.test', names],
    needs: ['0', '1'],
    without: value => value === undefined,
    call: dns.existsUpstream,
  },
  describeAnswer: { args: [Buffer.alloc(12)], needs: ['0'], call: dns.describeAnswer },
  parsePlace: { args: ['127.0.0.1:53', 53], needs: ['0'], call: dns.parsePlace },
  placeText: { args: [{ address: '::1', port: 53 }], needs: ['0', '0.address'], call: dns.placeText },
  parseServer: { args: ['192.0.2.1'], needs: ['0'], call: dns.parseServer },
  inMainNamespace: { args: [], call: dns.inMainNamespace },
  'Resolver.setHosts': {
    args: [own],
    needs: ['0', '0.hosts'],
    call: resolver((open, given: never) => open.setHosts(given)),
  },
  'Resolver.faults.add': {
    args: [fault],
    needs: ['0', '0.name', '0.fault'],
    call: resolver((open, given: never) => open.faults.add(given)),
  },
  'Resolver.faults.clear': { args: [3], call: resolver((open, id: never) => open.faults.clear(id)) },
  'Dns.query': {
    args: [
      { name: 'a.test', type: 'A' },
      { timeoutMs: 1, signal },
    ],
    call: server(async (open, ...args) => {
      const waiting = open.query(...(args as [])).catch(unlessWrong)
      await Promise.all([waiting, open.close()])
    }),
  },
  'Dns.setHosts': { args: [own], needs: ['0'], call: server((open, given: never) => open.setHosts(given)) },
}

test('every call of dns tells what is wrong with its arguments', () => survivesWrongArguments(calls), 120_000)

test('no call of dns is left out', () => {
  expect(untold(dns, calls, ['DnsError'])).toEqual([])
})
