import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { sha256Of, writeExt4 } from '../../support/disk-images.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { descendants } from '../../support/processes.ts'
import { findVictim } from '../../support/victims.ts'
import { waitFor } from '../../support/wait.ts'
import { type RunningXc, Xc } from '../../support/xc.ts'

// Clusters with a disk image that end without having been stopped: no process, no layer, and the image as it was.
const xc = new Xc()
const folder = mkdtempSync(join(tmpdir(), 'interrupted-'))
const image = join(folder, 'image.raw')
const args = ['start', '--nvm', '2', '--nrouters', '0', '--smp', '1', '--image', image]
let census: Census
let before: string

beforeAll(async () => {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'bin'), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  symlinkSync('busybox', join(root, 'bin/sh'))
  writeFileSync(join(root, 'who'), 'disk\n')
  writeExt4(image, { from: root, mebibytes: 16 })
  before = sha256Of(image)
  await xc.good(args) // makes the template
  await xc.good(['stop'])
  census = await takeCensus({ directories: [xc.runtime, folder] })
}, 120_000)

/** A start whose first VM has been started, with its disk. */
async function halfway(): Promise<RunningXc> {
  const begun = xc.begin(args)
  await waitFor(() => findVictim('QEMU') !== undefined, 30_000)
  return begun
}

/** Layers are in no listing, so all that may be beside the logs is nothing. */
function besideLogs(): string[] {
  const names = readdirSync(join(xc.root, 'state'), { recursive: true, withFileTypes: true })
  return names.filter(each => each.isFile() && !each.name.endsWith('.log')).map(({ name }) => name)
}

/** Nothing is left, and the image can be used at once. */
async function expectNothingLeft(): Promise<void> {
  expect(await waitFor(() => descendants().length === 0, 10_000)).toBe(true)
  await xc.good(['ls']) // removes the directory of an owner that was killed
  await census.expectUnchanged()
  expect(besideLogs()).toEqual([])
  expect(sha256Of(image)).toBe(before)
  await xc.good(args)
  expect(await xc.good(['exec', '2', '--', 'sh', '-c', 'cat /who; ls /mine || hostname'])).toBe(
    'disk\nvm-002\n',
  )
  await xc.good(['stop'])
  await census.expectUnchanged()
}

test('Ctrl-C in a start from a disk image removes all of it, and leaves the image as it was', async () => {
  const begun = await halfway()
  begun.child.kill('SIGINT')
  expect(await begun.result).toMatchObject({ status: 130, stdout: '' })
  await expectNothingLeft()
})

test('kill -9 of the owner in a start from a disk image leaves no layer, and the image as it was', async () => {
  const begun = await halfway()
  process.kill(findVictim('owner')!, 'SIGKILL')
  expect(await begun.result).toMatchObject({ status: 1, stdout: '' })
  await expectNothingLeft()
})

test('kill -9 of the owner of guests that have written to their disks leaves no layer, and the image as it was', async () => {
  await xc.good(args)
  await xc.good(['exec', '2', '--', 'sh', '-c', 'dd if=/dev/urandom of=/mine bs=1M count=4 && sync'])
  process.kill(findVictim('owner')!, 'SIGKILL')
  await expectNothingLeft()
})
