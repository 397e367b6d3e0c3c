import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

test('an overlay made by `xc ovl new` reaches guests by its path, by its name, and on an ISO image', async ({
  census,
}) => {
  const xc = new Xc()
  const mine = join(xc.root, 'ovls/mine')
  await xc.good(['ovl', 'new', mine])
  writeFileSync(join(mine, 'default/etc/who'), 'mine\n')
  xc.env.XCLUSTER_OVLPATH = join(xc.root, 'ovls')
  expect(await xc.good(['ovld', 'mine'])).toBe(`${mine}\n`)
  const listed = JSON.parse(await xc.good(['ovl', 'list', '--json']))
  expect(listed.overlays[0]).toEqual({ name: 'mine', path: mine })
  const shown = JSON.parse(await xc.good(['ovl', 'show', 'mine', '--json']))
  expect(shown.files).toContainEqual({ path: '/etc/who', kind: 'file', mode: '0644', bytes: 5 })

  const start = ['start', '--nvm', '1', '--nrouters', '0', '--smp', '1']
  const seen = () => xc.good(['exec', '1', '--', 'cat', '/etc/who', '/etc/motd'])
  await xc.good([...start, '--ovl', 'mine'])
  expect(await seen()).toBe('mine\nThis is vm-001\n')
  writeFileSync(join(mine, 'default/etc/who'), 'changed\n')
  await xc.good(['inject', '--addr', 'vm-001', 'mine'])
  expect(await seen()).toBe('changed\nThis is vm-001\n')
  await xc.good(['exec', '1', '--', 'mount', '-t', 'tmpfs', '-o', 'ro', 'none', '/etc/init.d'])
  const refused = await xc.run(['inject', '--addr=1', 'mine'])
  expect(refused).toMatchObject({ status: 1 })
  expect(refused.stderr).toMatch(/unpack overlays on vm-001: its tar ended with status 1: [\s\S]*Read-only/)
  const elsewhere = await xc.run(['inject', '--sudo', '--key=k', '--addr=me@192.0.2.1', 'mine'])
  expect(elsewhere).toMatchObject({ status: 3 })
  expect(elsewhere.stderr).toContain('xc ovl tar mine | ssh -i k me@192.0.2.1 sudo tar -C / -xf -')
  writeFileSync(join(mine, 'default/etc/who'), 'mine\n')
  await xc.good(['stop'])

  await xc.good(['mkcdrom', 'mine'])
  await xc.good(start)
  expect(await seen()).toBe('mine\nThis is vm-001\n')
  await xc.good(['stop'])
  await xc.good(['mkcdrom'])
  expect(existsSync(join(xc.root, 'state/xcluster/cdrom.iso'))).toBe(false)
  await census.expectUnchanged()
})

test('an overlay that cannot be used is one sentence before anything starts', async ({ census }) => {
  const xc = new Xc()
  const bad = join(xc.root, 'bad')
  await xc.good(['ovl', 'new', bad])
  writeFileSync(join(bad, 'tar'), '#!/bin/sh\nexit 5\n')
  const results = [
    await xc.run(['start', '--ovl', bad]),
    await xc.run(['start', '--ovl', 'nosuch']),
    await xc.run(['start', '--with', 'nosuch-program']),
    await xc.run(['ovl', 'new', bad]),
  ]
  for (const { stderr } of results)
    expect(stderr.split('\n').filter(line => line.startsWith('xc: '))).toHaveLength(1)
  expect(results.map(({ status }) => status)).toEqual([2, 2, 4, 2])
  expect(results[0]!.stderr).toContain(`use overlay ${bad}/tar: it exited with status 5`)
  expect(results[1]!.stderr).toMatch(
    /find overlay nosuch: none of .*\/ovl has it\. Give its path, or add the directory/,
  )
  expect(results[3]!.stderr).toMatch(oneSentence)
  await census.expectUnchanged()
})
