import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

const dir = mkdtempSync(join(tmpdir(), 'convert-'))
const at = (name: string) => join(dir, name)

const lab = `
name: two
topology:
  defaults: { kind: linux, image: alpine, env: { LAB: "it's two" } }
  nodes:
    a:
      binds: ["hello.txt:/etc/hello/a.txt:ro", "hello.txt:/tmp/b.txt", "hello.txt:/var/run/c.txt"]
      exec:
        - ip addr add 10.0.0.1/24 dev net0
        - sh -c 'echo "$LAB" >/tmp/said'
      sysctls: { net.ipv4.tcp_mtu_probing: 1 }
    b:
      exec: [cat, ip addr add 10.0.0.2/24 dev eth1, ip addr add bad, touch /tmp/after]
  links: [{ endpoints: ["a:net0", "b:eth1"] }]
`

test('a containerlab topology runs with its files, variables, addresses and commands, as xc convert says', async ({
  census,
}) => {
  writeFileSync(at('two.clab.yml'), lab)
  writeFileSync(at('hello.txt'), 'hello\n')
  const xc = new Xc()
  const converted = await xc.run(['convert', at('two.clab.yml'), '--overlay', at('two.ovl')])
  expect([converted.status, converted.stderr]).toEqual([
    0,
    'note: a: net0 is eth1 here\nnote: a: without its image\nnote: b: without its image\n',
  ])
  writeFileSync(at('two.yaml'), converted.stdout)
  await xc.good(['start', '--topology', at('two.yaml')])
  const look =
    'cat /etc/hello/a.txt /tmp/b.txt /run/c.txt /tmp/said; stat -c %a /tmp; sysctl -n net.ipv4.tcp_mtu_probing; ls / | grep -c containerlab'
  const { stdout } = await xc.run(['exec', '1', '--', 'sh', '-c', look])
  expect(stdout).toBe("hello\nhello\nhello\nit's two\n1777\n1\n0\n")
  await xc.good(['exec', '1', '--', 'ping', '-c', '1', '-W', '5', '10.0.0.2'])
  expect(await xc.good(['exec', '1', '--', 'sh', '-lc', 'echo $LAB'])).toBe("it's two\n")
  await xc.good(['exec', '2', '--', 'ls', '/tmp/after'])
  expect(await xc.good(['logs', '2'])).toContain('containerlab: failed on vm-002: ip addr add bad')
  await xc.good(['verify'])
  await xc.good(['stop'])
  await census.expectUnchanged()
})
