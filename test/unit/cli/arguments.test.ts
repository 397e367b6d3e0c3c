import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { normalized } from '../../../src/cli/options/argv.ts'
import { addSettings, settingsOf } from '../../../src/cli/options/settings.ts'
import { clusterNameOf, openSession, timeoutOf } from '../../../src/cli/session.ts'

/** The settings of `xc start` with these arguments and this environment. */
function settings(argv: string[], env: Record<string, string> = {}) {
  const command = new Command('start').exitOverride().configureOutput({ writeErr: () => {} })
  const words = normalized(argv)
  addSettings(command, words)
  return settingsOf(openSession(env), command.parse(words, { from: 'user' }).opts())
}

describe('the command line', () => {
  test.each([
    [['help'], ['--help']],
    [
      ['help', 'start'],
      ['start', '--help'],
    ],
    [
      ['start', '--nets_router=0,1'],
      ['start', '--nets-router=0,1'],
    ],
    [
      ['br_setup', '5', '--host_nets', '5'],
      ['br-setup', '5', '--host-nets', '5'],
    ],
    [
      ['help', 'nsadd_docker'],
      ['nsadd-docker', '--help'],
    ],
    [
      ['start', '--append', 'a_b=c_d'],
      ['start', '--append', 'a_b=c_d'],
    ],
    [
      ['exec', '1', '--', 'ls', '--a_b'],
      ['exec', '1', '--', 'ls', '--a_b'],
    ],
  ])('%j is read as %j', (given, read) => {
    expect(normalized(given)).toEqual(read)
  })

  test.each([
    [['--uplink', '--nvm', '1'], 'on'],
    [['--uplink', '7'], 7],
    [['--uplink=off'], 'off'],
    [[], 'off'],
  ] as [string[], unknown][])('%j sets the uplink to %s', (argv, uplink) => {
    expect(settings(argv)).toMatchObject({ uplink })
  })

  test('an option wins over its environment variable, and the variable over the default', () => {
    expect(settings([])).toMatchObject({ nvm: 4, mem: 128 })
    expect(settings([], { __nvm: '2', __mem: '256' })).toMatchObject({ nvm: 2, mem: 256 })
    expect(settings(['--nvm', '3'], { __nvm: '2', __mem: '256' })).toMatchObject({ nvm: 3, mem: 256 })
    expect(settings(['--nvm=0'], { __nvm: '2' })).toMatchObject({ nvm: 0 })
  })

  test('options may be spelled with underscores, and single nodes have options of their own', () => {
    const given = settings(['--nets_router', '0,2', '--mem201=256', '--nets3', '0,3,1', '--append2', 'quiet'])
    expect(given).toMatchObject({ netsRouter: [0, 2], mem201: 256, nets3: [0, 3, 1], append2: 'quiet' })
  })

  test('settings for a role have options, and their paths become absolute too', () => {
    const given = settings([
      '--mem-router',
      '256',
      '--kernel_vm=a',
      '--rootfs-tester',
      'b',
      '--with-router',
      'x',
      '--with-router',
      'y',
    ])
    const [kernelVm, rootfsTester] = ['a', 'b'].map(file => `${process.cwd()}/${file}`)
    expect(given).toMatchObject({ memRouter: 256, kernelVm, rootfsTester, withRouter: ['x', 'y'] })
  })

  test('--no-clone means --clone off, and wins over __clone', () => {
    expect(settings(['--no-clone'], { __clone: 'always' })).toMatchObject({ clone: 'off' })
    expect(settings(['--no-clone', '--clone', 'always'])).toMatchObject({ clone: 'always' })
    expect(settings([], { __clone: 'off' })).toMatchObject({ clone: 'off' })
  })

  test('paths become absolute, because the owner has another working directory', () => {
    const here = process.cwd()
    expect(settings(['--kernel', 'boot/vmlinuz', '--kvm', './qemu'])).toMatchObject({
      kernel: `${here}/boot/vmlinuz`,
      kvm: `${here}/qemu`,
    })
    expect(settings(['--kvm', 'qemu-system-x86_64'])).toMatchObject({ kernel: '', kvm: 'qemu-system-x86_64' })
  })

  test.each([
    [['--nvm', '201'], "--nvm: '201' is not a whole number from 0 to 200"],
    [['--nets-vm', '1,0'], "--nets-vm: '1,0' is not a list"],
    [['--mem241', '256'], "there is no setting 'mem241'"],
    [['--name', '../x'], '--name'],
    [['--clone', 'maybe'], "--clone: 'maybe' is not one of always, off"],
  ])('%j is refused', (argv, message) => {
    expect(() => settings(argv)).toThrow(message)
  })
})

test('the cluster is that of --name, else of XCLUSTER_NAME, else default', () => {
  expect(clusterNameOf(openSession({}), {})).toBe('default')
  expect(clusterNameOf(openSession({ XCLUSTER_NAME: '' }), {})).toBe('default')
  expect(clusterNameOf(openSession({ XCLUSTER_NAME: 'a' }), {})).toBe('a')
  expect(clusterNameOf(openSession({ XCLUSTER_NAME: 'a' }), { name: 'b' })).toBe('b')
})

test('--timeout is a number of seconds above 0 and up to a day', () => {
  expect(timeoutOf({})).toBeUndefined()
  expect(timeoutOf({ timeout: '0.5' })).toBe(500)
  for (const timeout of ['0', '-1', '1s', '', '1e9', '86401'])
    expect(() => timeoutOf({ timeout }), timeout).toThrow('is not a number of seconds')
})
