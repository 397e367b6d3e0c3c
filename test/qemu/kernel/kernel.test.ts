import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { fetchedRoot } from '../../support/fetched.ts'
import { test } from '../../support/leaks.ts'

const boot = join(fetchedRoot, 'boot')
const image = readdirSync(boot).find(name => name.startsWith('vmlinuz-'))!
const version = image.slice('vmlinuz-'.length)

/** The fetched kernel at a place of its own, and its modules at another, without that of SCTP. */
function ownKernel() {
  const place = mkdtempSync(join(tmpdir(), 'kernel-'))
  const tree = join(fetchedRoot, 'lib/modules', version)
  const own = join(place, 'tree', version)
  mkdirSync(own, { recursive: true })
  copyFileSync(join(boot, image), join(place, 'bzImage'))
  symlinkSync(join(tree, 'kernel'), join(own, 'kernel'))
  copyFileSync(join(tree, 'modules.builtin'), join(own, 'modules.builtin'))
  const order = readFileSync(join(tree, 'modules.order'), 'utf8').split('\n')
  writeFileSync(join(own, 'modules.order'), order.filter(line => !line.includes('/sctp/')).join('\n'))
  return { kernel: join(place, 'bzImage'), modules: join(place, 'tree') }
}

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, script)
  return Buffer.from(stdout).toString().trim()
}

describe('a kernel of your own', () => {
  test('is that of one node, with the modules that are given for it', async ({ census }) => {
    const { kernel, modules } = ownKernel()
    await using cluster = await startCluster({
      nvm: 2,
      nrouters: 0,
      smp: 1,
      kernel2: kernel,
      modules2: modules,
    })
    const script = 'uname -r; modprobe wireguard && echo one; modprobe sctp 2>/dev/null && echo two'
    expect(await run(cluster, 1, script)).toBe(`${version}\none\ntwo`)
    expect(await run(cluster, 2, script)).toBe(`${version}\none`)
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('is that of the routers, and one of them has that of the cluster again', async ({ census }) => {
    const { kernel, modules } = ownKernel()
    await using cluster = await startCluster({
      nvm: 1,
      nrouters: 2,
      smp: 1,
      kernelRouter: kernel,
      modulesRouter: modules,
      kernel202: join(boot, image),
      modules202: '',
    })
    const script = 'modprobe sctp 2>/dev/null && echo sctp; modprobe wireguard && echo wireguard'
    const found = await Promise.all([1, 201, 202].map(id => run(cluster, id, script)))
    expect(found).toEqual(['sctp\nwireguard', 'wireguard', 'sctp\nwireguard'])
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('is refused with the modules of another before anything starts', async ({ census }) => {
    const modules = mkdtempSync(join(tmpdir(), 'modules-'))
    mkdirSync(join(modules, '5.10.0-other'))
    writeFileSync(join(modules, '5.10.0-other/modules.order'), '')
    await expect(
      startCluster({ nvm: 1, nrouters: 0, kernel: join(boot, image), modules }),
    ).rejects.toMatchObject({
      code: 'KERNEL_MODULES_FOREIGN',
      kind: 'usage',
      reason: `they are for Linux 5.10.0-other, and the kernel is ${version}`,
    })
    await census.expectUnchanged()
  })
})
