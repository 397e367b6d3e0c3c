import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Programs that benchmarks run, or compare with, and the Debian package of each. */
const packages = {
  bridge: 'iproute2',
  cc: 'gcc',
  dnsmasq: 'dnsmasq-base',
  dnsperf: 'dnsperf',
  ip: 'iproute2',
  iperf3: 'iperf3',
  nft: 'nftables',
  nsd: 'nsd',
  nsenter: 'util-linux',
  ssh: 'openssh-client',
  taskset: 'util-linux',
  tcpdump: 'tcpdump',
  unbound: 'unbound',
} as const

export type Program = keyof typeof packages

/** Throws when programs are missing, with the command that installs them. */
export function mustHave(programs: readonly Program[]): void {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  const missing = programs.filter(program => !folders.some(folder => existsSync(join(folder, program))))
  if (missing.length === 0) return
  const wanted = [...new Set(missing.map(program => packages[program]))]
  throw new Error(
    `${missing.join(', ')} not found. Run: apt-get install --no-install-recommends ${wanted.join(' ')}`,
  )
}
