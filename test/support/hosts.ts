import { randomBytes } from 'node:crypto'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Scope } from '../../src/base/index.ts'
import { bridge, openRoute, veth } from '../../src/rtnl/index.ts'
import { NetNamespace } from '../../src/sys/index.ts'
import { OrdinaryUser } from './ordinary-user.ts'
import { type RunningXc, Xc } from './xc.ts'

/** A machine of its own, as far as its network and its directories go. */
export interface TestHost {
  readonly namespace: NetNamespace
  /** Who runs `xc` there, if it is not root. */
  readonly user: OrdinaryUser | undefined
  readonly xc: Xc
  /** 10.77.0.1, 10.77.0.2 … */
  readonly address: string
  /** fd77::1, fd77::2 … */
  readonly address6: string
}

interface TestHostsOptions {
  readonly mtu?: number
  /** The hosts, by rank, where an ordinary user runs `xc`. */
  readonly rootless?: readonly number[]
}

/** Hosts on one Ethernet: a bridge in a namespace of its own, and a veth to each. */
export class TestHosts implements AsyncDisposable {
  readonly hosts: readonly TestHost[]
  readonly secretFile: string
  /** A folder that all of them can read. */
  readonly folder: string
  readonly #scope: Scope
  readonly #running: RunningXc[] = []

  static async open(count: number, options: TestHostsOptions = {}): Promise<TestHosts> {
    const scope = new Scope()
    try {
      return new TestHosts(await connected(count, options, scope), scope)
    } catch (failure) {
      await scope.close()
      throw failure
    }
  }

  private constructor(hosts: readonly TestHost[], scope: Scope) {
    this.hosts = hosts
    this.#scope = scope
    const { user, xc } = hosts.find(host => host.user) ?? hosts[0]!
    this.folder = xc.root
    this.secretFile = join(this.folder, 'secret')
    writeFileSync(this.secretFile, randomBytes(32), { mode: 0o600 })
    if (user) chownSync(this.secretFile, user.uid, user.uid)
  }

  /** The arguments of `xc host` on one of them. */
  args(lab: string, rank: number, more: readonly string[] = []): string[] {
    const peers = this.hosts.map(({ address }) => address).join()
    const values = ['--rank', `${rank}`, '--peers', peers, '--secret-file', this.secretFile]
    return ['host', lab, ...values, ...more]
  }

  /** Starts `xc host` on each, or on the first ones. What still runs at the end is killed. */
  begin(lab: string, more: readonly string[] = [], count = this.hosts.length): RunningXc[] {
    const begun = this.hosts.slice(0, count).map(({ xc }, rank) => xc.begin(this.args(lab, rank, more)))
    this.#running.push(...begun)
    return begun
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL')
    await Promise.all(this.#running.map(({ result }) => result))
    await this.#scope.close()
  }
}

async function connected(
  count: number,
  { mtu = 1500, rootless = [] }: TestHostsOptions,
  scope: Scope,
): Promise<TestHost[]> {
  const middle = scope.add(NetNamespace.create())
  const switched = scope.add(openRoute({ namespace: middle }))
  await switched.links.add(bridge({ name: 'ether', mtu, up: true }))
  const hosts: TestHost[] = []
  for (let n = 1; n <= count; n++) {
    const namespace = scope.add(NetNamespace.create())
    const user = rootless.includes(n - 1) ? new OrdinaryUser() : undefined
    // As a network card does, a bridge gives packets in a tunnel their checksums. A veth leaves that to the receiver,
    // which for users is a socket that has them no more.
    const port = rootless.length > 0 && !user ? 'port0' : 'eth0'
    await switched.links.add(veth({ name: `h${n}`, mtu, peer: { name: port, mtu, namespace } }))
    await switched.links.change({ name: `h${n}`, master: 'ether', up: true })
    const [address, address6] = [`10.77.0.${n}`, `fd77::${n}`]
    await using route = openRoute({ namespace })
    await route.batch(({ links, addresses }) => {
      links.change({ name: 'lo', up: true })
      if (port !== 'eth0') links.add(bridge({ name: 'eth0', mtu }))
      if (port !== 'eth0') links.change({ name: port, master: 'eth0', up: true })
      links.change({ name: 'eth0', up: true })
      addresses.add({ link: 'eth0', address, prefix: 24 })
      addresses.add({ link: 'eth0', address: address6, prefix: 64, noDad: true })
    })
    hosts.push({ namespace, user, xc: new Xc({ host: namespace, ...(user && { user }) }), address, address6 })
  }
  return hosts
}
