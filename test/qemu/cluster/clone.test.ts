import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { type ClusterEvent, startCluster } from '../../../src/index.ts'
import { findQemu } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { guestStates, said } from './guest-state.ts'
import { nsenter } from './nsenter.ts'

const small = { nvm: 2, nrouters: 1, ntesters: 1, smp: 1 }

test('a cluster of clones has the same configuration as one that boots', async ({ census }) => {
  await using booted = await startCluster({ ...small, clone: 'off', mtu: 1400 })
  const wanted = await guestStates(booted)
  await booted.stop()
  await startCluster({ nvm: 1, nrouters: 1, smp: 1 }).then(first => first.stop()) // makes the templates

  await using clones = await startCluster({ ...small, mtu: 1400 })
  const status = clones.status()
  expect(await guestStates(clones)).toEqual(wanted)
  expect((await clones.checkReach()).filter(({ ok }) => !ok)).toEqual([])
  for (const { milestones } of status.nodes) {
    expect(Object.keys(milestones)).toEqual(['spawned', 'qmp', 'agent', 'identity', 'ready'])
    const times = Object.values(milestones)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  }
  const each = (command: string) => Promise.all([1, 2, 201, 221].map(id => said(clones, id, command)))
  expect(new Set(await each('cat /etc/machine-id')).size).toBe(4)
  expect(new Set(await each('head -c 16 /dev/urandom | base64')).size).toBe(4)
  for (const seconds of await each('date +%s'))
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5)
  await clones.stop()
  await census.expectUnchanged()
})

test('a clone gives its NICs back to the bus, as for DPDK, takes them again, and shuts itself down', async ({
  census,
}) => {
  await using clones = await startCluster({ nvm: 2, nrouters: 0, smp: 1 })
  const driver = '/sys/bus/virtio/drivers/virtio_net'
  const devices = `for each in ${driver}/virtio*; do basename $each; done >/tmp/nics`
  const each = (does: string) => `while read nic; do echo $nic >${driver}/${does}; done </tmp/nics`
  await said(clones, 1, `${devices}; ${each('unbind')}`)
  expect((await said(clones, 1, 'ls /sys/class/net')).trim()).toBe('lo')
  await said(clones, 1, `${each('bind')}; ip link set eth1 up; ip addr add 192.168.1.1/24 dev eth1`)
  expect(await said(clones, 1, 'ping -q -c 1 -W 5 192.168.1.2')).toMatch(/ 1 packets received/)
  clones.exec(1, 'poweroff -f').catch(() => {}) // its end is what is waited for
  const reason = async () => clones.status().nodes[0]?.reason
  expect(await waitFor(async () => (await reason()) !== undefined, 30_000)).toBe(true)
  expect(await reason()).toMatch(/the guest shut itself down/)
  await clones.stop()
  await census.expectUnchanged()
})

const keyscan = spawnSync('which', ['ssh-keyscan']).status === 0

test('each clone has SSH host keys of its own', async ({ skip }) => {
  if (!keyscan) skip('ssh-keyscan is not installed')
  await using clones = await startCluster({ nvm: 2, nrouters: 0, smp: 1 })
  const { netns } = clones.status()
  const keyOf = (id: number) =>
    nsenter(netns, ['ssh-keyscan', '-T', '30', '-t', 'ed25519', `192.168.0.${id}`])
  const keys = (await Promise.all([1, 2].map(keyOf))).map(line => line.trim().split(' ').at(-1))
  expect(keys).toEqual([expect.stringMatching(/^AAAA/), expect.stringMatching(/^AAAA/)])
  expect(keys[0]).not.toBe(keys[1])
})

describe('cache of templates', () => {
  const one = { nvm: 1, nrouters: 0, smp: 1 }

  /** A cache with the images of the real one, so that none has to be made, and without templates. */
  async function emptyCache(): Promise<{ cache: string } & AsyncDisposable> {
    const real = places(process.env, process.getuid!()).cache
    const cache = await mkdtemp(join(tmpdir(), 'xcluster-cache-'))
    for (const name of await readdir(real))
      if (name !== 'templates') await symlink(join(real, name), join(cache, name))
    return { cache, [Symbol.asyncDispose]: () => rm(cache, { recursive: true }) }
  }

  async function started(cache: string, options = {}) {
    const events: ClusterEvent[] = []
    const at = { ...places(process.env, process.getuid!()), cache }
    await using cluster = await startCluster(
      { ...one, ...options },
      { places: at, onEvent: event => events.push(event) },
    )
    expect((await said(cluster, 1, 'hostname')).trim()).toBe('vm-001')
    const notices = events.flatMap(event => (event.type === 'notice' ? event.text : []))
    const steps = events.flatMap(event => (event.type === 'step' && event.step === 'template' ? event : []))
    const cloned = cluster.status().nodes[0]!.milestones.kernel === undefined
    return { cloned, steps, notices: notices.filter(text => !text.includes('KVM')) }
  }

  test('a template is made once, with steps that report it, and again when it is damaged', async () => {
    await using at = await emptyCache()
    const first = await started(at.cache)
    expect(first).toMatchObject({ cloned: true, notices: [] })
    expect([first.steps[0]!.state, first.steps.at(-1)!.state]).toEqual(['begin', 'end'])
    expect(first.steps[0]!.text).toBe('with 2 NICs: booting it')
    expect(await started(at.cache)).toEqual({ cloned: true, notices: [], steps: [] })

    const [key] = await readdir(join(at.cache, 'templates'))
    const ram = join(at.cache, 'templates', key!, 'ram')
    const bytes = await readFile(ram)
    bytes[bytes.length >> 1]! ^= 4
    await writeFile(ram, bytes)
    const third = await started(at.cache)
    expect(third).toMatchObject({ cloned: true, notices: [expect.stringContaining('made again')] })
    expect(third.steps.length).toBeGreaterThan(0)
  })

  test('nodes boot when their template cannot be written to the cache, with a notice', async () => {
    await using at = await emptyCache()
    await writeFile(join(at.cache, 'templates'), 'not a directory')
    const { cloned, notices } = await started(at.cache)
    expect(cloned).toBe(false)
    const about = /^nodes like vm-001 are booted, because they have no template: /
    expect(notices.filter(text => about.test(text))).toHaveLength(1)
  })

  test('a clone that cannot resume from its template is booted instead, with a notice', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'xcluster-qemu-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    await chmod(directory, 0o755)
    const { path } = await findQemu({ searchPath: process.env.PATH! })
    const qemu = join(directory, 'qemu')
    const script = `#!/bin/sh\ncase "$*" in *'-incoming defer'*) echo out of luck >&2; exit 1 ;; esac\nexec ${path} "$@"\n`
    await writeFile(qemu, script, { mode: 0o755 })
    await using at = await emptyCache()
    const { cloned, notices } = await started(at.cache, { kvm: qemu })
    expect(cloned).toBe(false)
    expect(notices).toEqual([
      expect.stringMatching(
        /^1 of 1 clones could not resume and had to boot\n {2}vm-001: QEMU exited with status 1.*out of luck/s,
      ),
    ])
  })
})
