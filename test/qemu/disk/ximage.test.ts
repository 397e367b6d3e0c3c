import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { writeErofs } from '../../../src/image/index.ts'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { readFolder } from '../../../src/overlay/root-folder.ts'
import { sha256Of, writeExt4 } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { descendants } from '../../support/processes.ts'
import { waitFor } from '../../support/wait.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

const xc = new Xc()
const dir = mkdtempSync(join(tmpdir(), 'ximage-'))
const at = (name: string) => join(dir, name)

function writeOverlay(name: string): void {
  mkdirSync(at(`${name}/root/etc/init.d`), { recursive: true })
  const archive = '#!/bin/sh\ncd "$(dirname "$0")/root" && tar --owner=7 --group=7 -c .\n'
  writeFileSync(at(`${name}/tar`), archive, { mode: 0o755 })
}

beforeAll(() => {
  mkdirSync(at('root/bin'), { recursive: true })
  mkdirSync(at('root/usr/lib'), { recursive: true })
  mkdirSync(at('root/etc'), { mode: 0o750 })
  copyFileSync('/bin/busybox', at('root/bin/busybox'))
  symlinkSync('busybox', at('root/bin/sh'))
  symlinkSync('usr/lib', at('root/lib'))
  writeFileSync(at('root/who'), 'disk\n')
  writeExt4(at('base.raw'), { from: at('root'), mebibytes: 16 })

  writeFileSync(at('erofs'), writeErofs(readFolder(at('root'))))
  writeOverlay('mine')
  mkdirSync(at('mine/root/lib'))
  mkdirSync(at("mine/root/it's new"), { mode: 0o700 })
  writeFileSync(at('mine/root/lib/given'), 'given\n')
  writeFileSync(at("mine/root/it's new/file"), '', { mode: 0o640 })
  writeFileSync(at('mine/root/etc/init.d/10me.rc'), '#!/bin/sh\nhostname >>/ran\n', { mode: 0o755 })
  writeOverlay('large')
  writeFileSync(at('large/root/zeros'), '')
  truncateSync(at('large/root/zeros'), 20 << 20)
})

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString().trim()
}

/** Of what a guest has that starts from the image without any overlay. */
const look = `
cat /lib/given /who /ran
ls -ld /lib | grep -o 'lib -> usr/lib'
stat -c '%a %u:%g %n' /etc "/it's new" "/it's new/file" /lib/given
ls /run/files /xcluster 2>/dev/null`

/** True for the QEMU whose guest unpacks overlays. */
function isWriting({ pid, command }: { pid: number; command: string }): boolean {
  if (!command.startsWith('qemu')) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('serial=xcluster-extend')
  } catch {
    return false // it has just ended
  }
}

describe('xc ximage', () => {
  test('makes an image with overlays on it, which stands alone, and leaves directories and the first image as they are', async ({
    census,
  }) => {
    const before = sha256Of(at('base.raw'))
    const { status, stdout, stderr } = await xc.run([
      ...['ximage', '--image', at('base.raw'), at('new.qcow2'), at('mine')],
    ])
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toContain(`Wrote ${at('new.qcow2')}: ${at('base.raw')} with 3 files.`)
    expect(sha256Of(at('base.raw'))).toBe(before)
    const made = sha256Of(at('new.qcow2'))
    await using cluster = await startCluster({ nvm: 2, nrouters: 0, smp: 1, image: at('new.qcow2') })
    for (const id of [1, 2])
      expect(await run(cluster, id, look)).toBe(
        `given\ndisk\nvm-00${id}\nlib -> usr/lib\n` +
          "750 0:0 /etc\n700 7:7 /it's new\n640 7:7 /it's new/file\n644 7:7 /lib/given",
      )
    await cluster.stop()
    expect(sha256Of(at('new.qcow2'))).toBe(made)
    await census.expectUnchanged()
  })

  test('replaces an image only with --force, and makes one of one that it made', async ({ census }) => {
    const args = ['ximage', '--image', at('new.qcow2'), at('new.qcow2'), at('mine')]
    const refused = await xc.run(args)
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(oneSentence) })
    expect(refused.stderr).toContain('there is a file of that name')
    const before = sha256Of(at('new.qcow2'))
    await xc.good([...args, '--force'])
    expect(sha256Of(at('new.qcow2'))).not.toBe(before)
    await census.expectUnchanged()
  })

  test('works for an unprivileged user', async ({ census, skip }) => {
    const user = new OrdinaryUser()
    const why = user.whyNot()
    skip(why !== undefined, why)
    const own = join(user.home, 'tmp')
    copyFileSync(at('base.raw'), join(own, 'base.raw'))
    await new Xc({ user }).good([
      ...['ximage', '--image', join(own, 'base.raw'), join(own, 'new.qcow2'), '--with', 'sleep'],
    ])
    expect(statSync(join(own, 'new.qcow2'))).toMatchObject({ uid: user.uid })
    expect(readdirSync(own).sort()).toEqual(['base.raw', 'new.qcow2'])
    await census.expectUnchanged()
  })

  test.for([
    ['overlays that do not fit on the disk', ['--image', at('base.raw'), at('not'), at('large')], 1],
    ['a file system that is only read', ['--image', at('erofs'), at('not'), at('mine')], 1],
    ['no image', [at('not'), at('mine')], 2],
    ['nothing to put on it', ['--image', at('base.raw'), at('not')], 2],
    ['a directory that does not exist', ['--image', at('base.raw'), at('no/not'), at('mine')], 1],
  ] as const)('with %s says why in one sentence and leaves nothing', async ([, args, status], { census }) => {
    const before = readdirSync(dir)
    const result = await xc.run(['ximage', ...args])
    expect(result).toMatchObject({ status, stdout: '' })
    const said = result.stderr.split('\n').filter(line => line.startsWith('xc: '))
    expect(`${said.join('\n')}\n`).toMatch(oneSentence)
    expect(said.join()).toMatch(
      /No space left on device|cannot be written to|--image FILE|nothing to put|no: No such file/,
    )
    expect(readdirSync(dir)).toEqual(before)
    await census.expectUnchanged()
  })

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const)('that ends by %s leaves no file and no process', async ([signal, status], { census }) => {
    const before = readdirSync(dir)
    const begun = xc.begin(['ximage', '--image', at('base.raw'), at('not'), at('mine')])
    expect(await waitFor(() => descendants().some(isWriting), 60_000)).toBe(true)
    begun.child.kill(signal)
    expect(await begun.result).toMatchObject({ status, stdout: '' })
    expect(existsSync(at('not'))).toBe(false)
    expect(readdirSync(dir)).toEqual(before)
    await census.expectUnchanged()
  })
})
