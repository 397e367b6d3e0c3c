import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { strangeVariables } from '../../../src/cli/options/strange.ts'
import { Xc } from '../../support/xc.ts'

const xc = new Xc()
const hosts = `${xc.root}/hosts`
writeFileSync(hosts, '192.0.2.7 registry.example.org\n')

const withEnv = (env: Record<string, string>, ...args: string[]) =>
  Object.assign(new Xc(), { env: { ...xc.env, ...env } }).run(args)

describe('a file in __dns_spoof, as in the original,', () => {
  test.each([
    [{ __dns_spoof: hosts }, []],
    [{}, ['--dns-spoof', hosts]],
    [{ __dns_spoof: hosts, __dns_hosts: hosts }, []],
  ] as [Record<string, string>, string[]][])('is the file of names to answer: %j %j', async (env, args) => {
    const { stdout, stderr } = await withEnv(env, 'env', ...args)
    expect(stderr).toBe('')
    expect(stdout).toContain(`__dns_hosts=${hosts}\n`)
    expect(stdout).toContain(`__dns_spoof=${hosts}\n`) // for a shell that has exported this one
  })

  test('is refused beside another file, and a word that is neither file nor list is too', async () => {
    const two = await withEnv({ __dns_spoof: hosts, __dns_hosts: '/etc/hosts' }, 'env')
    expect(two).toMatchObject({ status: 2, stderr: expect.stringMatching(/^xc: __dns_spoof: it is a file/) })
    const word = await withEnv({ __dns_spoof: 'registry' }, 'env')
    expect(word).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("'registry' is not a list of names"),
    })
  })
})

describe('xc env --explain', () => {
  test('says where each value comes from', async () => {
    const env = { __nvm: '1', __mem3: '256', __mem_router: '192', XCLUSTER_HOOK: 'off', __dns_spoof: hosts }
    const { stdout } = await withEnv(env, 'env', '--explain', '--nrouters', '0', '--smp2=1')
    const from = (variable: string) =>
      new RegExp(`^${variable} +(\\S*) {2,}(\\S+( \\S+)?) {2}`, 'm').exec(stdout)?.slice(1, 3)
    expect(from('__nvm')).toEqual(['1', 'environment'])
    expect(from('__nrouters')).toEqual(['0', '--nrouters'])
    expect(from('__mem3')).toEqual(['256', 'environment'])
    expect(from('__mem_router')).toEqual(['192', 'environment'])
    expect(from('__smp2')).toEqual(['1', '--smp2'])
    expect(from('__mtu')).toEqual(['1500', 'default'])
    expect(from('__dns_hosts')).toEqual([hosts, '__dns_spoof'])
    expect(stdout).toMatch(/^__ntesters +topology xnet +testers, ids from 221$/m)
    expect(stdout).toMatch(/ memory of a node, MiB: of node 3$/m)
    expect(stdout).toMatch(/ memory of a node, MiB: of each router$/m)
  })
})

describe('a variable of the original that has no effect', () => {
  const env = { __kver: 'linux-6.1', __nvms: '3', __nvm: '3', __mem3: '256', __mem_vm: '256' }
  const others = { __GLX_VENDOR: 'x', __empty: '' }
  const nowhere = { __mem999: '256', __mtu_vm: '9000' }

  test('is named with what to do; settings and variables of other programs are not', () => {
    expect(strangeVariables({ ...env, ...others, ...nowhere })).toEqual([
      '__kver has no effect: name the kernel file: __kernel',
      '__mem999 has no effect: xc env --explain has all settings',
      '__mtu_vm has no effect: xc env --explain has all settings',
      '__nvms has no effect: xc env --explain has all settings',
    ])
  })

  test('is named once by xc start, whose output stays what it is', async () => {
    const { status, stdout, stderr } = await withEnv({ ...env, ...others }, 'start', '--dry-run', '--json')
    expect(status).toBe(0)
    expect((JSON.parse(stdout) as { v: number }).v).toBe(1)
    expect(stderr.match(/__kver/g)).toHaveLength(1)
  })
})
