import { expectTypeOf, test } from 'vitest'
import type { AgentClient, Integer, Qapi, Qmp72, Qmp111, QmpClient } from '../../../src/qmp/index.ts'

// tsc checks this file (test/house/tools.test.ts); nothing of it runs.

interface Clients {
  readonly any: QmpClient
  readonly old: QmpClient<Qmp72>
  readonly new: QmpClient<Qmp111>
  readonly agent: AgentClient
}

/** Compiles the calls in it; they are not made. */
const typesOf = (_calls: (clients: Clients) => unknown) => {}

test('results and arguments of commands have the types of the QEMU schema', () => {
  typesOf(async ({ any, agent }) => {
    expectTypeOf(await any.execute('query-status')).toEqualTypeOf<Qapi.StatusInfo>()
    expectTypeOf(await any.execute('query-block')).toEqualTypeOf<readonly Qapi.BlockInfo[]>()
    expectTypeOf(
      await any.execute('human-monitor-command', { 'command-line': 'info' }),
    ).toEqualTypeOf<string>()
    expectTypeOf(await any.execute('qom-get', { path: '', property: '' })).toEqualTypeOf<unknown>()
    expectTypeOf((await any.execute('query-migrate')).ram?.transferred).toEqualTypeOf<Integer | undefined>()
    expectTypeOf(await agent.execute('guest-get-time')).toEqualTypeOf<Integer>()
    await any.execute('blockdev-add', { driver: 'file', 'node-name': 'f', filename: '/x' })
    await any.execute('device_add', { driver: 'scsi-hd', id: 'd', wwn: 2n ** 60n })
    // @ts-expect-error: a file needs its name
    await any.execute('blockdev-add', { driver: 'file', 'node-name': 'f' })
    // @ts-expect-error: arguments must be given
    await any.execute('set_link')
    // @ts-expect-error: not a capability
    await any.execute('migrate-set-capabilities', { capabilities: [{ capability: 'speed', state: true }] })
  })
})

test('commands and events that no schema has remain possible', () => {
  typesOf(async ({ any, agent }) => {
    expectTypeOf(await any.execute('x-new', { any: 1 })).toEqualTypeOf<unknown>()
    expectTypeOf(await agent.execute('guest-new')).toEqualTypeOf<unknown>()
    expectTypeOf((await any.once('NEW')).data).toEqualTypeOf<Readonly<Record<string, unknown>>>()
  })
})

test('events have the types of their data, by name and in loops', () => {
  typesOf(async ({ any }) => {
    expectTypeOf((await any.once('SHUTDOWN')).data.reason).toEqualTypeOf<Qapi.ShutdownCause>()
    for await (const { type, data } of any.events(['STOP', 'BLOCK_IO_ERROR']))
      if (type === 'BLOCK_IO_ERROR') expectTypeOf(data.action).toEqualTypeOf<Qapi.BlockErrorAction>()
    for await (const { type } of any.events()) expectTypeOf(type).toEqualTypeOf<string>()
    for await (const { type } of any.events(({ at }) => at > 0)) type.toLowerCase()
  })
})

test('a client of one version has what that version has', () => {
  typesOf(async clients => {
    expectTypeOf(await clients.new.execute('query-accelerators')).not.toBeUnknown()
    expectTypeOf(await clients.any.execute('query-accelerators')).not.toBeUnknown()
    expectTypeOf(await clients.old.execute('query-accelerators')).toBeUnknown()
    await clients.new.execute('query-block', { flat: true })
    await clients.any.execute('query-block', { flat: true })
    // @ts-expect-error: 7.2 has no arguments there
    await clients.old.execute('query-block', { flat: true })
  })
})
