import { expect, test } from 'vitest'
import { checkMemory, freeMemory } from '../../../src/host/memory.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings } from '../../../src/plan/index.ts'

const MiB = 1 << 20
const meminfo = (mebibytes: number) => ({
  '/proc/meminfo': `MemTotal: 1 kB\nMemAvailable:   ${mebibytes * 1024} kB\n`,
})
const reader = (files: Record<string, string>) => (path: string) => files[path]

test('without control groups the free memory is MemAvailable of the machine', () => {
  expect(freeMemory(reader(meminfo(1000)))).toEqual({
    freeMiB: 1000,
    limitedBy: 'MemAvailable of /proc/meminfo',
  })
})

test('control groups, version 2: the tightest group above limits the memory; reclaimable cache counts as free', () => {
  const files = {
    ...meminfo(9000),
    '/proc/self/cgroup': '0::/a/b\n',
    '/sys/fs/cgroup/a/b/memory.max': 'max\n',
    '/sys/fs/cgroup/a/b/memory.current': `${MiB}\n`,
    '/sys/fs/cgroup/a/memory.max': `${500 * MiB}\n`,
    '/sys/fs/cgroup/a/memory.current': `${300 * MiB}\n`,
    '/sys/fs/cgroup/a/memory.stat': `anon 5\ninactive_file ${100 * MiB}\n`,
  }
  expect(freeMemory(reader(files))).toEqual({
    freeMiB: 300,
    limitedBy: 'limit of control group /sys/fs/cgroup/a',
  })
})

test('control groups, version 1: a container that sees only its own root is limited by it', () => {
  const files = {
    ...meminfo(9000),
    '/proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/docker/123\n0::/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${800 * MiB}\n`,
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${700 * MiB}\n`,
    '/sys/fs/cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${50 * MiB}\n`,
  }
  expect(freeMemory(reader(files)).freeMiB).toBe(150)
})

test('too little memory for the nodes is refused with what they need and what is free', () => {
  const { nodes } = planCluster(resolveSettings({ options: { nvm: 4, mem1: 256 } }))
  const needed = 5 * 128 + 256 + 6 * 96
  const check = (free: number) => () => checkMemory(nodes, { read: reader(meminfo(free)) })
  expect(check(needed)).not.toThrow()
  expect(check(needed - 1)).toThrow(
    expect.objectContaining({ code: 'NOT_ENOUGH_MEMORY', kind: 'prerequisite' }),
  )
  expect(check(100)).toThrow(`need ${needed} MiB and 100 MiB are free`)
})

test('clones need the memory that they write, and their templates all of theirs', () => {
  const { nodes } = planCluster(resolveSettings({ options: { nvm: 100, nrouters: 0, mem1: 256 } }))
  const needed = 99 * (32 + 32) + (64 + 32) + (128 + 96) + (256 + 96)
  const check = (free: number) => () => checkMemory(nodes, { clones: true, read: reader(meminfo(free)) })
  expect(check(needed)).not.toThrow()
  expect(check(needed - 1)).toThrow(`they need ${needed} MiB`)
})
