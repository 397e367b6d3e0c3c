import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeOverlay } from '../../../src/overlay/index.ts'
import { convertFile } from '../../../src/topology/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'xc-convert-'))
const at = (name: string) => join(directory, name)
mkdirSync(at('conf'))
writeFileSync(at('conf/a.conf'), 'a', { mode: 0o640 })
symlinkSync('a.conf', at('conf/link'))
writeFileSync(at('n.txt'), 'own')
writeFileSync(at('large'), '')
truncateSync(at('large'), 65 << 20)
execFileSync('mkfifo', [at('conf/fifo')])
symlinkSync('n.txt', at('to-n'))
symlinkSync('/run', at('to-run'))

const lab = (node: object) => {
  const file = at('lab.clab.yml')
  writeFileSync(file, JSON.stringify({ topology: { nodes: { n: node, other: {} } } }))
  return file
}
/** As `xc convert` does. */
async function convert(file: string, overlay: string) {
  const converted = await convertFile(file, { overlay })
  const left = converted.overlay ? await makeOverlay(overlay, converted.overlay) : []
  return { ...converted, remarks: [...converted.remarks, ...left] }
}
const made = (overlay: string, path: string) => join(overlay, 'default', path)

describe('the overlay of a containerlab topology', () => {
  test('has copies of what a node binds, below a folder of the node, and names what it has not', async () => {
    const overlay = at('nest/binds')
    mkdirSync(at('nest'))
    const binds = [
      ...['conf:/etc/app', '__clabNodeName__.txt:/etc/../opt/n.txt:ro', `${at('n.txt')}:/../../abs`],
      ...['large:/large', 'none:/none', '/proc/1:/p', '/var/run', 'conf:relative', 'conf:/../'],
      ...['to-n:/linked', 'to-run:/run2', 'conf/fifo:/f', '/:/host'],
      ...['n.txt:/abs/below', '.:/lab', 'nest:/nest'],
    ]
    const { text, remarks, left } = await convert(lab({ binds }), overlay)
    expect(text).toContain(`ovl: ${overlay}`)
    expect(left).toEqual([])
    const notPaths = 'it is not a path of this machine and one of the node'
    expect(remarks).toEqual([
      `n: without /var/run: ${notPaths}`,
      `n: without conf:relative: ${notPaths}`,
      `n: without conf:/../: ${notPaths}`,
      'n: without large:/large: it is larger than 64 MiB',
      'n: without none:/none: No such file or directory',
      'n: without /proc/1:/p: it is of this machine alone',
      'n: without to-run:/run2: it is of this machine alone',
      'n: without conf/fifo:/f: it is neither a file nor a directory',
      'n: without /:/host: it is of this machine alone',
      'n: without n.txt:/abs/below: File exists',
      'n: without .:/lab: it is larger than 64 MiB',
      'n: without nest:/nest: the overlay is in it',
    ])
    const own = (path: string) => made(overlay, `containerlab/vm-001/${path}`)
    expect(readFileSync(own('etc/app/link'), 'utf8')).toBe('a')
    expect(statSync(own('etc/app/a.conf')).mode & 0o777).toBe(0o640)
    expect(existsSync(own('etc/app/fifo'))).toBe(false)
    for (const path of ['opt/n.txt', 'abs', 'linked']) expect(readFileSync(own(path), 'utf8')).toBe('own')
    expect(lstatSync(own('linked')).isFile()).toBe(true)
    const archive = execFileSync(join(overlay, 'tar'), ['-'])
    const listed = execFileSync('tar', ['-t'], { input: archive, encoding: 'utf8' }).split('\n')
    expect(listed).toContain('./etc/init.d/80containerlab.rc')
    expect(listed).toContain('./containerlab/vm-001/etc/app/a.conf')
  })

  test('has a script that moves files below what is there, and runs the words of the commands', async () => {
    const overlay = at('exec')
    const words = 'printf "%s\\n" "two words" $HOME \'it\\s\' a;b "quo\'te"'
    const exec = [words, 'cat', 'false', 'printenv LAB HOME']
    const binds = ['conf:/new/dir', 'conf:/var/run/app', 'n.txt:/tmp/n']
    await convert(lab({ exec, binds, env: { LAB: "it's $HOME" } }), overlay)
    const root = at('root')
    mkdirSync(root)
    execFileSync('cp', ['-a', `${overlay}/default/.`, root])
    for (const directory of ['run', 'var', 'tmp']) mkdirSync(join(root, directory))
    chmodSync(join(root, 'tmp'), 0o1777)
    symlinkSync('../run', join(root, 'var/run'))
    // The test must not touch this machine's files: the script gets a root of its own.
    const script = readFileSync(join(root, 'etc/init.d/80containerlab.rc'), 'utf8')
      .replace('node=$(hostname)', 'node=vm-001')
      .replaceAll(/(?<=[ "=#])\/(?=containerlab|etc|\$)/g, `${root}/`)
    expect(script.split('\n').filter(line => /[ "=#]\/[a-z$]/.test(line.replaceAll(root, '.')))).toEqual([
      expect.stringMatching(/^export PATH=.* HOME=\/root$/),
    ])
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', 'start'], { encoding: 'utf8' })
    expect(stderr).toBe('containerlab: failed on vm-001: false\n')
    expect([status, stdout]).toEqual([1, "two words\n$HOME\nit\\s\na;b\nquo'te\nit's $HOME\n/root\n"])
    expect(existsSync(join(root, 'containerlab'))).toBe(false)
    expect(statSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777)
    for (const path of ['new/dir', 'run/app'])
      expect(readFileSync(join(root, path, 'link'), 'utf8')).toBe('a')
    expect(readFileSync(join(root, 'tmp/n'), 'utf8')).toBe('own')
  })

  test('is not made over a directory that is there, nor when nothing is for it', async () => {
    const overlay = at('there')
    mkdirSync(overlay)
    const file = lab({ exec: ['true'] })
    await expect(convert(file, overlay)).rejects.toMatchObject({
      ...{ code: 'OVERLAY_NOT_MADE', op: 'make overlay', target: overlay, reason: 'File exists' },
    })
    const nowhere = at('no/where')
    await expect(convert(file, nowhere)).rejects.toMatchObject({ code: 'OVERLAY_NOT_MADE' })
    expect(await convertFile(file)).toMatchObject({ left: ['exec'] })
    const { text } = await convert(lab({}), at('unneeded'))
    expect(text).not.toContain('ovl')
    expect(existsSync(at('unneeded'))).toBe(false)
  })
})
