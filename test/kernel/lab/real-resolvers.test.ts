import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import type { Status } from '../../../src/api/index.ts'
import { Scope } from '../../../src/base/index.ts'
import { resolvectl, routeOf, routeText } from '../../../src/cli/view/dns-route.ts'
import { openDns } from '../../../src/dns/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { internet, Outside } from '../../support/outside.ts'
import { isRoot } from '../../support/rights.ts'

/** Where packages are unpacked: nothing is installed, least of all another resolver of this machine. */
const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster/packages/root')
const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
const paths = ['usr/sbin', 'usr/bin', 'lib/systemd', 'usr/lib/systemd'].map(part => join(root, part))
let whyNot: string | undefined = isRoot ? undefined : 'systemd-resolved needs root to drop its rights'

beforeAll(() => {
  const script = join(import.meta.dirname, '../../../scripts/setup/packages.js')
  const packages = ['unbound', 'dnsmasq-base', 'dbus-daemon', 'systemd-resolved']
  const { status, stderr } = spawnSync(process.execPath, [script, ...packages], { encoding: 'utf8' })
  if (status !== 0) whyNot ??= `the resolvers could not be fetched: ${stderr.trim()}`
}, 300_000)

/** A cluster behind an uplink, as `xc dns-route` sees it. The uplink's link is that of the host to the internet. */
const status = {
  ...{ v: 1, name: 'default', fabric: 'bridge', dns: { address: '192.168.0.250', port: 53 } },
  nodes: [{ nets: [{ net: 0, dev: 'eth0', tap: '', mac: '', ipv4: '192.168.0.1', ipv6: 'fd00::c0a8:1' }] }],
  uplink: { link: 'eth0', inside: internet, outside: internet, table: '', sysctls: [] },
} as unknown as Status
const route = routeOf(status, 'lab.test')

/** What stands below a heading of `xc dns-route`. */
function linesFor(program: string): string {
  const [, lines] = new RegExp(`^# ${program}[^\n]*\n((?:[^#\n][^\n]*\n)+)`, 'm').exec(routeText(route)) ?? []
  return lines!
}

/**
 * Runs a resolver on the host, asks it as a program would, and ends it. Returns its answers, and the names for which
 * the cluster's forwarder was asked.
 */
async function ask(begin: string, at: string, files: Readonly<Record<string, string>> = {}) {
  await using scope = new Scope()
  const outside = scope.add(await new Outside().connect())
  const listen = [`${internet.ipv4}:10053`]
  const dns = scope.add(
    await openDns({ namespace: outside.internet, listen, allow: ['0.0.0.0/0'], upstreams: [] }),
  )
  dns.setHosts({
    hosts: [{ name: 'vm-001.lab.test', addresses: ['192.168.0.1', 'fd00::c0a8:1'] }],
    domains: ['lab.test'],
    nets: ['192.168.0.0/24'],
  })
  const queries = dns.queries()
  const folder = mkdtempSync(join(tmpdir(), 'resolver-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const dig = `dig +short +time=1 +tries=1 @${at}`
  const script = `
    set -e
    cd ${folder}
    PATH=${paths.join(':')}:$PATH
    trap 'kill $(jobs -p) && wait' EXIT
    ${begin}
    tries=0
    until ${dig} vm-001.lab.test >first 2>&1 && grep -q '^192' first; do
      tries=$((tries + 1)); [ $tries -lt 40 ] || { cat first said >&2; exit 1; }
      sleep 0.1
    done
    ${dig} vm-001.lab.test
    ${dig} +tcp vm-001.lab.test AAAA
    ${dig} -x 192.168.0.1
    ${dig} -x fd00::192.168.0.1
    ${dig} vm-009.lab.test
    echo end
    ${dig} +time=1 elsewhere.example >/dev/null || true`
  const inside = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script]
  const { stdout } = await inNamespace(outside.host, ['env', `LD_LIBRARY_PATH=${libraries}`, ...inside])
  queries.end()
  const names: string[] = []
  for await (const { name } of queries) names.push(name)
  return { answers: stdout.trim().split('\n'), names: new Set(names) }
}

const right = ['192.168.0.1', 'fd00::c0a8:1', 'vm-001.lab.test.', 'vm-001.lab.test.', 'end']

describe('the lines of xc dns-route hand the domain and its reverse names, and nothing else, to', () => {
  test('dnsmasq', async ({ skip }) => {
    if (whyNot) return skip(whyNot)
    const begin =
      'dnsmasq -k -C dnsmasq.conf --port=5301 --no-resolv --no-hosts --pid-file= --user= --stop-dns-rebind >said 2>&1 &'
    const { answers, names } = await ask(begin, '127.0.0.1 -p 5301', { 'dnsmasq.conf': linesFor('dnsmasq') })
    expect(answers).toEqual(right)
    expect(names).not.toContain('elsewhere.example.')
  })

  test('unbound', async ({ skip }) => {
    if (whyNot) return skip(whyNot)
    const own = [
      'interface: 127.0.0.1@5301',
      'username: ""',
      'chroot: ""',
      'directory: ""',
      'pidfile: ""',
      'use-syslog: no',
    ]
    const base = `server:\n${own.map(line => `  ${line}\n`).join('')}  private-address: 192.168.0.0/16\n`
    const conf = `${base}remote-control:\n  control-enable: no\n${linesFor('unbound')}`
    const { answers, names } = await ask('unbound -d -c unbound.conf >said 2>&1 &', '127.0.0.1 -p 5301', {
      'unbound.conf': conf,
    })
    expect(answers).toEqual(right)
    expect(names).not.toContain('elsewhere.example.')
  })

  test('systemd-resolved, in the link that the uplink has', async ({ skip }) => {
    if (whyNot) return skip(whyNot)
    const bus = '<listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>'
    const policy =
      '<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>'
    // It drops its rights for a user of that name, and speaks D-Bus: both are in this mount namespace alone.
    const begin = `
      mount -t tmpfs tmpfs /run
      mkdir -p /run/dbus /run/systemd/resolve
      cp /etc/passwd passwd && echo 'systemd-resolve:x:65534:65534::/:/bin/false' >>passwd
      mount --bind passwd /etc/passwd
      chown 65534:65534 /run/systemd/resolve
      LD_LIBRARY_PATH=${libraries}:${libraries}/systemd:${root}/lib/x86_64-linux-gnu; export LD_LIBRARY_PATH
      dbus-daemon --config-file=bus.conf --nofork --nopidfile >said 2>&1 &
      tries=0
      until [ -S /run/dbus/system_bus_socket ]; do tries=$((tries + 1)); [ $tries -lt 200 ]; sleep 0.05; done
      systemd-resolved >>said 2>&1 &
      tries=0
      until resolvectl status >status 2>&1; do tries=$((tries + 1)); [ $tries -lt 200 ]; sleep 0.05; done
      ${resolvectl(route).join('\n      ')}`
    const { answers, names } = await ask(begin, '127.0.0.53', {
      'bus.conf': `<busconfig><type>system</type>${bus}${policy}</busconfig>\n`,
    })
    expect(answers).toEqual(right)
    expect(names).not.toContain('elsewhere.example.')
  })
})
