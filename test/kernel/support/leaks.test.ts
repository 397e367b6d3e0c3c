import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NetNamespace, openTaps } from '../../../src/sys/index.ts'
import { takeCensus } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { isAlive } from '../../support/processes.ts'
import { needsRoot } from '../../support/rights.ts'
import { waitFor } from '../../support/wait.ts'

const soon = { withinMs: 50 }

test('the census of leaks finds nothing when nothing was done', async () => {
  const census = await takeCensus()
  await census.expectUnchanged(soon)
})

test('the census of leaks finds an open file', async () => {
  const census = await takeCensus()
  const fd = openSync('/dev/null', 'r')
  await expect(census.expectUnchanged(soon)).rejects.toThrow(`+ fd ${fd} → /dev/null`)
  closeSync(fd)
  await census.expectUnchanged(soon)
})

test('the census of leaks finds a namespace, and a tap and a table in a namespace that existed before', async () => {
  const outer = await takeCensus()
  await using namespace = NetNamespace.create()
  await expect(outer.expectUnchanged(soon)).rejects.toThrow(`+ namespace net:[${namespace.inode}]`)

  const inner = await takeCensus()
  const [tap] = await openTaps(['t0'], { namespace })
  await inNamespace(namespace, ['nft', 'add', 'table', 'inet', 'left'])
  const found = await inner.expectUnchanged(soon).catch(String)
  expect(found).toMatch(/\+ fd \d+ → \/dev\/net\/tun/)
  expect(found).toContain(`+ link t0 in net:[${namespace.inode}]`)
  expect(found).toContain(`+ nft table table inet left in net:[${namespace.inode}]`)

  await tap!.close()
  await inNamespace(namespace, ['nft', 'delete', 'table', 'inet', 'left'])
  await inner.expectUnchanged()
  await namespace.close()
  await outer.expectUnchanged()
})

test('the census of leaks finds an orphan, though its parent is gone and its environment is empty', async () => {
  const census = await takeCensus()
  const shell = spawn('sh', ['-c', 'env -i setsid sleep 60 & echo $!'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let orphan = 0
  shell.stdout.on('data', data => {
    orphan = Number(data)
    shell.stdout.destroy()
  })
  await once(shell, 'close')
  await expect(census.expectUnchanged(soon)).rejects.toThrow(new RegExp(`\\+ process \\w+ ${orphan} `))
  process.kill(orphan, 'SIGKILL')
  await waitFor(() => !isAlive(orphan))
  await census.expectUnchanged()
})

test('the census of leaks finds a namespace that has a name', async ({ skip }) => {
  needsRoot(skip)
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  const path = join(directory, 'net')
  writeFileSync(path, '')
  const census = await takeCensus()
  execFileSync('unshare', [`--net=${path}`, 'true'])
  await expect(census.expectUnchanged(soon)).rejects.toThrow(path)
  execFileSync('umount', [path])
  rmSync(directory, { recursive: true })
  await census.expectUnchanged()
})

test('the census of leaks finds a file in a runtime directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  const census = await takeCensus({ directories: [directory] })
  writeFileSync(join(directory, 'lock'), '')
  await expect(census.expectUnchanged(soon)).rejects.toThrow(`+ file ${directory}/lock`)
  rmSync(directory, { recursive: true })
  await census.expectUnchanged(soon)
})
