import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isRoot } from '../../support/rights.ts'
import { oneSentence, Xc, type XcResult } from '../../support/xc.ts'

const xc = new Xc()
let count = 0

/** Writes a hook module and returns its path. */
function hook(text: string, name = `hook${++count}.ts`): string {
  const file = `${xc.root}/${name}`
  writeFileSync(file, text)
  return file
}

const config = (inner: string) =>
  hook(`import { defineConfig } from 'xcluster/config'\nexport default defineConfig({ ${inner} })\n`)

/** Runs `xc` with the hook module in this file. */
function withHook(file: string, ...args: string[]): Promise<XcResult> {
  return Object.assign(new Xc(), { env: { ...xc.env, XCLUSTER_HOOK: file } }).run(args)
}

const mystart = `commands: { mystart: {
  summary: 'start with one more network', like: 'start', options: { '-x, --extra <net>': 'the net to add' },
  run: xc => xc.original(['--nets-vm', '0,1,' + (xc.options.extra ?? 3), ...xc.argv]) } }`

describe('a command of a hook', () => {
  const file = config(mystart)

  test('is in the help, with the options of the command that it is like and its own', async () => {
    expect((await withHook(file, '--help')).stdout).toMatch(/^ {2}mystart +start with one more network$/m)
    const { stdout } = await withHook(file, 'help', 'mystart')
    expect(stdout).toMatch(/^Start with one more network\.$/m)
    expect(stdout).toMatch(/^ {2}-x, --extra <net> +the net to add$/m)
    expect(stdout).toMatch(/^ {2}--nets-router <nets> /m)
  })

  test('runs the original with other words, and what was typed wins', async () => {
    const netsOf = async (...args: string[]) => {
      const { stdout, stderr } = await withHook(
        file,
        'mystart',
        '--dry-run',
        '--json',
        '--nrouters=0',
        ...args,
      )
      expect(stderr).toBe('')
      const plan = JSON.parse(stdout) as { nodes: { memMiB: number; nets: { net: number }[] }[] }
      return plan.nodes.map(({ memMiB, nets }) => [memMiB, ...nets.map(({ net }) => net)])
    }
    expect(await netsOf('--nvm', '2', '--mem2=256')).toEqual([
      [128, 0, 1, 3],
      [256, 0, 1, 3],
    ])
    expect(await netsOf('--nvm=1', '-x', '9')).toEqual([[128, 0, 1, 9]])
    expect(await netsOf('--nvm=1', '--nets_vm=0,5')).toEqual([[128, 0, 5]])
  })

  test('is completed in bash and zsh, with its options', async () => {
    const { stdout: bash } = await withHook(file, 'completion', 'bash')
    expect(bash).toMatch(/^ {4}'mystart'\) .*--extra/m)
    expect((await withHook(file, 'completion', 'zsh')).stdout).toContain(
      "'mystart:start with one more network'",
    )
  })

  test('has arguments and options of its own, and its number is the exit status', async () => {
    const own = config(`commands: { greet_all: { summary: 'greet', arguments: '<who> [more...]',
      options: { '--loud': 'shout', '--by <name>': 'who greets' },
      run(xc) { console.log(JSON.stringify([xc.args, xc.options, xc.argv])); return 7 } } }`)
    const words = ['greet_all', 'a', '--by', 'b', '--loud', '--', '-c']
    expect(await withHook(own, ...words)).toMatchObject({
      status: 7,
      stdout: '[["a","-c"],{"loud":true,"by":"b"},["--","a","-c"]]\n',
    })
    expect(await withHook(own, 'greet-all')).toMatchObject({ status: 2, stdout: '' })
  })

  test('runs commands of xc one after the other, and gets their exit status and their errors', async () => {
    const own = config(`commands: { tour: { summary: 'tour', async run(xc) {
      const ls = await xc.run('ls')
      const missing = await xc.run('status', ['--name', 'nosuch']).catch(({ code }) => code)
      xc.env.__nvm = '7'
      await xc.run('env')
      console.log(ls, missing) } } }`)
    const { stdout, status } = await withHook(own, 'tour')
    expect(stdout).toContain('__nvm=7\n')
    expect(stdout).toMatch(/\n0 CLUSTER_MISSING\n$/)
    expect(status).toBe(0)
    const passedOn = config(
      `commands: { s: { summary: 's', run: xc => xc.run('status', ['--name', 'nosuch']) } }`,
    )
    expect(await withHook(passedOn, 's')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^xc: no cluster 'nosuch' is running\./),
    })
  })
})

test('a hook replaces a command, under all its names, and calls the original', async () => {
  const file = config(`replace: { async ls(xc) { console.log('before'); return await xc.original() },
    start: { summary: 'start mine', run: xc => console.log(xc.argv.join()) } }`)
  expect((await withHook(file, 'ls')).stdout).toMatch(/^before\nNAME|^before\n$/)
  expect((await withHook(file, 'starts', '--nvm', '1', '--uplink')).stdout).toBe('--nvm=1,--uplink=on\n')
  expect((await withHook(file, '--help')).stdout).toMatch(/start\|starts +start mine$/m)
})

test('prepare sees the settings of a start and changes them', async () => {
  const file = config(
    `prepare({ settings, dryRun }) { return { nvm: settings.nvm + 1, kernel: 'k', nrouters: dryRun ? 0 : 1 } }`,
  )
  const { stdout } = await withHook(file, 'start', '--dry-run', '--json', '--nvm=1')
  expect((JSON.parse(stdout) as { nodes: object[] }).nodes).toHaveLength(2)
})

describe('where a hook is found:', () => {
  const directory = `${xc.root}/experiment`
  mkdirSync(`${directory}/below`, { recursive: true })
  const here = (name: string) =>
    writeFileSync(
      `${directory}/${name}`,
      `export default { commands: { hi: { summary: 'hi', run: () => console.log(${JSON.stringify(name)}) } } }`,
    )
  const inDirectory = (command: string, at = directory) => xc.inShell(`cd ${at} && ${command}`).result

  test.each(['xcluster.config.mjs', 'xcluster.config.js', 'xcluster.config.ts'])(
    '%s in the working directory, before those of other names',
    async name => {
      here(name)
      expect(await inDirectory('xc hi')).toMatchObject({ status: 0, stdout: `${name}\n` })
    },
  )

  test('not in a directory above, and not with XCLUSTER_HOOK=off', async () => {
    expect(await inDirectory('xc hi', `${directory}/below`)).toMatchObject({ status: 2, stdout: '' })
    expect(await inDirectory('XCLUSTER_HOOK=off xc hi')).toMatchObject({ status: 2, stdout: '' })
  })

  test('by XCLUSTER_HOOK before the working directory, also through a link', async () => {
    const file = hook(
      `export default { commands: { hi: { summary: 'hi', run: () => console.log('named') } } }`,
    )
    symlinkSync(file, `${directory}/below/link.ts`)
    expect(await inDirectory('XCLUSTER_HOOK=below/link.ts xc hi')).toMatchObject({ stdout: 'named\n' })
  })

  test.each([
    ['every user can write to it', 0, 0o666],
    ['it belongs to another user (4711)', 4711, 0o644],
  ])('not a file that others control: %s', async (why, uid, mode) => {
    const file = hook('throw new Error("it ran")')
    chmodSync(file, mode)
    if (uid !== 0 && isRoot) chownSync(file, uid, uid)
    if (uid !== 0 && !isRoot) return
    const result = await withHook(file, 'ls')
    expect(result).toMatchObject({ status: 4, stdout: '', stderr: expect.stringMatching(oneSentence) })
    expect(result.stderr).toContain(why)
  })
})

describe('a hook that cannot be used is one sentence:', () => {
  const command = (inner: string) => `export default { commands: { a: { summary: 'a', ${inner} } } }`
  test.each([
    [
      'throws while it loads',
      '\n\nthrow new Error("no luck")',
      1,
      /load hook \S+\.ts:3: no luck\. XCLUSTER_HOOK=off/,
    ],
    ['is not TypeScript', 'export default {\n  a: (\n}\n', 1, /\.ts:3: Unexpected token\./],
    ['imports what is not there', "import 'no-such-thing'\n", 1, /Cannot find module 'no-such-thing'/],
    ['never ends loading', 'await new Promise(() => {})\n', 1, /something that can no longer happen/],
    [
      'has no default export',
      'export const a = 1',
      2,
      /default export has 'a'|default export is not an object/,
    ],
    [
      'has an unknown key',
      'export default { command: {} }',
      2,
      /has 'command', and can have commands, replace/,
    ],
    ['has a command without run', command(''), 2, /commands\.a\.run is missing/],
    [
      'has a command with a wrong option',
      command(`run() {}, options: { extra: 'x' }`),
      2,
      /'extra' is not an option/,
    ],
    [
      'has an option that the original has',
      command(`run() {}, like: 'ls', options: { '--json': 'x' }`),
      2,
      /command a: Cannot add option/,
    ],
    ['is like no command', command(`run() {}, like: 'lst'`), 2, /commands\.a\.like: xc has no command 'lst'/],
    [
      'clashes with a command',
      "export default { commands: { scale_out: { summary: 's', run() {} }, scaleout: { summary: 's', run() {} } } }",
      2,
      /there is a command 'scaleout' already\. Name it in replace/,
    ],
    [
      'clashes with itself',
      "export default { commands: { a_b: { summary: 's', run() {} }, 'a-b': { summary: 's', run() {} } } }",
      2,
      /there is a command 'a-b' already/,
    ],
    [
      'replaces what is not there',
      'export default { replace: { statsu() {} } }',
      2,
      /replace\.statsu: xc has no command/,
    ],
    [
      'has a name with dashes in front',
      "export default { commands: { '--a': { summary: 's', run() {} } } }",
      2,
      /a command's name has letters/,
    ],
  ])('%s', async (...[, text, status, reason]) => {
    const result = await withHook(hook(text), 'a')
    expect(result.stderr).toMatch(oneSentence)
    expect(result.stderr).toMatch(reason)
    expect(result).toMatchObject({ status, stdout: '' })
  })

  test('is not there', async () => {
    const result = await withHook(`${xc.root}/nosuch.ts`, 'ls')
    expect(result).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/No such file or directory|no such file/i),
    })
  })

  test.each([
    ['throws', `run() {\n throw new Error('no luck\\nmore') }`, 1, /command a of hook \S+\.ts:2: no luck\./],
    ['throws no error', `run() { throw 'a word' }`, 1, /command a of hook \S+\.ts: a word\./],
    ['never settles', 'run: () => new Promise(() => {})', 1, /something that can no longer happen/],
    ['returns nonsense', 'run: () => "x"', 2, /returned "x", and an exit status is 0 to 255/],
    ['has no original', 'run: xc => xc.original()', 2, /command a has no original/],
  ])('has a command that %s', async (...[, inner, status, reason]) => {
    const result = await withHook(hook(command(inner)), 'a')
    expect(result.stderr).toMatch(oneSentence)
    expect(result.stderr).toMatch(reason)
    expect(result).toMatchObject({ status, stdout: '' })
  })

  test.each([
    ['throws', `() => {\n throw new Error('no') }`, 1, /prepare of hook \S+\.ts:2: no\./],
    [
      'never settles',
      '() => new Promise(() => {})',
      1,
      /its prepare has not ended within 0\.3 s, and nothing was started/,
    ],
    ['returns nonsense', '() => 3', 2, /prepare returned 3, not an object/],
    [
      'returns a wrong setting',
      `() => ({ nvm: -1 })`,
      2,
      /nvm from prepare of the hook: '-1' is not a whole number/,
    ],
    ['returns an unknown setting', `() => ({ nvms: 1 })`, 2, /there is no setting 'nvms'/],
  ])('has a prepare that %s, before a real start', async (...[, prepare, status, reason]) => {
    const result = await withHook(hook(`export default { prepare: ${prepare} }`), 'start', '--timeout', '0.3')
    expect(result.stderr).toMatch(oneSentence)
    expect(result.stderr).toMatch(reason)
    expect(result).toMatchObject({ status, stdout: '' })
    expect((await xc.run(['ls', '--json'])).stdout).toBe('{"v":1,"clusters":[]}\n')
  })
})
