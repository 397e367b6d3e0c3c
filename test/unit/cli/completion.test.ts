import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { optionOf, version, versionHeader } from '../../../src/base/index.ts'
import { commands } from '../../../src/cli/commands.ts'
import { bashScript } from '../../../src/cli/completion/bash.ts'
import { wordsOf } from '../../../src/cli/completion/vocabulary.ts'
import { zshScript } from '../../../src/cli/completion/zsh.ts'
import { settings } from '../../../src/plan/index.ts'
import { inProject } from '../../house/project.ts'
import { Xc } from '../../support/xc.ts'

const xc = new Xc()
const run = promisify(execFile)
const owners: Server[] = []

/** A fake owner: it answers every request with its nodes. */
async function owner(name: string, ids: readonly number[]): Promise<void> {
  mkdirSync(`${xc.runtime}/${name}`)
  const nodes = ids.map(id => ({ id, name: `vm-${String(id).padStart(3, '0')}` }))
  const server = createServer((_, answer) =>
    answer.writeHead(200, { [versionHeader]: version }).end(JSON.stringify({ v: 1, nodes })),
  )
  owners.push(server)
  await new Promise<void>(resolve => server.listen(`${xc.runtime}/${name}/owner.sock`, resolve))
}

/** Puts `xc` on a PATH, as an installation does. */
beforeAll(async () => {
  mkdirSync(`${xc.root}/bin`)
  writeFileSync(
    `${xc.root}/bin/xc`,
    `#!/bin/sh\nexec "${process.execPath}" "${inProject('bin/xc.js')}" "$@"\n`,
  )
  chmodSync(`${xc.root}/bin/xc`, 0o755)
  xc.env.PATH = `${xc.root}/bin:${process.env.PATH}`
  writeFileSync(`${xc.root}/xc.bash`, await xc.good(['completion', 'bash']))
  await owner('default', [1, 2, 201])
  await owner('other', [7])
})

afterAll(() => owners.forEach(server => void server.close()))

/** What bash offers at the end of this line. It is split as readline splits it: `=` is a word of its own. */
async function offered(line: string, source = `. ${xc.root}/xc.bash`): Promise<string[]> {
  const words = line.split(/ +|(?<==)|(?==)/)
  const code = `compopt() { echo "compopt $*"; }
${source}
COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
$(complete -p xc | sed 's/.*-F \\([^ ]*\\) xc$/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await run('bash', ['--norc', '-c', code], { env: xc.env })
  expect(stderr).toBe('')
  return stdout.split('\n').filter(word => word !== '')
}

describe('bash completes', () => {
  test('commands after `source <(xc completion bash)`', async () => {
    expect(await offered('xc pau', 'source <(xc completion bash)')).toEqual(['pause'])
  })

  test.each([
    ['xc st', ['start', 'starts', 'status', 'stop', 'stop-vm']],
    ['xc cache e', ['export']],
    ['xc --version c', ['convert', 'capture', 'check', 'cache', 'cplib', 'cancel', 'completion']],
    ['xc pause --', ['--debug', '--json', '--help', '--name', '--timeout']],
    ['xc reset --no', ['--no-wait']],
    ['xc logs -', ['--debug', '-f', '--follow', '--raw', '-h', '--help', '--name']],
    ['xc cache list --j', ['--json']],
    ['xc start --clone ', ['always', 'off']],
    ['xc start --clone=o', ['off']],
    ['xc start --clone=', ['always', 'off']],
    ['xc start --fabric=user --clone a', ['always']],
    ['xc starts --topology d', ['dual-path', 'diamond']],
    ['xc start --kernel ', ['compopt -o default']],
    ['xc start --kernel-', ['--kernel-vm', '--kernel-router', '--kernel-tester']],
    ['xc start --rootfs-router ', ['compopt -o default']],
    ['xc start --init-vm=s', ['system']],
    ['xc start --mem ', []],
    ['xc start --uplink=o', []],
    ['xc completion ', ['bash', 'zsh', 'fish', 'man', 'clusters', 'nodes']],
    ['xc completion bash ', []],
    ['xc nosuch ', expect.arrayContaining(['pause'])],
    ['xc exec 1 -- ls --', []],
  ] as [string, string[]][])('%j to %j', async (line, words) => {
    expect(await offered(line)).toEqual(words)
  })

  test.each([
    ['xc pause ', ['1', '2', '201']],
    ['xc pause 1 2', ['2', '201']],
    ['xc scalein --timeout 3 vm-0', ['vm-001', 'vm-002']],
    ['xc exec ', ['1', '2', '201']],
    ['xc exec 1 ', []],
    ['xc vm --name other ', ['7']],
    ['xc logs --name=other v', ['vm-007']],
    ['xc logs --name nosuch ', []],
    ['xc scaleout ', []],
    ['xc status --name ', ['default', 'other']],
    ['xc stop --name=o', ['other']],
  ])('%j with running nodes and clusters: %j', async (line, words) => {
    expect(await offered(line)).toEqual(words)
  })

  test('nodes of the cluster that XCLUSTER_NAME names', async () => {
    xc.env.XCLUSTER_NAME = 'other'
    try {
      expect(await offered('xc pause ')).toEqual(['7'])
    } finally {
      delete xc.env.XCLUSTER_NAME
    }
  })
})

describe('zsh completes', () => {
  test('commands, options with their summaries, and nodes', async ({ skip }) => {
    const found = spawnSync('zsh', ['--version']).status === 0
    skip(!found, 'zsh is not installed')
    const shell = xc.onTerminal('exec env TERM=dumb zsh -f -i')
    const type = (text: string) => shell.child.stdin!.write(text)
    const line = 'zle -N line; line() { print -r "<$BUFFER>"; BUFFER= }; bindkey "^X" line'
    type(`autoload -U compinit; compinit -u -D; source <(xc completion zsh); ${line}; print REA''DY\n`)
    await shell.says(/READY/, 5000)
    const completes = async (typed: string, shown: string | RegExp) => {
      type(`${typed}\t\x18`)
      await shell.says(typeof shown === 'string' ? new RegExp(`<${shown} *>`) : shown, 5000)
    }
    await completes('xc pau', 'xc pause')
    await completes('xc reset --no', 'xc reset --no-wait')
    await completes('xc start --clone o', 'xc start --clone off')
    await completes('xc cache ex', 'xc cache export')
    await completes('xc scalein vm-2', 'xc scalein vm-201')
    await completes('xc pause --name ot', 'xc pause --name other')
    await completes('xc pause --name other ', 'xc pause --name other 7')
    await completes('xc logs -', /follow the output until the node stops/)
    shell.child.kill()
    await shell.result
  })
})

describe('fish completes', () => {
  const offers = async (line: string): Promise<string[]> => {
    const { stdout, stderr } = await run(
      'fish',
      ['--no-config', '-c', `source (xc completion fish | psub); complete -C ${JSON.stringify(line)}`],
      { env: xc.env },
    )
    expect(stderr).toBe('')
    return stdout.split('\n').filter(Boolean)
  }
  test('commands, options with their summaries, values, nodes and clusters', async ({ skip }) => {
    skip(spawnSync('fish', ['--version']).status !== 0, 'fish is not installed')
    const expected: [string, string[]][] = [
      ['xc pau', ['pause\tpause nodes']],
      ['xc cache ex', ['export\tWrite templates to one file, for another machine of the same kind.']],
      ['xc reset --no', ['--no-wait\treturn when it has begun; `xc status` shows the progress']],
      ['xc exec ', ['1\tvm-001', '2\tvm-002', '201\tvm-201']],
      ['xc scalein --timeout 3 vm-2', ['vm-201']],
      ['xc pause --name other ', ['7\tvm-007']],
      ['xc exec 1 -- ', []],
      ['xc vm 1 ', []],
      ['xc stop --name o', ["other\tthe cluster's name (default default) [XCLUSTER_NAME]"]],
    ]
    for (const [line, words] of expected) expect([line, await offers(line)]).toEqual([line, words])
  })
})

describe('the manual page', () => {
  test('has all commands, settings and options, and troff does not complain about it', async ({ skip }) => {
    const { stdout: page } = await xc.run(['completion', 'man'])
    for (const { name } of commands)
      expect(page).toMatch(new RegExp(`^\\.SS "xc ${name.replaceAll('-', '.-')}`, 'm'))
    for (const key of Object.keys(settings))
      expect(page).toContain(`.B ${optionOf(key).replaceAll('-', '\\-')} `)
    skip(spawnSync('man', ['--version']).status !== 0, 'man is not installed')
    writeFileSync(`${xc.root}/xc.1`, page)
    const { stdout, stderr } = await run('man', ['--warnings', '-l', `${xc.root}/xc.1`], { env: xc.env })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ +xc tcpdump \[options\] <node> \[interface\.\.\.\]$/m)
  })
})

test('a new command and its option are completed, even with quotes and brackets in their summaries', () => {
  const program = new Command('xc')
  program
    .command('fold')
    .alias('crease')
    .description("fold [it]: don't tear")
    .option('-x, --extra <file>', 'a\\b')
  const words = wordsOf(program, [])
  const bash = bashScript(words)
  expect(bash).toContain("'fold' | 'crease') options='-h --help' valued='-x --extra' paths='-x --extra' ;;")
  const zsh = zshScript(words)
  expect(zsh).toContain("'fold:fold [it]: don'\\''t tear'")
  expect(zsh).toContain("'(-x --extra)'{-x,--extra}'[a\\\\b]:file:_files'")
  expect(spawnSync('bash', ['-n'], { input: bash }).stderr.toString()).toBe('')
})

test('xc completion lists names of clusters and nodes, and none of a cluster that does not answer', async () => {
  expect(await xc.good(['completion', 'clusters'])).toBe('default\nother\n')
  expect(await xc.good(['completion', 'nodes'])).toBe('1:vm-001\n2:vm-002\n201:vm-201\n')
  expect(await xc.run(['completion', 'nodes', '--name', 'nosuch'])).toEqual({
    ...{ status: 0, signal: null, stdout: '', stderr: '' },
  })
  expect(await xc.run(['completion', 'tcsh'])).toMatchObject({ status: 2, stdout: '' })
})
