import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { cloudDisk } from '../../support/cloud-disk.ts'
import { sha256Of } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

const dir = mkdtempSync(join(tmpdir(), 'changed-'))
const at = (name: string) => join(dir, name)

/** An emulated guest on a busy machine boots for minutes. */
const slow = { timeout: 1_200_000 }
const wait = ['--timeout', '900']

let disk: string
beforeAll(async () => {
  mkdirSync(at('mine/root/etc/init.d'), { recursive: true })
  mkdirSync(at('mine/root/opt'))
  const archive = '#!/bin/sh\ncd "$(dirname "$0")/root" && tar --owner=0 --group=0 -c .\n'
  writeFileSync(at('mine/tar'), archive, { mode: 0o755 })
  writeFileSync(at('mine/root/opt/given'), 'given\n')
  writeFileSync(at('mine/root/etc/init.d/10me.rc'), '#!/bin/sh\nhostname >>/ran\n', { mode: 0o755 })
  disk = await cloudDisk()
}, 300_000)

describe('an image for clouds that xc ximage has put an overlay on', () => {
  test.for([
    ['its own boot loader and cloud-init', '--bootable'],
    ["xcluster's kernel and its own init, systemd", '--init', 'system'],
  ])(
    'starts with %s, and the script of the overlay has run once, as the node it is',
    slow,
    async ([, ...how], { census }) => {
      const xc = new Xc()
      const before = sha256Of(disk)
      const image = at(`${how.join('')}.qcow2`)
      await xc.good(['ximage', '--image', disk, image, at('mine')])
      expect(sha256Of(disk)).toBe(before)
      await xc.good([
        ...['start', '--nvm', '1', '--nrouters', '0', '--smp', '1', '--mem', '384', '--image', image],
        ...[...how, ...wait],
      ])
      const look = 'cat /opt/given /ran; cat /proc/1/comm; grep -c "^/dev/vda1 / ext4 rw" /proc/mounts'
      expect(await xc.good(['exec', '1', '--', 'sh', '-c', look])).toBe('given\nvm-001\nsystemd\n1\n')
      const addresses = await xc.good(['exec', '1', '--', 'ip', '-4', '-o', 'addr', 'show', 'dev', 'eth1'])
      expect(addresses).toContain('192.168.1.1/24')
      await xc.good(['stop'])
      await census.expectUnchanged()
    },
  )
})
