import { execFileSync } from 'node:child_process'
import {
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
      ...[
        'to-n:/linked',
        'to-run:/run2',
        'conf/fifo:/f',
        '/:/host',
        'n.txt:/abs/below',
        '.:/lab',
        'nest:/nest',
      ],
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
    const listed = execFileSync(join(overlay, 'tar'), ['-']).length
    expect(listed).toBeGreaterThan(0)
  })

  test('has a script that a shell understands as the words of the commands', async () => {
    const overlay = at('exec')
    const exec = ['printf "%s\\n" "two words" $HOME \'it\\s\' a;b "quo\'te"', 'false', 'printenv LAB']
    await convert(lab({ exec, env: { LAB: "it's $HOME" } }), overlay)
    const script = made(overlay, 'etc/init.d/80containerlab.rc')
    // The test must not touch this machine's files: the script gets a root of its own.
    const text = readFileSync(script, 'utf8').replace('node=$(hostname)', 'node=vm-001')
    const root = at('root')
    const moved = text
      .replaceAll('/containerlab/', `${root}/containerlab/`)
      .replaceAll('/etc/', `${root}/etc/`)
    mkdirSync(root)
    execFileSync('cp', ['-a', `${overlay}/default/.`, root])
    execFileSync('cp', ['-a', `${root}/containerlab/vm-001/.`, root])
    const harmless = moved.replace('rm -rf /containerlab\n', '').replace(/^if \[ -d .*$/m, '')
    const run = () => execFileSync('sh', ['-c', harmless, 'sh', 'start'], { stdio: 'pipe' })
    expect(run).toThrow(expect.objectContaining({ status: 1 }))
    try {
      run()
    } catch (failure) {
      const { stdout, stderr } = failure as { stdout: Buffer; stderr: Buffer }
      expect(stdout.toString()).toBe("two words\n$HOME\nit\\s\na;b\nquo'te\nit's $HOME\n")
      expect(stderr.toString()).toBe('containerlab: failed on vm-001: false\n')
    }
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
