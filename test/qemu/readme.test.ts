import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { expect } from 'vitest'
import { inProject } from '../house/project.ts'
import { test } from '../support/leaks.ts'
import { compile, readmeExample } from '../support/readme.ts'

test('the example of the README runs, prints what the README shows, and leaves nothing behind', () => {
  const { script, folder, output } = compile(readmeExample())
  try {
    expect(output).toBe('')
    const ran = spawnSync(process.execPath, [script], {
      cwd: inProject(),
      encoding: 'utf8',
      timeout: 150_000,
    })
    expect(ran.status, ran.stderr).toBe(0)
    const lines = ran.stdout.trim().split('\n')
    expect(lines).toEqual([
      'vm-001 ready eth0 192.168.0.1, eth1 192.168.1.1',
      'vm-002 ready eth0 192.168.0.2, eth1 192.168.1.2',
      'vm-201 ready eth0 192.168.0.201, eth1 192.168.1.201, eth2 192.168.2.201',
      'vm-202 ready eth0 192.168.0.202, eth1 192.168.1.202, eth2 192.168.2.202',
      'vm-221 ready eth0 192.168.0.221, eth1 192.168.2.221',
      'node 1 to the tester, through the routers: ok',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
