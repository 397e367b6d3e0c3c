import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { engineFrom, slurmValues } from '../../../src/fleet/index.ts'

const secretFile = join(mkdtempSync(join(tmpdir(), 'xc-engine-')), 'secret')
writeFileSync(secretFile, 'sixteen bytes or more')
const large = `${secretFile}-large`
writeFileSync(large, Buffer.alloc(65_537))
const whole = { rank: '1', peers: '10.0.0.1,fd00::2', secretFile }

describe('the values of a host of a lab', () => {
  test('come from options, with the usual ports and as many hosts as peers', async () => {
    expect(await engineFrom({}, whole)).toEqual({
      job: 'lab',
      rank: 1,
      count: 2,
      peers: ['10.0.0.1', 'fd00::2'],
      ports: [7766, 4789],
      secret: Buffer.from('sixteen bytes or more'),
    })
  })

  test('wait 5 s for what is to come from a pipe, and for its end', async () => {
    const pipe = `${secretFile}-empty`
    await promisify(execFile)('mkfifo', [pipe])
    const late = {
      message: expect.stringContaining(`read ${pipe}: its writer did not come to an end within 5 s`),
    }
    await expect(engineFrom({}, { ...whole, secretFile: pipe })).rejects.toMatchObject(late)
    const writer = execFile('sh', ['-c', `exec >${pipe}; echo half; exec sleep 60`])
    const closed = once(writer, 'close')
    await expect(engineFrom({}, { ...whole, secretFile: pipe })).rejects.toMatchObject(late)
    writer.kill()
    await closed
  }, 30_000)

  test('win over an engine that cannot say them: a shell of a job of Slurm is none of its tasks', async () => {
    const inShell = { SLURM_JOB_ID: '17', SLURM_JOB_NODELIST: 'n[1-2]' }
    const values = await engineFrom(inShell, whole, [slurmValues])
    expect(values).toMatchObject({ rank: 1, peers: ['10.0.0.1', 'fd00::2'], job: 'lab' })
    const { secretFile: _, ...some } = whole
    await expect(engineFrom(inShell, some, [slurmValues])).rejects.toThrow(
      'SLURM_STEP_NODELIST: it is not set: this is a job, and not a step of it. Start one process on each host',
    )
  })

  test('take the secret from a pipe, too', async () => {
    await promisify(execFile)('mkfifo', [`${secretFile}-pipe`])
    const writer = execFile('sh', ['-c', `printf %65536s > ${secretFile}-pipe`])
    const closed = once(writer, 'close')
    const { secret } = await engineFrom({}, { ...whole, secretFile: `${secretFile}-pipe` })
    expect(secret.toString()).toBe(' '.repeat(65_536))
    await closed
  })

  test('come from the first engine that has started the process, and options win', async () => {
    const values = { job: '42', rank: 0, count: 1, peers: ['a'], ports: [1, 2], secret: Buffer.alloc(16) }
    const readers = [() => undefined, async () => values, () => ({ job: 'late' })]
    expect(await engineFrom({}, {}, readers)).toEqual(values)
    expect(await engineFrom({}, { ports: '7,8' }, readers)).toEqual({ ...values, ports: [7, 8] })
  })

  test.each([
    [{ rank: undefined }, 'read rank: it is not given. Number the hosts from 0.'],
    [{ rank: 'one' }, "read rank: 'one' is not a number"],
    [{ rank: '2' }, 'read rank: 2 is not below the number of hosts, 2'],
    [{ count: '3' }, 'read peers: there are 2 for 3 hosts'],
    [{ peers: 'a,a' }, 'read peers: a is there twice: each host has one process'],
    [{ peers: 'a,b c' }, "read peers: 'b c' is neither an address nor a name"],
    [{ ports: '0,4789' }, 'read ports: they are not two numbers from 1 to 65535'],
    [{ secretFile: '/nowhere' }, 'read /nowhere: No such file or directory'],
    [{ secretFile: '/dev/zero' }, 'read /dev/zero: it is neither a file nor a pipe'],
    [{ secretFile: tmpdir() }, `read ${tmpdir()}: it is neither a file nor a pipe`],
    [{ secretFile: large }, `read ${large}: it has more than 65536 bytes`],
    [{ secretFile: undefined }, 'read secret: it is not given'],
  ])('are refused in one sentence: %o', async (change, message) => {
    const options = JSON.parse(JSON.stringify({ ...whole, ...change }, (_, value) => value))
    await expect(engineFrom({}, options)).rejects.toThrow(message)
  })
})
